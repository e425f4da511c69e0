"""PURE: when each device was last seen, and whether it said that it is there."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from services.core.clock import from_milliseconds
from services.core.storage.log_batch import Notice, ObservationBatch


@dataclass(slots=True)
class Presence:
    """What changed for one device since the last flush; None: nothing said about it."""

    last_seen: dt.datetime | None = None  # committed by us
    last_time_ms: int | None = None  # newest phenomenon_time
    online: bool | None = None
    online_since: dt.datetime | None = None
    firmware: str | None = None


class PresenceChanges:
    """Changes by device id, coalesced until the next flush."""

    def __init__(self) -> None:
        self._changes: dict[int, Presence] = {}

    def fold(
        self,
        batch: ObservationBatch,
        device_of_frame: dict[int, int],
        logged_at: dt.datetime,
    ) -> None:
        """A device is seen by its own items; a publisher by any message of its own."""
        frames, inverse = np.unique(batch.frame_ids, return_inverse=True)
        newest = np.full(len(frames), np.iinfo(np.int64).min)
        np.maximum.at(newest, inverse, batch.times_ms)
        for frame_id, time_ms in zip(frames.tolist(), newest.tolist(), strict=True):
            if (device_id := device_of_frame.get(frame_id)) is not None:
                change = self._seen(device_id, logged_at)
                change.last_time_ms = max(time_ms, change.last_time_ms or time_ms)
        for publisher_id in batch.accounts.publisher_ids.tolist():
            if publisher_id:
                self._seen(publisher_id, logged_at)
        self._note(batch.notices, logged_at)

    def take(self) -> dict[int, Presence]:
        taken, self._changes = self._changes, {}
        return taken

    def _seen(self, device_id: int, at: dt.datetime) -> Presence:
        change = self._changes.setdefault(device_id, Presence())
        change.last_seen = at
        return change

    def _note(self, notices: Iterable[Notice], at: dt.datetime) -> None:
        for notice in notices:
            change = self._changes.setdefault(notice.device_id, Presence())
            change.online = notice.kind == "birth"
            change.online_since = from_milliseconds(notice.time_ms)
            if notice.kind == "birth":
                change.last_seen = at
                change.firmware = notice.firmware or change.firmware
