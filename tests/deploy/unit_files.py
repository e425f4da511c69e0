"""deploy/systemd as systemd reads it: each unit with the drop-in that is for all, its commands and settings."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.dockerfile import ROOT

UNITS = ROOT / "deploy" / "systemd"
DROP_IN = UNITS / "alatau-.service.d" / "hardening.conf"


@dataclass(frozen=True)
class Unit:
    """settings: all values of each, in order; an empty one forgets those before, as in systemd."""

    name: str
    settings: Mapping[str, list[str]]

    def only(self, setting: str) -> str:
        (value,) = self.settings[setting]
        return value

    def words(self, setting: str) -> list[str]:
        return [
            word for value in self.settings.get(setting, ()) for word in value.split()
        ]

    def environment(self) -> dict[str, str]:
        given = [
            word
            for value in self.settings.get("Environment", ())
            for word in shlex.split(value)
        ]
        return dict(word.split("=", 1) for word in given)

    def credentials(self) -> dict[str, str]:
        """Path by name."""
        loaded = self.settings.get("LoadCredential", ())
        return dict(text.split(":", 1) for text in loaded)


def read_units() -> dict[str, Unit]:
    units = {}
    for path in sorted(UNITS.glob("*.service")):
        drop_ins = [DROP_IN] if path.name.startswith("alatau-") else []
        units[path.stem] = Unit(path.stem, _read([path, *drop_ins]))
    return units


def _read(paths: list[Path]) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.partition("=")
            if not equals or line.startswith("#"):
                continue
            if value:
                settings.setdefault(name, []).append(value)
            else:
                settings[name] = []
    return settings
