"""docker-compose.yml as Compose reads it: interpolated, each service with what it mounts and needs."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.deploy.dockerfile import ROOT

COMPOSE = ROOT / "docker-compose.yml"
OURS = "alatau:0.1.0"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Mount:
    """source: a volume's name, or a path in the checkout."""

    source: str
    target: str
    read_only: bool

    @classmethod
    def parse(cls, text: str) -> "Mount":
        source, target, *mode = text.split(":")
        return cls(source, target, mode == ["ro"])

    @property
    def is_volume(self) -> bool:
        return not self.source.startswith(".")


@dataclass(frozen=True)
class Service:
    name: str
    document: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        return bool(self.document["image"] == OURS)

    @property
    def mounts(self) -> list[Mount]:
        return [Mount.parse(text) for text in self.document.get("volumes", ())]

    @property
    def needs(self) -> dict[str, str]:
        """Condition by service."""
        wanted = self.document.get("depends_on", {})
        return {name: need["condition"] for name, need in wanted.items()}

    @property
    def runs_once(self) -> bool:
        return bool(self.document["restart"] == "no")

    @property
    def health_command(self) -> list[str]:
        kind, *words = self.document["healthcheck"]["test"]
        return ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words

    @property
    def stop_seconds(self) -> float:
        text = self.document["stop_grace_period"]
        return float(text[:-1]) * _SECONDS[text[-1]]


def interpolate(text: str, settings: Mapping[str, str]) -> str:
    """${NAME:-default} and $$, as Compose has them; any other dollar is a mistake."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        assert match["name"], f"a dollar without meaning: {text}"
        return settings.get(match["name"]) or match["default"]

    return re.sub(r"\$(\$|\{(?P<name>\w+):-(?P<default>[^}]*)\}|)", value, text)


def read_services(settings: Mapping[str, str] = os.environ) -> dict[str, Service]:
    document = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    whole = _interpolated(document["services"], settings)
    return {name: Service(name, found) for name, found in whole.items()}


def _interpolated(part: Any, settings: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: _interpolated(value, settings) for name, value in part.items()}
    if isinstance(part, list):
        return [_interpolated(value, settings) for value in part]
    return interpolate(part, settings) if isinstance(part, str) else part
