"""A client that watches newest values; changes within a second come as one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from typing_extensions import override

from services.api.live.client import Client, Pace, event
from services.api.live.feeds import Feeds
from services.api.live.latest_table import (
    Cells,
    Coding,
    LatestTable,
    Selection,
    Value,
)
from services.api.moments import say_moment
from services.api.series.model import QUALITY_WORDS, code_keys
from services.api.series.saying import CODED
from services.core.clock import from_milliseconds

_SNAPSHOT_PART: Final = 1_000


class LatestClient(Client):
    """Newest values of a selection of datastreams."""

    def __init__(self, feeds: Feeds, selection: Selection, pace: Pace) -> None:
        super().__init__(feeds, feeds.latest, pace)
        self._latest = feeds.latest
        self._selection = selection
        self._cells: Cells = np.empty(0, np.int64)
        self._seen: tuple[LatestTable | None, int, int] = (None, -1, -1)

    def selected(self) -> int:
        """How many datastreams this client gets."""
        self._select()
        return len(self._cells)

    def _select(self) -> None:
        """The registry may have moved since the last time, or the table begun anew."""
        now = (self._latest.table, self._latest.revision, self._latest.loads)
        if now != self._seen:
            self._cells = self._latest.table.select(self._selection)
            self._seen = now

    @override
    async def snapshot(self) -> Sequence[bytes]:
        self._select()
        self._batch = self._latest.batch
        values = self._latest.table.values(self._latest.table.known(self._cells))
        parts = [
            values[first : first + _SNAPSHOT_PART]
            for first in range(0, len(values), _SNAPSHOT_PART)
        ] or [[]]
        return [
            # Only the last part is a place to resume from: half a snapshot is none.
            event(
                "snapshot",
                {"part": number, "parts": len(parts), "observations": self._say(part)},
                self._feed,
                self._batch if number == len(parts) else None,
            )
            for number, part in enumerate(parts, start=1)
        ]

    @override
    def changes(self) -> bytes | None:
        self._select()
        since, self._batch = self._batch, self._latest.batch
        changed = self._latest.table.changed_since(self._cells, since)
        if not len(changed):
            return None
        values = self._latest.table.values(changed)
        return event(
            "latest", {"observations": self._say(values)}, self._feed, self._batch
        )

    def _say(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        return [say_value(value, self._latest.table.codings) for value in values]


def say_value(value: Value, codings: Mapping[str, Coding]) -> dict[str, Any]:
    coding = codings[value.observed_property]
    said: dict[str, Any] = {
        "datastream_id": value.datastream_id,
        "datastream": value.datastream,
        "thing": value.thing,
        "observed_property": value.observed_property,
        "unit": coding.unit,
        "phenomenon_time": say_moment(from_milliseconds(value.time_ms)),
        "result": value.result,
        "quality": QUALITY_WORDS[value.quality][0],
    }
    if coding.kind in CODED:
        said["result"] = int(value.result)
        said["codes"] = code_keys(coding.kind, coding.codes, value.result)
    return said
