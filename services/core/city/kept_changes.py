"""PURE: what people changed of what a city file describes: kept as long as the file says what it said then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.core.city.records import Record, Records, Section


@dataclass(frozen=True, slots=True)
class OperatorChange:
    """file_value: what the registry held before the first change, which is what the file said."""

    section: Section
    key: str
    field: str
    file_value: Any
    value: Any
    by: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "entity": self.section.value,
            "key": self.key,
            "field": self.field,
            "file_value": self.file_value,
            "value": self.value,
            "by": self.by,
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """wanted: with the kept values in it. over: the file has another word on it now, which counts."""

    wanted: Records
    kept: tuple[OperatorChange, ...]
    over: tuple[OperatorChange, ...]


def keep_changes(wanted: Records, changes: Iterable[OperatorChange]) -> Kept:
    """What the file does not speak of at all is left to how vanished things are treated."""
    kept: list[OperatorChange] = []
    over: list[OperatorChange] = []
    sections: dict[Section, dict[str, Record]] = {}
    for change in changes:
        held = sections.setdefault(change.section, dict(wanted[change.section]))
        record = held.get(change.key)
        if record is None:
            continue
        if record[change.field] == change.file_value:
            held[change.key] = _with(record, change)
            kept.append(change)
        else:
            over.append(change)
    return Kept({**wanted, **sections}, tuple(kept), tuple(over))


def _with(record: Record, change: OperatorChange) -> Mapping[str, Any]:
    return {**record, change.field: change.value}
