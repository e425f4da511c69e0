"""PURE: types, time windows and ranges; what is left are columns of canonical values, a block per device type.

Outside the hard range a value is refused; outside the plausible range it is kept and flagged.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from services.core.city.quality import SOURCE_WORDS, Quality
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile
from services.ingest.conversion import canonical
from services.ingest.forms import Form, Forms
from services.ingest.messages import (
    LARGEST_INTEGER,
    ForeignReading,
    Unusable,
    milliseconds,
)
from services.ingest.resolve import DEPENDS_ON_REGISTRY, Observed, Refused
from services.ingest.wording import (
    in_future,
    outside_hard_range,
    refused_value,
    spell,
    too_old,
    unknown_channel,
)

MISSING: Final = Quality.MISSING + 16 * Quality.MISSING
_ALL_BITS: Final = -1
_NAN: Final = float("nan")
_ONLY_FLOATS: Final = {float}
_LONGEST_DETAIL: Final = 500
_MOST_SENTENCES: Final = 10  # about one item's values; what follows is told shortly


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Items of one device type in the order they came. results: NaN where missing; quality: packed."""

    form: Form
    items: list[Observed]
    entries: NDArray[np.int32]  # [n]
    frame_ids: NDArray[np.int32]  # [n]
    times_ms: NDArray[np.int64]  # [n]
    results: NDArray[np.float64]  # [n, slots]
    quality: NDArray[np.uint8]  # [n, slots]
    revising: NDArray[np.bool_]  # [n]

    @classmethod
    def joined(cls, blocks: Sequence["Block"]) -> "Block":
        """One of several that have one form."""
        if len(blocks) == 1:
            return blocks[0]
        return cls(
            blocks[0].form,
            [item for block in blocks for item in block.items],
            np.concatenate([block.entries for block in blocks]),
            np.concatenate([block.frame_ids for block in blocks]),
            np.concatenate([block.times_ms for block in blocks]),
            np.concatenate([block.results for block in blocks]),
            np.concatenate([block.quality for block in blocks]),
            np.concatenate([block.revising for block in blocks]),
        )

    @property
    def is_by_person(self) -> bool:
        """A correction has a block of its own."""
        revised = np.flatnonzero(self.revising).tolist()
        return any(self.items[place].received.by is not None for place in revised)

    def take(self, rows: NDArray[np.bool_]) -> "Block":
        items = [self.items[place] for place in np.flatnonzero(rows).tolist()]
        return Block(
            self.form,
            items,
            self.entries[rows],
            self.frame_ids[rows],
            self.times_ms[rows],
            self.results[rows],
            self.quality[rows],
            self.revising[rows],
        )


@dataclass(slots=True)
class Checked:
    """doubtful: with a newer registry fewer values would perhaps be refused."""

    blocks: list[Block]
    refused: list[Refused]
    doubtful: bool


class Checker:
    """Holds what outlives a batch: the forms, and the last time given to items that have none."""

    def __init__(self) -> None:
        self._forms = Forms()
        self._given_times: dict[int, int] = {}  # frame id → Unix milliseconds

    def check(self, observed: Iterable[Observed], now_ms: int) -> Checked:
        sheets: dict[int, _Sheet] = {}
        refused: list[Refused] = []
        sheet = None
        for item in observed:
            if sheet is None or item.profile is not sheet.profile:
                sheet = self._sheet(sheets, item.profile, now_ms)
            time = item.reading.time
            if type(time) is int and sheet.oldest <= time <= sheet.newest:
                sheet.add(item, time)
                continue
            time_ms = self._time(item, now_ms)
            if isinstance(time_ms, Unusable):
                refused.append(_refused_item(item, time_ms))
            else:
                sheet.add(item, time_ms)
        blocks = [sheet.finish(refused) for sheet in sheets.values()]
        return Checked(
            [block for block in blocks if block.items],
            refused,
            any(sheet.is_doubtful for sheet in sheets.values()),
        )

    def _sheet(
        self, sheets: dict[int, "_Sheet"], profile: Profile, now_ms: int
    ) -> "_Sheet":
        form = self._forms.of(profile)
        sheet = sheets.get(id(form))
        if sheet is None:
            sheet = sheets[id(form)] = _Sheet(form, now_ms)
        return sheet

    def _time(self, item: Observed, now_ms: int) -> int | Unusable:
        profile, time = item.profile, item.reading.time
        if time is None:
            if not profile.server_time:
                return _TIME_MISSING
            reading = item.reading
            if not isinstance(reading, ForeignReading) or not reading.relative_ms:
                return self._given_time(item, now_ms)
            time_ms = now_ms + reading.relative_ms
        else:
            time_ms = milliseconds(time)
        if time_ms < now_ms - profile.max_age_ms:
            return Unusable(Reason.TOO_OLD, too_old(time_ms, profile))
        if time_ms > now_ms + profile.max_ahead_ms:
            return Unusable(Reason.IN_FUTURE, in_future(time_ms, profile))
        return time_ms

    def _given_time(self, item: Observed, now_ms: int) -> int:
        """Of an item without any: no two of a frame have the same."""
        given = max(now_ms, self._given_times.get(item.frame_id, 0) + 1)
        self._given_times[item.frame_id] = given
        return given


class ReplayChecker(Checker):
    """Gives an item without any time the same one whenever its message is read again, whatever became of the others."""

    @override
    def _given_time(self, item: Observed, now_ms: int) -> int:
        return now_ms + item.index


_TIME_MISSING: Final = Unusable(
    Reason.TIME_MISSING,
    'there is no "time", and devices of this type have to send one',
)


class _Sheet:
    """Items of one form while they are read. place: an item's row here. oldest, newest: times that are accepted."""

    def __init__(self, form: Form, now_ms: int) -> None:
        self._form = form
        self.profile = form.profile
        self.oldest = now_ms - form.profile.max_age_ms
        self.newest = now_ms + form.profile.max_ahead_ms
        self._items: list[Observed] = []
        self._times: list[int] = []
        self._rows: list[list[float]] = []
        self._flagged: list[int] = []
        self._revising: list[int] = []
        self._refusals: dict[int, list[_Refusal]] = {}

    def add(self, item: Observed, time_ms: int) -> None:
        reading, form = item.reading, self._form
        if reading.quality or reading.time_quality or reading.time is None:
            self._flagged.append(len(self._items))
        if reading.revises:
            self._revising.append(len(self._items))
        values = reading.values
        if (
            form.plain
            and tuple(values) == form.names
            and set(map(type, values.values())) == _ONLY_FLOATS
        ):
            self._rows.append(list(values.values()))  # type: ignore[arg-type] # just seen
        else:
            self._rows.append(self._read_each(item))
        self._items.append(item)
        self._times.append(time_ms)

    def _read_each(self, item: Observed) -> list[float]:
        form = self._form
        row = [_NAN] * form.width
        for channel, value in item.reading.values.items():
            if value is None:
                continue
            slot = form.slots.get(channel)
            if slot is None:
                self._refuse(item, channel, Reason.UNKNOWN_CHANNEL, value)
                continue
            number = form.readers[slot](value)
            if isinstance(number, Reason):
                self._refuse(item, channel, number, value)
            else:
                row[slot] = number
        return row

    def _refuse(
        self, item: Observed, channel: str, reason: Reason, value: object
    ) -> None:
        refusals = self._refusals.setdefault(len(self._items), [])
        profile = self._form.profile
        if len(refusals) >= _MOST_SENTENCES:
            said = f"{spell(channel)} is refused as well"
        elif isinstance(value, Unusable):
            reason, said = value.reason, value.detail
        elif reason is Reason.UNKNOWN_CHANNEL:
            device = item.reading.device or item.received.publisher
            said = unknown_channel(device, profile, channel)
        else:
            said = refused_value(profile, channel, reason, value)
        refusals.append(_Refusal(channel, reason, said))

    @property
    def is_doubtful(self) -> bool:
        return any(
            refusal.reason in DEPENDS_ON_REGISTRY
            for refusals in self._refusals.values()
            for refusal in refusals
        )

    def finish(self, refused: list[Refused]) -> Block:
        """The block of what can be stored; what cannot goes to refused."""
        results = self._canonical()
        self._refuse_outside(results)
        missing = np.isnan(results)
        quality = self._quality(results)
        quality[missing] = MISSING
        kept: NDArray[np.bool_] = np.logical_not(missing.all(axis=1))
        lost = np.flatnonzero(~kept).tolist()
        for place in sorted({*self._refusals, *lost}):
            refusals = self._refusals.get(place, [])
            refused += _refused(
                self._items[place], refusals, whole=not kept[place].item()
            )
        items = self._items
        revising = np.zeros(len(items), np.bool_)
        revising[self._revising] = True
        block = Block(
            self._form,
            items,
            np.array([item.entry for item in items], np.int32),
            np.array([item.frame_id for item in items], np.int32),
            np.array(self._times, np.int64),
            results,
            quality,
            revising,
        )
        return block.take(kept) if lost else block

    def _canonical(self) -> NDArray[np.float64]:
        form, profile = self._form, self._form.profile
        results = np.array(self._rows, np.float64).reshape(-1, form.width)
        if (slots := form.scaled).size:
            results[:, slots] = canonical(
                results[:, slots], profile.factor[slots], profile.addend[slots]
            )
        return results

    def _refuse_outside(self, results: NDArray[np.float64]) -> None:
        profile = self._form.profile
        outside = (results < profile.hard_min) | (results > profile.hard_max)
        outside |= np.isinf(results)
        if not outside.any():
            return
        names = {slot: name for name, slot in self._form.slots.items()}
        for place, slot in np.argwhere(outside).tolist():
            sent, result = self._rows[place][slot], float(results[place, slot])
            said = outside_hard_range(profile, names[slot], sent, result)
            self._refusals.setdefault(place, []).append(
                _Refusal(names[slot], Reason.RANGE, said)
            )
        results[outside] = np.nan

    def _quality(self, results: NDArray[np.float64]) -> NDArray[np.uint8]:
        profile = self._form.profile
        check = np.full(results.shape, Quality.GOOD, np.uint8)
        source = np.full(results.shape, Quality.GOOD, np.uint8)
        implausible = (results < profile.plausible_min) | (
            results > profile.plausible_max
        )
        for slot, known in self._form.known_bits.items():
            implausible[:, slot] |= _has_unknown_bits(results[:, slot], known)
        check[implausible] = Quality.SUSPECT
        for place in self._flagged:
            self._flag(place, source[place], check[place])
        return source + (check << 4)

    def _flag(
        self, place: int, source: NDArray[np.uint8], check: NDArray[np.uint8]
    ) -> None:
        """What the device says of its own values and clock; a time of ours was not checked at all."""
        reading = self._items[place].reading
        for channel, word in (reading.quality or {}).items():
            if (slot := self._form.slots.get(channel)) is not None:
                source[slot] = SOURCE_WORDS.get(word, Quality.UNKNOWN)
        if reading.time_quality == "unsynced":
            np.maximum(source, np.uint8(Quality.SUSPECT), out=source)
        if reading.time is None:
            np.maximum(check, np.uint8(Quality.UNKNOWN), out=check)


@dataclass(frozen=True, slots=True)
class _Refusal:
    channel: str
    reason: Reason
    said: str


def _refused(
    item: Observed, refusals: list[_Refusal], *, whole: bool
) -> Iterator[Refused]:
    """Of an item that is stored, each refused value; else the item, with the reason that all its values share."""
    if not whole:
        for refusal in refusals:
            yield _refused_value(item, refusal.channel, refusal.reason, refusal.said)
        return
    reasons = {refusal.reason for refusal in refusals}
    detail = "; ".join(refusal.said for refusal in refusals)
    yield Refused(
        item.entry,
        "item",
        reasons.pop() if len(reasons) == 1 else Reason.EMPTY,
        detail[:_LONGEST_DETAIL] or 'there is no value in "values"',
        item.received,
        item.index,
        item.reading.device,
        refusals[0].channel if len(refusals) == 1 else None,
    )


def _refused_item(item: Observed, why: Unusable) -> Refused:
    return Refused(
        item.entry,
        "item",
        why.reason,
        why.detail,
        item.received,
        item.index,
        item.reading.device,
    )


def _refused_value(item: Observed, channel: str, reason: Reason, said: str) -> Refused:
    return Refused(
        item.entry,
        "value",
        reason,
        said,
        item.received,
        item.index,
        item.reading.device,
        channel,
    )


def _has_unknown_bits(values: NDArray[np.float64], known: int) -> NDArray[np.bool_]:
    there = ~np.isnan(values)
    fits = np.abs(values) <= LARGEST_INTEGER
    words = np.where(there, np.where(fits, values, _ALL_BITS), 0).astype(np.int64)
    unknown: NDArray[np.bool_] = (words & ~np.int64(known)) != 0
    return unknown
