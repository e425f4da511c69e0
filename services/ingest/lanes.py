"""PURE: which items are newer than all that is stored of their frame; those need no look at the table."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Nothing is newer than the first, everything than the second: such a frame goes the late lane, such a one the fast.
UNKNOWN: Final = np.iinfo(np.int64).max
NOTHING_STORED: Final = np.iinfo(np.int64).min
_TIME_BITS: Final = 43  # milliseconds to the year 2248


class NewestTimes:
    """The newest phenomenon_time that is committed, by frame id; unknown until told."""

    def __init__(self) -> None:
        self._untold = UNKNOWN
        self._times = np.full(1024, UNKNOWN, np.int64)

    def of(self, frame_ids: NDArray[np.int32]) -> NDArray[np.int64]:
        self._make_room(int(frame_ids.max(initial=0)))
        return self._times[frame_ids]

    def advance(
        self, frame_ids: NDArray[np.int32], times_ms: NDArray[np.int64]
    ) -> None:
        """These are committed now."""
        self._make_room(int(frame_ids.max(initial=0)))
        known = self._times
        fresh = frame_ids[known[frame_ids] == UNKNOWN]
        known[fresh] = NOTHING_STORED
        np.maximum.at(known, frame_ids, times_ms)

    def all_told(self) -> None:
        """Of frames that were not told of, nothing is stored."""
        self._untold = NOTHING_STORED
        self._times[self._times == UNKNOWN] = NOTHING_STORED

    def forget_all(self) -> None:
        self._untold = UNKNOWN
        self._times[:] = UNKNOWN

    def _make_room(self, frame_id: int) -> None:
        more = frame_id + 1 - len(self._times)
        if more > 0:
            more = max(more, len(self._times))
            fresh = np.full(more, self._untold, np.int64)
            self._times = np.concatenate((self._times, fresh))


def fast_lane(
    frame_ids: NDArray[np.int32],
    times_ms: NDArray[np.int64],
    newest_ms: NDArray[np.int64],
    slow: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which items can be copied unseen. Items stand in the order they came; slow: must not, whatever its time.

    One item of a frame that cannot takes all of that frame's items in the batch with it, as they must be
    merged in order.
    """
    if not len(frame_ids):
        return np.empty(0, np.bool_)
    order = np.argsort(frame_ids, kind="stable")
    frames, times = frame_ids[order], times_ms[order]
    first = np.concatenate(([True], frames[1:] != frames[:-1]))
    rising = np.empty(len(frames), np.bool_)
    rising[1:] = times[1:] > times[:-1]
    rising[first] = times[first] > newest_ms[order][first]
    held_back = ~rising | slow[order]
    if not held_back.any():
        return np.ones(len(frame_ids), np.bool_)
    return ~np.isin(frame_ids, frames[held_back])
