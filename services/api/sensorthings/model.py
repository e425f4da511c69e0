"""PURE: what an entity set is made of: properties, columns to ask by, navigation to other sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from services.core.city.language import Language

Row = Mapping[str, Any]
Schema = Mapping[str, Any]

ROOT: Final = "/sta/v1.1"


class Kind(StrEnum):
    """What a value of a filter is; integers are numbers that fit an index."""

    INTEGER = "an integer"
    NUMBER = "a number"
    TEXT = "a text"
    TIME = "a time"
    TRUTH = "true or false"


@dataclass(frozen=True, slots=True)
class Voice:
    """How an answer speaks. base: the address of the service root as the client sees it, no slash at its end."""

    language: Language
    base: str

    def address(self, entity_set: str, entity_id: int) -> str:
        return f"{self.base}/{entity_set}({entity_id})"


@dataclass(frozen=True, slots=True)
class Column:
    """SQL of one value; {e} is the row, {lang} and {base} are bound parameters. Never NULL where it can be ordered by."""

    sql: str
    kind: Kind
    sortable: bool = True


@dataclass(frozen=True, slots=True)
class Property:
    """columns: what may be asked of it, by the path below it; "" is the property itself."""

    name: str
    say: Callable[[Row, Voice], Any]
    schema: Schema
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Navigation:
    """Rows of the target whose column `theirs` is this row's column `own`. hidden: only for our own questions."""

    name: str
    target: str
    many: bool
    own: str
    theirs: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class EntitySet:
    """table: of services.api.sensorthings.tables; a row has at least an id."""

    name: str
    singular: str
    table: str
    properties: tuple[Property, ...]
    navigations: tuple[Navigation, ...]

    def find_property(self, name: str) -> Property | None:
        return next((one for one in self.properties if one.name == name), None)

    def find_link(self, name: str) -> Navigation | None:
        return next((one for one in self.links if one.name == name), None)

    @property
    def links(self) -> tuple[Navigation, ...]:
        return tuple(one for one in self.navigations if not one.hidden)

    @property
    def columns(self) -> dict[str, Column]:
        """By path, such as `name` or `properties/key`."""
        found = {"id": ID, "@iot.id": ID}
        for one in self.properties:
            for below, column in one.columns.items():
                found[f"{one.name}/{below}" if below else one.name] = column
        return found


ID: Final = Column("{e}.id", Kind.INTEGER)
