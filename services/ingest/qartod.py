"""PURE: QARTOD's tests that need to know what came before: rate of change, spike, flat line; and the clock's.

They set flags and refuse nothing. The gross range test is in check, which sees one item at a time.
Source: QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, version 2.1, IOOS
2020, tests 1, 6, 7 and 8. Test 6 (spike) is made causal: the value is compared with the median of the three before
it, so that it is flagged as it arrives; a step is flagged for two values and then believed.
"""

from collections.abc import Iterable, Sequence
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
_NEVER: Final = np.iinfo(np.int64).min
_NONE: Final = -1
_CHECK: Final = 4  # bits above the source's flag


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is remembered of series, by row. recent: the last three values, oldest first, NaN where there was none."""

    series: Int64
    recent: Float64  # [n, 3]
    time_ms: Int64
    run_ms: Int64  # since when the newest value has been the same


class PastChecks:
    """What the tests remember of each series (a slot of a frame that has limits). After a restart it begins anew."""

    def __init__(self) -> None:
        self._first = np.full(1024, _NONE, np.int64)  # by frame id: its first series
        self._checked: dict[int, tuple[int, ...]] = {}  # by device type: its slots
        self._recent = np.empty((0, _BEFORE))
        self._time_ms: Int64 = np.empty(0, np.int64)
        self._run_ms: Int64 = np.empty(0, np.int64)
        self._end = 0

    def flag(self, blocks: Sequence[Block], now_ms: int) -> Known | None:
        """Raise the quality of what does not pass to suspect, in place; what is then to be remembered once it is stored.

        To flag the same blocks again changes nothing.
        """
        for block in blocks:
            _flag_clock(block, now_ms)
        checked = [
            (number, block)
            for number, block in enumerate(blocks)
            if len(block.form.checked) and len(block.frame_ids)
        ]
        self._begin_anew_when_limits_moved(block for _, block in checked)
        parts = [self._values(number, block) for number, block in checked]
        values = _joined([part for part in parts if len(part.time_ms)])
        if values is None:
            return None
        values = values.of(values.time_ms > self._time_ms[values.series])
        values = values.of(values.is_first_at_its_time())
        if not len(values.time_ms):
            return None
        return self._flag(values, blocks)

    def advance(self, known: Known | None) -> None:
        """This is stored now."""
        if known is None:
            return
        self._recent[known.series] = known.recent
        self._time_ms[known.series] = known.time_ms
        self._run_ms[known.series] = known.run_ms

    def _flag(self, values: "_Values", blocks: Sequence[Block]) -> Known:
        line = _Line(values, self._recent, self._time_ms, self._run_ms)
        suspect = line.too_fast() | line.spikes() | line.flat()
        for place in np.flatnonzero(suspect).tolist():
            block = blocks[values.block[place]]
            at = (values.row[place], values.slot[place])
            block.quality[at] = _suspected(block.quality[at])
        return line.ends()

    def _values(self, number: int, block: Block) -> "_Values":
        slots = block.form.checked
        first = self._first_series(block)
        results = block.results[:, slots]
        rows, columns = np.nonzero(~np.isnan(results))
        return _Values(
            series=first[rows] + columns,
            time_ms=block.times_ms[rows],
            value=results[rows, columns],
            limits=block.form.limits[:, slots][:, columns],
            block=np.full(len(rows), number, np.int64),
            row=rows,
            slot=slots[columns],
        )

    def _begin_anew_when_limits_moved(self, blocks: Iterable[Block]) -> None:
        """Other slots of a type than before have limits: its frames' series would no longer fit."""
        slots = {
            block.form.profile.device_type_id: tuple(block.form.checked.tolist())
            for block in blocks
        }
        if any(self._checked.get(one, slots[one]) != slots[one] for one in slots):
            self._checked.clear()
            self._first[:] = _NONE
            self._end = 0
        self._checked |= slots

    def _first_series(self, block: Block) -> Int64:
        """[n] of each item's frame; frames that are new get theirs."""
        slots = len(block.form.checked)
        frames = np.unique(block.frame_ids)
        more = int(frames[-1]) + 1 - len(self._first)
        if more > 0:
            fresh = np.full(max(more, len(self._first)), _NONE, np.int64)
            self._first = np.concatenate((self._first, fresh))
        new = frames[self._first[frames] == _NONE]
        self._first[new] = self._end + slots * np.arange(len(new))
        self._make_room(self._end, self._end + slots * len(new))
        return self._first[block.frame_ids]

    def _make_room(self, begin: int, end: int) -> None:
        more = max(end - len(self._time_ms), 0)
        if more:
            more = max(more, len(self._time_ms) // 2, 1024)
            self._recent = np.concatenate((self._recent, np.empty((more, _BEFORE))))
            self._time_ms = np.concatenate((self._time_ms, np.empty(more, np.int64)))
            self._run_ms = np.concatenate((self._run_ms, np.empty(more, np.int64)))
        self._recent[begin:end] = np.nan
        self._time_ms[begin:end] = self._run_ms[begin:end] = _NEVER
        self._end = end


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Columns by value. limits: [3, n], of rate (1/s), spike, flat line (ms); block, row, slot: where it stands."""

    series: Int64
    time_ms: Int64
    value: Float64
    limits: Float64
    block: Int64
    row: Int64
    slot: Int64

    def of(self, chosen: Bools | Int64) -> "_Values":
        return _Values(
            self.series[chosen],
            self.time_ms[chosen],
            self.value[chosen],
            self.limits[:, chosen],
            self.block[chosen],
            self.row[chosen],
            self.slot[chosen],
        )

    def is_first_at_its_time(self) -> Bools:
        """For values in order: another one of the same series and time is no new sample."""
        same = (self.series[1:] == self.series[:-1]) & (
            self.time_ms[1:] == self.time_ms[:-1]
        )
        return np.concatenate((np.ones(min(1, len(self.series)), np.bool_), ~same))


def _joined(parts: Sequence[_Values]) -> _Values | None:
    """In order of series and time; of the same time, in the order they came."""
    if not parts:
        return None
    columns = [
        np.concatenate([getattr(part, name) for part in parts], axis=-1)
        for name in ("series", "time_ms", "value", "limits", "block", "row", "slot")
    ]
    values = _Values(*columns)
    return values.of(np.lexsort((values.time_ms, values.series)))


class _Line:
    """The values of each series in a row, behind the three that were there before: all tests look back only."""

    def __init__(
        self, values: _Values, recent: Float64, time_ms: Int64, run_ms: Int64
    ) -> None:
        series, counts = np.unique(values.series, return_counts=True)
        ends = np.cumsum(counts + _BEFORE)  # of each series in the line
        starts = ends - counts - _BEFORE
        before = (starts[:, None] + np.arange(_BEFORE)).ravel()
        length = int(ends[-1])
        self._is_before = np.zeros(length, np.bool_)
        self._is_before[before] = True
        self._at = np.flatnonzero(~self._is_before)  # [n] places of the values
        self._limits = values.limits
        self._series, self._ends = series, ends
        self._value = np.empty(length)
        self._value[before] = recent[series].ravel()
        self._value[self._at] = values.value
        self._time_ms = np.empty(length, np.int64)
        self._time_ms[before] = np.repeat(time_ms[series], _BEFORE)
        self._time_ms[self._at] = values.time_ms
        self._run_ms = self._runs(starts + _BEFORE - 1, run_ms[series])

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
        """Test 8, flat line: the very same value for too long."""
        same_ms = self._time_ms[self._at] - self._run_ms[self._at]
        with np.errstate(invalid="ignore"):
            flat: Bools = same_ms >= self._limits[2]
        return flat

    def ends(self) -> Known:
        last = self._ends - 1
        recent = self._value[last[:, None] + np.arange(1 - _BEFORE, 1)]
        return Known(self._series, recent, self._time_ms[last], self._run_ms[last])

    def _runs(self, newest: Int64, known_ms: Int64) -> Int64:
        """[length] since when each value has been the same. newest: places of what was there before."""
        begins = np.concatenate(([True], self._value[1:] != self._value[:-1]))
        begins[self._is_before] = True
        since = np.where(begins, self._time_ms, _NEVER)
        since[newest] = known_ms
        place = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
        runs: Int64 = since[place]
        return runs


def _flag_clock(block: Block, now_ms: int) -> None:
    """A time ahead of ours, beyond what a synchronised clock can be: none of its values is as of when it says."""
    ahead = block.times_ms > now_ms + block.form.profile.clock_tolerance_ms
    for row in np.flatnonzero(ahead).tolist():
        there = ~np.isnan(block.results[row])
        block.quality[row, there] = _suspected(block.quality[row, there])


def _suspected(quality: NDArray[np.uint8]) -> NDArray[np.uint8]:
    check = np.maximum(quality >> _CHECK, np.uint8(Quality.SUSPECT))
    worse: NDArray[np.uint8] = (quality & 15) | (check << _CHECK)
    return worse
