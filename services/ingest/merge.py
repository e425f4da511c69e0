"""PURE: what becomes of items that are not newer than all that is stored of their frame.

Slot by slot: an empty slot is filled, an equal value is a duplicate, another value keeps the first one
(conflict) unless the item revises it. Of a state every transition counts: it moves on by a millisecond.
A value that was known there before is a duplicate, too: an old delivery undoes nothing. A person may set it back.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

from services.core.city.quality import Quality, check_of, pack, source_of
from services.core.storage.log_batch import ItemFlag

Key = tuple[int, int]  # frame id, Unix milliseconds
Values = dict[int, float]  # by slot
Place = tuple[int, int, int]  # frame id, Unix milliseconds, slot
# By value the packed qualities that it had; None: not kept.
Known = dict[float, list[int | None]]

_MOST_STEPS: Final = 1000  # milliseconds that a transition may move on
_MISSING: Final = pack(Quality.MISSING, Quality.MISSING)


class Fate(IntEnum):
    """Of an item; one that met several fates has the first of them."""

    STORED = 0  # has a row of its own
    MERGED = 1  # filled or corrected slots of a row that was there
    DUPLICATE = 2
    REJECTED = 3


@dataclass(frozen=True, slots=True)
class LateItem:
    """results and quality are by slot, NaN where missing. newest_ms: of its frame before this batch, if known.

    by_person: no device's word, which may come again at any time, but somebody's decision.
    """

    entry: int
    frame_id: int
    time_ms: int
    results: Sequence[float]
    quality: Sequence[int]
    states: frozenset[int]
    publisher: str
    revises: bool = False
    newest_ms: int | None = None
    by_person: bool = False
    second_hand: bool = False

    def repeats(self, slot: int, quality: int | None) -> bool:
        """Whether its value adds nothing to the same one of that quality: a revision may add the source's quality."""
        if not self.revises or quality is None:
            return True
        return source_of(self.quality[slot]) is source_of(quality)


@dataclass(slots=True)
class Row:
    """A row as stored, or as it will be. changed: it has to be written."""

    results: list[float]
    quality: list[int]
    changed: bool = False

    def at(self, slot: int) -> float:
        """NaN: nothing there, or the row is from before the device type had this slot."""
        return self.results[slot] if slot < len(self.results) else math.nan

    def put(self, item: LateItem, values: Values) -> None:
        more = len(item.results) - len(self.results)
        self.results += [math.nan] * more
        self.quality += [_MISSING] * more
        for slot, value in values.items():
            self.quality[slot] = self.quality_with(item, slot)
            self.results[slot] = value
        self.changed = True

    def quality_with(self, item: LateItem, slot: int) -> int:
        """What it will be: of an unchanged value what our checks found stays, and the source's word alone is new."""
        said = item.quality[slot]
        if self.at(slot) != item.results[slot]:
            return said
        return pack(source_of(said), check_of(self.quality[slot]))


@dataclass(frozen=True, slots=True)
class Effect:
    """What an item did to one row, as the event log tells it: only the values that it brought there."""

    frame_id: int
    time_ms: int
    flags: ItemFlag
    results: list[float]
    quality: list[int]


@dataclass(frozen=True, slots=True)
class Change:
    """Qualities are packed; old_quality None: there was nothing."""

    frame_id: int
    slot: int
    time_ms: int
    old: float | None
    new: float
    who: str
    why: Literal["merged", "corrected"]
    old_quality: int | None
    new_quality: int


@dataclass(frozen=True, slots=True)
class Conflict:
    entry: int
    slot: int
    sent: float
    stored: float | None  # None: too many transitions at one time


@dataclass(slots=True)
class Merged:
    """rows: every row that was looked at, by key; changed ones are to be written."""

    rows: dict[Key, Row] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)  # by entry


class RowsNeededError(Exception):
    """The merge has to see these rows, and what was known before at these places: load it and merge again."""

    def __init__(self, keys: set[Key], past: set[Place]) -> None:
        super().__init__(f"{len(keys)} rows, the past of {len(past)} places")
        self.keys = keys
        self.past = past


def merge(
    stored: Mapping[Key, Row | None],
    items: Iterable[LateItem],
    past: Mapping[Place, Known],
) -> Merged:
    """Merge items in their order into stored rows (None: there is no such row), which stay untouched.

    past: what changes have told so far, old and new; asked for only where something else is stored.

    Raises:
        RowsNeededError: stored does not tell about a row, or past about a place.
    """
    merging = _Merging(stored, past)
    for item in items:
        merging.add(item)
    if merging.needed or merging.past_needed:
        raise RowsNeededError(merging.needed, merging.past_needed)
    return merging.merged


class _Merging:
    def __init__(
        self, stored: Mapping[Key, Row | None], past: Mapping[Place, Known]
    ) -> None:
        self._stored = stored
        self._past = past
        self._told: dict[Place, Known] = {}  # by this batch's own changes
        self.merged = Merged()
        self.needed: set[Key] = set()
        self.past_needed: set[Place] = set()

    def add(self, item: LateItem) -> None:
        values = {
            slot: value
            for slot, value in enumerate(item.results)
            if not math.isnan(value)
        }
        fates = set()
        for time_ms in range(item.time_ms, item.time_ms + _MOST_STEPS):
            key = (item.frame_id, time_ms)
            if key not in self.merged.rows and key not in self._stored:
                # A chain of transitions is followed in doubling steps, not row by row.
                step = 2 * (time_ms - item.time_ms) + 1
                self.needed |= {
                    (item.frame_id, time_ms + ahead) for ahead in range(step)
                }
                return
            fate, values = self._bring(item, key, values)
            fates.add(fate)
            if not values:
                break
        self._conflict(item, values, None)
        self.merged.fates[item.entry] = min(fates)

    def _bring(self, item: LateItem, key: Key, values: Values) -> tuple[Fate, Values]:
        """Bring values to a row; returns with the transitions that have to move on."""
        row = self._row(key)
        if row is None:
            row = self.merged.rows[key] = Row([], [])
            self._put(item, key, values, ItemFlag.NEW)
            return Fate.STORED, {}
        sorted_out = self._sort_out(item, key, row, values)
        self._conflict(item, sorted_out.conflicting, row)
        self._note_changes(item, key, sorted_out.filled, "merged")
        self._note_changes(item, key, sorted_out.corrected, "corrected")
        if brought := sorted_out.filled | sorted_out.corrected:
            self._put(item, key, brought, sorted_out.flags)
            return Fate.MERGED, sorted_out.moving_on
        fate = Fate.DUPLICATE if sorted_out.equal else Fate.REJECTED
        return fate, sorted_out.moving_on

    def _row(self, key: Key) -> Row | None:
        row = self.merged.rows.get(key)
        if row is None and (stored := self._stored[key]) is not None:
            row = Row(list(stored.results), list(stored.quality))
            self.merged.rows[key] = row
        return row

    def _put(self, item: LateItem, key: Key, values: Values, flags: ItemFlag) -> None:
        row, brought = self.merged.rows[key], Row([], [])
        row.put(item, values)
        if item.newest_ms is not None and key[1] < item.newest_ms:
            flags |= ItemFlag.LATE
        if item.second_hand:
            flags |= ItemFlag.SECOND_HAND
        brought.put(item, values)
        for slot in values:
            brought.quality[slot] = row.quality[slot]
        self.merged.effects.append(
            Effect(*key, flags, brought.results, brought.quality)
        )

    def _note_changes(
        self,
        item: LateItem,
        key: Key,
        values: Values,
        why: Literal["merged", "corrected"],
    ) -> None:
        row = self.merged.rows[key]
        for slot, new in values.items():
            told = self._told.setdefault((*key, slot), {})
            old, old_quality = None, None
            if not math.isnan(row.at(slot)):
                old, old_quality = row.at(slot), row.quality[slot]
                told.setdefault(old, []).append(old_quality)
            new_quality = row.quality_with(item, slot)
            told.setdefault(new, []).append(new_quality)
            self.merged.changes.append(
                Change(
                    frame_id=key[0],
                    slot=slot,
                    time_ms=key[1],
                    old=old,
                    new=new,
                    who=item.publisher,
                    why=why,
                    old_quality=old_quality,
                    new_quality=new_quality,
                )
            )

    def _conflict(self, item: LateItem, values: Values, row: Row | None) -> None:
        self.merged.conflicts += (
            Conflict(item.entry, slot, value, None if row is None else row.at(slot))
            for slot, value in values.items()
        )

    def _sort_out(
        self, item: LateItem, key: Key, row: Row, values: Values
    ) -> "_SortedOut":
        sorted_out = _SortedOut()
        for slot, value in values.items():
            stored = row.at(slot)
            if math.isnan(stored):
                place = sorted_out.filled
            elif (
                stored == value and item.repeats(slot, row.quality[slot])
            ) or self._was_known(item, (*key, slot)):
                place = sorted_out.equal
            elif item.revises:
                place = sorted_out.corrected
            elif slot in item.states:
                place = sorted_out.moving_on
            else:
                place = sorted_out.conflicting
            place[slot] = value
        return sorted_out

    def _was_known(self, item: LateItem, place: Place) -> bool:
        """Whether changes told of its value; all places that have to be asked for are gathered first."""
        if item.by_person:
            return False
        frame_id, time_ms, slot = place
        value = item.results[slot]
        qualities = self._told.get(place, {}).get(value, [])
        if self._stored.get((frame_id, time_ms)) is not None:
            if place not in self._past:
                self.past_needed.add(place)
            qualities = qualities + self._past.get(place, {}).get(value, [])
        return any(item.repeats(slot, quality) for quality in qualities)


@dataclass(slots=True)
class _SortedOut:
    """Values by what is to be done with them."""

    filled: Values = field(default_factory=dict)
    corrected: Values = field(default_factory=dict)
    equal: Values = field(default_factory=dict)
    moving_on: Values = field(default_factory=dict)
    conflicting: Values = field(default_factory=dict)

    @property
    def flags(self) -> ItemFlag:
        merged = ItemFlag.MERGED if self.filled else ItemFlag(0)
        return merged | (ItemFlag.CORRECTED if self.corrected else ItemFlag(0))
