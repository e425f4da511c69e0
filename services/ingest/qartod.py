"""PURE: QARTOD's tests that need to know what came before: rate of change, spike, flat line; and the clock's.

They set flags and refuse nothing. The gross range test is in check, which sees one item at a time.
Source: QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, version 2.1, IOOS
2020, tests 1, 6, 7 and 8. Test 6 (spike) is made causal: the value is compared with the median of the three before
it, so that it is flagged as it arrives; a step is flagged for two values and then believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.city.quality import Quality
from services.ingest.check import Block

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

_BEFORE: Final = 3  # values that a spike is compared with
_LONGEST_PAUSE: Final = 3  # periods between two values of one flat line
_NEVER: Final = np.iinfo(np.int64).min
_NONE: Final = -1
_CHECK: Final = 4  # bits above the source's flag


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is remembered of series. recent: the last three values, oldest first, NaN where there was none."""

    series: Int64  # [n, k]
    recent: Float64  # [3, n, k]
    time_ms: Int64  # [n, k]
    run_ms: Int64  # [n, k] since when the newest value has been the same


class PastChecks:
    """What the tests remember of each series (a slot of a frame that has limits). After a restart it begins anew."""

    def __init__(self) -> None:
        self._first = np.full(1024, _NONE, np.int64)  # by frame id: its first series
        self._checked: dict[int, tuple[int, ...]] = {}  # by device type: its slots
        self._known = Known(
            np.empty(0, np.int64),
            np.empty((_BEFORE, 0)),
            np.empty(0, np.int64),
            np.empty(0, np.int64),
        )
        self._end = 0

    def flag(self, blocks: Sequence[Block], now_ms: int) -> list[Known]:
        """Raise the quality of what does not pass to suspect, in place; what is then to be remembered once it is stored.

        To flag the same blocks again changes nothing. What a person says is neither flagged nor remembered.
        """
        by_type: dict[int, list[Block]] = {}
        for block in blocks:
            if block.is_by_person:
                continue
            _flag_clock(block, now_ms)
            if len(block.form.checked) and len(block.frame_ids):
                by_type.setdefault(block.form.profile.device_type_id, []).append(block)
        self._begin_anew_when_limits_moved(by_type)
        return [
            known for one in by_type.values() if (known := self._flag(_Values.of(one)))
        ]

    def advance(self, known: Sequence[Known]) -> None:
        """This is stored now."""
        for one in known:
            self._known.recent[:, one.series] = one.recent
            self._known.time_ms[one.series] = one.time_ms
            self._known.run_ms[one.series] = one.run_ms

    def _flag(self, values: "_Values") -> Known | None:
        first = self._first_series(values.frame_ids, len(values.slots))
        sheet = values.in_order(first)
        if not sheet.is_plain(self._known.time_ms):
            sheet = sheet.value_by_value(self._known.time_ms)
        if not len(sheet.time_ms):
            return None
        line = _Line(sheet, self._known)
        suspect = line.too_fast() | line.spikes() | line.flat()
        for row, column in np.argwhere(suspect).tolist():
            values.suspect(int(sheet.row[row]), int(sheet.slot[row, column]))
        return line.ends()

    def _begin_anew_when_limits_moved(self, blocks: dict[int, list[Block]]) -> None:
        """Other slots of a type than before have limits: its frames' series would no longer fit."""
        slots = {
            type_id: tuple(of_type[0].form.checked.tolist())
            for type_id, of_type in blocks.items()
        }
        if any(self._checked.get(one, slots[one]) != slots[one] for one in slots):
            self._checked.clear()
            self._first[:] = _NONE
            self._end = 0
        self._checked |= slots

    def _first_series(self, frame_ids: NDArray[np.int32], slots: int) -> Int64:
        """[n] of each item's frame; frames that are new get theirs."""
        more = int(frame_ids.max()) + 1 - len(self._first)
        if more > 0:
            fresh = np.full(max(more, len(self._first)), _NONE, np.int64)
            self._first = np.concatenate((self._first, fresh))
        first = self._first[frame_ids]
        if (unmet := first == _NONE).any():
            new = np.unique(frame_ids[unmet])
            self._first[new] = self._end + slots * np.arange(len(new))
            self._make_room(self._end, self._end + slots * len(new))
            first = self._first[frame_ids]
        return first

    def _make_room(self, begin: int, end: int) -> None:
        known = self._known
        more = end - len(known.time_ms)
        if more > 0:
            more = max(more, len(known.time_ms) // 2, 1024)
            room = np.empty(more, np.int64)
            known = self._known = Known(
                known.series,
                np.concatenate((known.recent, np.empty((_BEFORE, more))), axis=1),
                np.concatenate((known.time_ms, room)),
                np.concatenate((known.run_ms, room)),
            )
        known.recent[:, begin:end] = np.nan
        known.time_ms[begin:end] = known.run_ms[begin:end] = _NEVER
        self._end = end


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The checked slots of all blocks of one device type. ends: of each block in the rows."""

    blocks: Sequence[Block]
    ends: Int64
    slots: Int64  # [k]
    limits: Float64  # [3, k] of rate (1/s), spike, flat line (ms)
    longest_pause_ms: int
    frame_ids: NDArray[np.int32]  # [n]
    times_ms: Int64  # [n]
    results: Float64  # [n, k]

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "_Values":
        form = blocks[0].form
        return cls(
            blocks,
            np.cumsum([len(block.frame_ids) for block in blocks]),
            form.checked,
            form.limits[:, form.checked],
            _LONGEST_PAUSE * form.profile.period_ms,
            np.concatenate([block.frame_ids for block in blocks]),
            np.concatenate([block.times_ms for block in blocks]),
            np.concatenate([block.results[:, form.checked] for block in blocks]),
        )

    def in_order(self, first: Int64) -> "_Sheet":
        """By series and time; of the same time, in the order they came."""
        order = np.lexsort((self.times_ms, first))
        columns = np.arange(len(self.slots))
        shape = (len(order), len(columns))
        return _Sheet(
            series=first[order, None] + columns,
            time_ms=self.times_ms[order],
            value=self.results[order],
            limits=self.limits[:, None, :],
            longest_pause_ms=self.longest_pause_ms,
            row=order,
            slot=np.broadcast_to(self.slots, shape),
        )

    def suspect(self, row: int, slot: int) -> None:
        number = int(np.searchsorted(self.ends, row, side="right"))
        block = self.blocks[number]
        at = (row - int(self.ends[number]) + len(block.frame_ids), slot)
        block.quality[at] = _suspected(block.quality[at])


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """Rows in order of their first series and of time. row, slot: where a value stands in _Values."""

    series: Int64  # [n, k]
    time_ms: Int64  # [n]
    value: Float64  # [n, k]
    limits: Float64  # [3, n or 1, k]
    longest_pause_ms: int
    row: Int64  # [n]
    slot: Int64  # [n, k]

    def is_plain(self, known_ms: Int64) -> bool:
        """Nothing is missing, late or repeated: a row's values have the same past."""
        follows = self.series[1:, 0] == self.series[:-1, 0]
        rises = self.time_ms[1:] > self.time_ms[:-1]
        rises &= self.row[1:] > self.row[:-1]
        return not (
            np.isnan(self.value).any()
            or (follows & ~rises).any()
            or (self.time_ms[:, None] <= known_ms[self.series]).any()
        )

    def value_by_value(self, known_ms: Int64) -> "_Sheet":
        """Of one column, without what is missing, late or repeated."""
        news = self.time_ms[:, None] > known_ms[self.series]
        rows, columns = np.nonzero(news & ~np.isnan(self.value))
        series, time_ms = self.series[rows, columns], self.time_ms[rows]
        order = np.lexsort((self.row[rows], series))
        kept = order[_rising(series[order], time_ms[order])]
        at = (rows[kept], columns[kept])
        return _Sheet(
            series=series[kept, None],
            time_ms=time_ms[kept],
            value=self.value[at][:, None],
            limits=self.limits[:, 0, at[1]][:, :, None],
            longest_pause_ms=self.longest_pause_ms,
            row=self.row[at[0]],
            slot=self.slot[at][:, None],
        )


class _Line:
    """The rows of each series, one below the other, under the three that were there before: all tests look back only."""

    def __init__(self, sheet: _Sheet, known: Known) -> None:
        head = sheet.series[:, 0]
        begins = np.flatnonzero(np.concatenate(([True], head[1:] != head[:-1])))
        counts = np.diff(np.append(begins, len(head)))
        ends = np.cumsum(counts + _BEFORE)
        before = ends - counts - _BEFORE + np.arange(_BEFORE)[:, None]  # [3, series]
        self._is_before = np.zeros(int(ends[-1]), np.bool_)
        self._is_before[before] = True
        self._at = np.flatnonzero(~self._is_before)
        self._limits, self._longest_pause_ms = sheet.limits, sheet.longest_pause_ms
        self._ends, self._series = ends, sheet.series[begins]
        shape = (int(ends[-1]), sheet.series.shape[1])
        self._value, self._time_ms = np.empty(shape), np.empty(shape, np.int64)
        self._value[before] = known.recent[:, self._series]
        self._value[self._at] = sheet.value
        self._time_ms[before] = known.time_ms[self._series]
        self._time_ms[self._at] = sheet.time_ms[:, None]
        self._run_ms = self._runs(before[-1], known.run_ms[self._series])

    def too_fast(self) -> Bools:
        """Test 7, rate of change."""
        step = np.abs(self._value[self._at] - self._value[self._at - 1])
        seconds = (self._time_ms[self._at] - self._time_ms[self._at - 1]) / 1000
        with np.errstate(invalid="ignore"):
            fast: Bools = step > self._limits[0] * seconds
        return fast

    def spikes(self) -> Bools:
        """Test 6, against the median of the three before; fewer than three say nothing."""
        a, b, c = (self._value[self._at - back] for back in (1, 2, 3))
        median = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
        with np.errstate(invalid="ignore"):
            spikes: Bools = np.abs(self._value[self._at] - median) > self._limits[1]
        return spikes

    def flat(self) -> Bools:
        """Test 8, flat line: the very same value for too long, without a pause: what was not measured repeats nothing."""
        same_ms = self._time_ms[self._at] - self._run_ms[self._at]
        flat: Bools = same_ms >= self._limits[2]
        return flat

    def ends(self) -> Known:
        last = self._ends - 1
        recent = self._value[last + np.arange(1 - _BEFORE, 1)[:, None]]
        return Known(self._series, recent, self._time_ms[last], self._run_ms[last])

    def _runs(self, newest: Int64, known_ms: Int64) -> Int64:
        """Since when each value has been the same. newest: the rows of what was there before."""
        begins = np.ones(self._value.shape, np.bool_)
        np.not_equal(self._value[1:], self._value[:-1], out=begins[1:])
        begins[1:] |= np.diff(self._time_ms, axis=0) > self._longest_pause_ms
        begins[self._is_before] = True
        since = np.where(begins, self._time_ms, _NEVER)
        since[newest] = known_ms
        rows = np.arange(len(begins))[:, None]
        place = np.maximum.accumulate(np.where(begins, rows, 0), axis=0)
        return np.take_along_axis(since, place, axis=0)


def _rising(series: Int64, time_ms: Int64) -> Bools:
    """[n] of values in order of series and arrival: whether each is newer than all of its series that came before."""
    rank = np.searchsorted(np.unique(time_ms), time_ms)
    height = np.searchsorted(np.unique(series), series) * (len(series) + 1) + rank
    rising = np.ones(len(series), np.bool_)
    rising[1:] = height[1:] > np.maximum.accumulate(height)[:-1]
    return rising


def _flag_clock(block: Block, now_ms: int) -> None:
    """A time ahead of ours, beyond what a synchronised clock can be: none of its values is as of when it says."""
    ahead = block.times_ms > now_ms + block.form.profile.clock_tolerance_ms
    if ahead.any():
        there = ahead[:, None] & ~np.isnan(block.results)
        block.quality[there] = _suspected(block.quality[there])


def _suspected(quality: NDArray[np.uint8]) -> NDArray[np.uint8]:
    check = np.maximum(quality >> _CHECK, np.uint8(Quality.SUSPECT))
    worse: NDArray[np.uint8] = (quality & 15) | (check << _CHECK)
    return worse
