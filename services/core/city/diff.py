"""PURE: what a city file would change in a registry, and what it may not change."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.core.city.records import Record, Records, Section, channel_key


class Action(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    REPLACED = "replaced"  # its meaning changed: the old one is retired, one of the same key is created
    RESTORED = "restored"  # it was retired
    RETIRED = "retired"
    VANISHED = "vanished"  # no longer in the file, left as it is


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry has under a key."""

    record: Record
    retired: bool = False


Registry = Mapping[Section, Mapping[str, Known]]


@dataclass(frozen=True, slots=True)
class Change:
    """old and new: of a changed entity only the fields that differ."""

    section: Section
    key: str
    action: Action
    old: Record | None = None
    new: Record | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "entity": self.section.value,
            "key": self.key,
            "action": self.action.value,
            "old": None if self.old is None else dict(self.old),
            "new": None if self.new is None else dict(self.new),
        }


@dataclass(frozen=True, slots=True)
class CityDiff:
    changes: tuple[Change, ...]
    unchanged: Mapping[Section, int]

    @property
    def writes(self) -> bool:
        return any(change.action is not Action.VANISHED for change in self.changes)

    def keys(self, section: Section, *actions: Action) -> list[str]:
        return [
            change.key
            for change in self.changes
            if change.section is section and change.action in actions
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """By entity, then by action, `unchanged` among them."""
        found = Counter((change.section, change.action) for change in self.changes)
        return {
            section.value: {
                **{action.value: found[section, action] for action in Action},
                "unchanged": self.unchanged[section],
            }
            for section in Section
        }


# Another one of these is another quantity: what is stored keeps its datastream, what comes gets a new one.
_DEFINING: Final[dict[Section, frozenset[str]]] = {
    Section.CHANNEL: frozenset(
        {"observed_property", "unit", "factor", "addend", "sampling", "sampling_ms"}
    ),
    Section.DATASTREAM: frozenset({"observed_property", "sampling", "sampling_ms"}),
}


def compare(wanted: Records, registry: Registry, *, retire: bool) -> CityDiff:
    """retire: what is in the registry and not in the file is retired, not only reported."""
    changes: list[Change] = []
    unchanged: dict[Section, int] = {}
    rescaled: set[str] = set()
    for section in Section:
        found = list(_section(section, wanted[section], registry[section], rescaled))
        unchanged[section] = len(wanted[section]) - len(found)
        changes += found
        changes += _gone(section, wanted[section], registry[section], retire=retire)
        if section is Section.CHANNEL:
            rescaled = {
                change.key for change in found if change.action is Action.REPLACED
            }
    return CityDiff(tuple(changes), unchanged)


def _section(
    section: Section,
    wanted: Mapping[str, Record],
    known: Mapping[str, Known],
    rescaled: set[str],
) -> Iterator[Change]:
    for key, record in wanted.items():
        now = known.get(key)
        if now is None:
            yield Change(section, key, Action.CREATED, new=record)
            continue
        fields = {
            field for field, value in record.items() if now.record[field] != value
        }
        if fields & _DEFINING.get(section, frozenset()) or _is_rescaled(
            section, now.record, record, rescaled
        ):
            yield Change(section, key, Action.REPLACED, now.record, record)
        elif now.retired or fields:
            yield Change(
                section,
                key,
                Action.RESTORED if now.retired else Action.CHANGED,
                {field: now.record[field] for field in record if field in fields},
                {field: record[field] for field in record if field in fields},
            )


def _is_rescaled(
    section: Section, now: Record, record: Record, rescaled: set[str]
) -> bool:
    """Whether a datastream's device stays of its type and the type's channel means something else."""
    return (
        section is Section.DATASTREAM
        and now["device_type"] in (None, record["device_type"])
        and channel_key(record["device_type"], record["channel"]) in rescaled
    )


def _gone(
    section: Section,
    wanted: Mapping[str, Record],
    known: Mapping[str, Known],
    *,
    retire: bool,
) -> Iterator[Change]:
    for key, now in known.items():
        if key not in wanted and not now.retired:
            yield Change(
                section,
                key,
                Action.RETIRED if retire else Action.VANISHED,
                old=now.record,
            )


def refusals(wanted: Records, registry: Registry) -> list[str]:
    """What a city file may not do to a registry: be another city, or give what is stored another meaning."""
    problems = [
        f"city: the registry holds {key!r}; one installation is one city"
        for key in registry[Section.CITY]
        if key not in wanted[Section.CITY]
    ]
    for key, known in registry[Section.OBSERVED_PROPERTY].items():
        record = wanted[Section.OBSERVED_PROPERTY].get(key)
        if record:
            problems += [
                f"{key}: {reason}" for reason in _new_meanings(known.record, record)
            ]
    return problems


def _new_meanings(now: Record, record: Record) -> Iterator[str]:
    for field in ("kind", "unit"):
        if now[field] != record[field]:
            yield (
                f"its {field} is {now[field]} and values are stored so; "
                f"{record[field]} needs an observed property of another key"
            )
    codes = {code["value"]: code["key"] for code in record["codes"]}
    for code in now["codes"]:
        if codes.get(code["value"]) != code["key"]:
            yield f"code {code['value']} means {code['key']!r} in what is stored; codes are added, never changed"
