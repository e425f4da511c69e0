"""A city file on disk: the root YAML file and the YAML and GeoJSON files it includes."""

import json
import math
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from services.core.city.city_file import read_city
from services.core.city.entities import City
from services.core.city.fields import Entry
from services.core.errors import CityFileError

_YamlLoader: Any = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the C one is ten times faster


class _Loader(_YamlLoader):  # type: ignore[misc] # chosen at run time
    """YAML 1.2's plain values only (no yes/no/on/off, no dates), mappings that know their line, no key twice."""

    yaml_implicit_resolvers: Final[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_PLAIN: Final = (
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", list("tf")),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
    ("tag:yaml.org,2002:merge", r"^<<$", ["<"]),
)
for _tag, _pattern, _starts in _PLAIN:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _starts)


def _construct_entry(loader: Any, node: yaml.MappingNode) -> Entry:
    written = [
        key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"
    ]
    twice = {key for key in written if written.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(
            None, None, f"{', '.join(sorted(twice))}: there twice", node.start_mark
        )
    loader.flatten_mapping(node)
    entry = Entry(loader.construct_mapping(node, deep=True))
    entry.place = f"{loader.name}:{node.start_mark.line + 1}"
    return entry


def _construct_int(_loader: Any, node: yaml.ScalarNode) -> int:
    return int(node.value)  # decimal, whatever it starts with


def _construct_float(_loader: Any, node: yaml.ScalarNode) -> float:
    number = float(node.value)
    if not math.isfinite(number):
        raise yaml.constructor.ConstructorError(
            None, None, f"{node.value} is too large", node.start_mark
        )
    return number


def _construct_text(_loader: Any, node: yaml.ScalarNode) -> str:
    """PostgreSQL holds no NUL and UTF-8 no half of a surrogate pair."""
    text = str(node.value)
    if _UNWRITABLE.search(text):
        raise yaml.constructor.ConstructorError(
            None, None, "a control character", node.start_mark
        )
    return text


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_entry)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
_Loader.add_constructor("tag:yaml.org,2002:str", _construct_text)


@dataclass(frozen=True, slots=True)
class CityFile:
    city: City
    warnings: tuple[str, ...]


def load_city(path: Path) -> City:
    """The city of a root file; warnings are not looked at.

    Raises:
        CityFileError: see read_city_folder.
    """
    return read_city_folder(path).city


def read_city_folder(path: Path) -> CityFile:
    """The city of a root file and of what it includes, with what is doubtful in it.

    Raises:
        CityFileError: a file cannot be read, or the city is wrong; it names every problem.
    """
    root = parse_file(path)
    included = root.get("include") or []
    if not isinstance(included, list):
        raise CityFileError([f"{path.name}: include: needs a list of files"])
    files = [root, *(parse_file(path.parent / str(name)) for name in included)]
    nested = [parsed for parsed in files[1:] if "include" in parsed]
    if nested:
        raise CityFileError(["include: only the root file includes"])
    reading = read_city(files)
    if reading.city is None:
        raise CityFileError(list(reading.problems))
    if reading.city.time_zone not in zoneinfo.available_timezones():
        raise CityFileError(
            [f"city: time_zone: {reading.city.time_zone!r} is not an IANA time zone"]
        )
    return CityFile(reading.city, reading.warnings)


def parse_file(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML or GeoJSON file; mappings in it know their line.

    Raises:
        CityFileError: it cannot be read, or is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        parsed = (
            json.loads(text)
            if path.suffix == ".geojson"
            else _parse_yaml(text, path.name)
        )
    except OSError as error:
        raise CityFileError([f"{path}: {error.strerror}"]) from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise CityFileError([f"{path.name}: {error}"]) from error
    if not isinstance(parsed, Mapping):
        raise CityFileError([f"{path.name}: needs a mapping"])
    return parsed


def _parse_yaml(text: str, name: str) -> Any:
    loader = _Loader(text)
    loader.name = name
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
