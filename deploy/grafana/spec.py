"""PURE: what a dashboard is made of: one description a panel, from which build.py makes Grafana's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from deploy.grafana.units import PLAIN
from services.core.city.catalogue import Domain
from services.core.city.entities import City
from services.core.city.language import Language, Text

FULL_WIDTH: Final = 24  # Grafana's grid has 24 columns


class Shape(StrEnum):
    CHART = "chart"  # columns: time, metric (text), value
    STATES = "states"  # the same; values are codes
    FIGURE = "figure"  # one row, one number
    BARS = "bars"  # text, number
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on, this colour; None: from below everything."""

    value: float | None
    colour: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a state, by the name people read."""

    value: int
    name: str
    abnormal: bool


@dataclass(frozen=True, slots=True)
class Look:
    """column_units, severities: by a table's column, and which of them is a severity."""

    unit: str = PLAIN
    steps: tuple[Step, ...] = ()
    codes: tuple[Code, ...] = ()
    stacked: bool = False
    decimals: int | None = None
    column_units: Mapping[str, str] = field(default_factory=dict)
    severity_column: str = ""
    asset_column: str = ""  # holds keys of things; leads to the dashboard of one asset


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    shape: Shape
    sql: str
    width: int
    look: Look = Look()
    note: str = ""
    height: int = 8


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top; sql gives __text and __value. many: several or all of them."""

    name: str
    label: str
    sql: str
    many: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """since: how far back it looks at first, as Grafana writes it (6h)."""

    uid: str
    title: str
    note: str
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    annotations: str = ""  # SQL: time, timeend, text, tags
    since: str = "6h"
    refresh: str = "10s"


@dataclass(frozen=True, slots=True)
class Setting:
    """Which city's dashboards, in which language."""

    city: City
    language: Language

    def say(self, text: Text) -> str:
        return text.in_language(self.language)

    def properties(self, *domains: Domain) -> list[str]:
        """Keys of what these domains measure, without what households measure, in the catalogue's order."""
        return [
            key
            for key, entry in self.city.catalogue.items()
            if entry.domain in domains and entry.privacy != "household"
        ]

    def knows(self, *properties: str) -> bool:
        return all(key in self.city.catalogue for key in properties)
