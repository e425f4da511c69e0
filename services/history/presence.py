"""PURE: when each device was last seen, and whether it said that it is there. Columns: no object per device."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage.log_batch import Notice, ObservationBatch
from services.core.storage.texts import storable

NEVER: Final = np.iinfo(np.int64).min
_ABSENT: Final = 0  # no device has this id

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class FrameDevices:
    """Whose each frame is. A frame stays its device's, so what is known once is known for ever."""

    def __init__(self) -> None:
        self._device_id = np.zeros(1024, np.int32)
        self.newest = 0  # highest frame id that is known

    def knows(self, frame_ids: Int32) -> bool:
        return int(frame_ids.max(initial=0)) <= self.newest

    def take(self, frame_ids: Int32, device_ids: Int32) -> None:
        self.newest = max(self.newest, int(frame_ids.max(initial=0)))
        self._make_room(self.newest)
        self._device_id[frame_ids] = device_ids

    def of(self, frame_ids: Int32) -> Int32:
        """The device of each frame; 0 where it is not known."""
        self._make_room(int(frame_ids.max(initial=0)))
        return self._device_id[frame_ids]

    def _make_room(self, frame_id: int) -> None:
        more = frame_id + 1 - len(self._device_id)
        if more > 0:
            fresh = np.zeros(max(more, len(self._device_id)), np.int32)
            self._device_id = np.concatenate((self._device_id, fresh))


@dataclass(slots=True)
class Said:
    """What a device's births and deaths said since the last flush."""

    online: bool
    since: dt.datetime
    firmware: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """By rising device id, since the last flush. NEVER: not at all. said: of those with a birth or death."""

    device_ids: Int32
    last_seen_ms: Int64  # committed by us
    last_time_ms: Int64  # newest phenomenon_time
    said: dict[int, Said]


class PresenceChanges:
    """Changes by device, coalesced until the next flush."""

    def __init__(self) -> None:
        self._seen: list[tuple[Int32, Int64, int]] = []  # devices, their times, when
        self._said: dict[int, Said] = {}

    def fold(
        self, batch: ObservationBatch, owners: FrameDevices, logged_at: dt.datetime
    ) -> None:
        """A device is seen by its own items; a publisher by any message of its own.

        What is told again or by a person is no sign of life, but a time of the device's it is.
        """
        at_ms = to_milliseconds(logged_at)
        devices, own = owners.of(batch.frame_ids), batch.first_hand
        self._seen.append((devices[own], batch.times_ms[own], at_ms))
        self._seen.append((devices[~own], batch.times_ms[~own], NEVER))
        self._see(batch.heard, at_ms)
        for notice in batch.notices:
            self._note(notice, at_ms)

    def take(self) -> Seen:
        parts, self._seen = self._seen, []
        said, self._said = self._said, {}
        devices = _joined((part[0] for part in parts), np.int32)
        times = _joined((part[1] for part in parts), np.int64)
        sizes = [len(part[0]) for part in parts]
        seen = np.repeat(np.array([part[2] for part in parts], np.int64), sizes)
        known, inverse = np.unique(devices, return_inverse=True)
        last_time, last_seen = (np.full(len(known), NEVER) for _ in range(2))
        np.maximum.at(last_time, inverse, times)
        np.maximum.at(last_seen, inverse, seen)
        there = known != _ABSENT
        return Seen(known[there], last_seen[there], last_time[there], said)

    def _see(self, device_ids: Int32, at_ms: int) -> None:
        self._seen.append((device_ids, np.full(len(device_ids), NEVER), at_ms))

    def _note(self, notice: Notice, at_ms: int) -> None:
        """A death is somebody else's word: it is not seen by it."""
        born = notice.kind == "birth"
        before = self._said.get(notice.device_id)
        firmware = storable(notice.firmware or "") if born else None
        self._said[notice.device_id] = Said(
            online=born,
            since=from_milliseconds(notice.time_ms),
            firmware=firmware or (before.firmware if before else None),
        )
        seen_ms = at_ms if born else NEVER
        self._see(np.array([notice.device_id], np.int32), seen_ms)


def _joined(parts: Iterable[NDArray[np.generic]], kind: type) -> NDArray[np.generic]:
    return np.concatenate([np.empty(0, kind), *parts])
