"""PURE: the latest value of every slot, folded from batches in NumPy columns; no object per datastream."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.city.quality import ALL_GOOD
from services.core.storage.log_batch import ObservationBatch

NEVER: Final = np.iinfo(np.int64).min  # the time of a slot that was never seen


@dataclass(frozen=True, slots=True, eq=False)
class LatestRows:
    """Frames' latest values: those of row i stand at offsets[i] to offsets[i + 1], by slot.

    times_ms: Unix milliseconds, NEVER where nothing was seen.
    """

    frame_ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    results: NDArray[np.float64]
    times_ms: NDArray[np.int64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.frame_ids)


class LatestValues:
    """Latest values of all frames met so far: slot s of frame f stands at place starts[f] + s."""

    def __init__(self) -> None:
        self._starts = np.full(1024, -1, np.int64)
        self._widths = np.zeros(1024, np.int64)
        self._used = 0
        self._results = np.full(4096, np.nan)
        self._times = np.full(4096, NEVER, np.int64)
        self._quality = np.full(4096, ALL_GOOD, np.uint8)
        self._dirty: list[NDArray[np.int32]] = []

    def unknown(self, frame_ids: NDArray[np.int32]) -> list[int]:
        """Those frames whose stored row must be given to remember() before a batch with them is folded."""
        distinct = np.unique(frame_ids)
        self._make_room_for_frame(int(distinct.max(initial=0)))
        missing: list[int] = distinct[self._starts[distinct] < 0].tolist()
        return missing

    def remember(self, rows: LatestRows) -> None:
        """Take over what is stored; such a row is not dirty."""
        offsets = rows.offsets.tolist()
        for index, frame_id in enumerate(rows.frame_ids.tolist()):
            begin, end = offsets[index], offsets[index + 1]
            start = self._place(frame_id, end - begin)
            span = slice(start, start + end - begin)
            self._results[span] = rows.results[begin:end]
            self._times[span] = rows.times_ms[begin:end]
            self._quality[span] = rows.quality[begin:end]

    def fold(self, batch: ObservationBatch) -> None:
        """Take each value that is as new as what is held, or newer; corrections have equal times."""
        widths = np.diff(batch.offsets)
        self._widen(batch.frame_ids, widths)
        item = batch.item_of_value()
        places = self._starts[batch.frame_ids[item]] + batch.slot_of_value()
        times = batch.times_ms[item]
        present = np.flatnonzero(
            ~np.isnan(batch.results) & (times >= self._times[places])
        )
        # Within a batch a slot may come twice: the newest, and of equals the last, is assigned last.
        order = present[np.argsort(times[present], kind="stable")]
        self._results[places[order]] = batch.results[order]
        self._times[places[order]] = times[order]
        self._quality[places[order]] = batch.quality[order]
        self._dirty.append(np.unique(batch.frame_ids[item[order]]))

    def take_dirty(self) -> LatestRows:
        """The rows that changed since the last call, by frame id."""
        frames = np.unique(np.concatenate([np.empty(0, np.int32), *self._dirty]))
        self._dirty.clear()
        widths = self._widths[frames]
        offsets = np.concatenate(([0], np.cumsum(widths)))
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], widths)
        places = np.repeat(self._starts[frames], widths) + within
        return LatestRows(
            frames,
            offsets,
            self._results[places],
            self._times[places],
            self._quality[places],
        )

    def _widen(self, frame_ids: NDArray[np.int32], widths: NDArray[np.int32]) -> None:
        """Frames that are new or have got more slots move to a place of their own."""
        if not len(frame_ids):
            return
        self._make_room_for_frame(int(frame_ids.max()))
        for index in np.flatnonzero(self._widths[frame_ids] < widths).tolist():
            frame_id, width = int(frame_ids[index]), int(widths[index])
            if (had := int(self._widths[frame_id])) < width:
                old = int(self._starts[frame_id])
                new = self._place(frame_id, width)
                if had:
                    for column in (self._results, self._times, self._quality):
                        column[new : new + had] = column[old : old + had]

    def _place(self, frame_id: int, width: int) -> int:
        self._make_room_for_frame(frame_id)
        start = self._used
        self._used += width
        if self._used > len(self._times):
            self._grow(2 * self._used)
        self._starts[frame_id], self._widths[frame_id] = start, width
        return start

    def _grow(self, size: int) -> None:
        more = size - len(self._times)
        self._results = np.concatenate((self._results, np.full(more, np.nan)))
        self._times = np.concatenate((self._times, np.full(more, NEVER, np.int64)))
        self._quality = np.concatenate(
            (self._quality, np.full(more, ALL_GOOD, np.uint8))
        )

    def _make_room_for_frame(self, frame_id: int) -> None:
        more = frame_id + 1 - len(self._starts)
        if more > 0:
            more = max(more, len(self._starts))
            self._starts = np.concatenate((self._starts, np.full(more, -1, np.int64)))
            self._widths = np.concatenate((self._widths, np.zeros(more, np.int64)))
