"""Carries out what people corrected: as a revision through the pipeline, in their name; what was known before is kept."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from services.core.broker.link import Publication
from services.core.clock import Clock, to_milliseconds
from services.core.storage.pool import Connection
from services.ingest.errands import carry_out_errands
from services.ingest.messages import Message, Reading, Received, Value
from services.ingest.side_connection import SideConnection

_NEXT: Final = """
SELECT c.correction_id, c.phenomenon_time, c.value, c.quality, c.reason, c.asked_by, c.asked_at, s.frame_id, s.slot,
       f.closed_at IS NULL AS is_open, d.key AS device, t.channel, t.factor, t.addend
FROM corrections c
LEFT JOIN datastream_slots s ON s.datastream_id = c.datastream_id
                            AND s.valid_from <= c.phenomenon_time AND s.valid_to > c.phenomenon_time
LEFT JOIN frames f USING (frame_id)
LEFT JOIN devices d USING (device_id)
LEFT JOIN device_type_channels t ON t.device_type_id = f.device_type_id AND t.slot = s.slot AND t.retired_at IS NULL
WHERE c.done_at IS NULL ORDER BY c.correction_id LIMIT 1
"""
_REFUSED: Final = """
SELECT reason || ': ' || detail FROM rejected_messages
WHERE publisher = $1 AND topic = $2 AND received_at >= $3 ORDER BY rejected_id LIMIT 1
"""
_CHANGED: Final = """
SELECT EXISTS (SELECT FROM observation_changes
               WHERE frame_id = $1 AND phenomenon_time = $2 AND slot = $3 AND who = $4 AND known_at >= $5)
"""
_DONE: Final = "UPDATE corrections SET done_at = $2, outcome = $3, detail = $4 WHERE correction_id = $1"
_EXCHANGED: Final = (
    "the device that measured it has been exchanged, or no longer has this channel"
)

TakeIn = Callable[[Received, int], Awaitable[None]]


class Corrections:
    """One at a time; one that was stored and not marked before a crash comes again, and changes nothing."""

    def __init__(
        self, connection: SideConnection, clock: Clock, take_in: TakeIn
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._take_in = take_in

    async def run(self) -> None:
        """For ever. take_in, given a revision and its time in Unix milliseconds, returns when that is committed."""
        await carry_out_errands(self._connection, self._clock, _NEXT, self._carry_out)

    async def _carry_out(self, connection: Connection, row: Mapping[str, Any]) -> None:
        outcome: tuple[str, str | None] = ("refused", _EXCHANGED)
        if row["is_open"] and row["channel"] is not None:
            time_ms = to_milliseconds(row["phenomenon_time"])
            revision = _revision(row, time_ms)
            await self._take_in(revision, time_ms)
            outcome = await _outcome(connection, row, revision)
        await connection.execute(
            _DONE, row["correction_id"], self._clock.now(), *outcome
        )


def _revision(row: Mapping[str, Any], time_ms: int) -> Received:
    channel = row["channel"]
    reading = Reading(
        values={channel: _as_sent(row["value"], row["factor"], row["addend"])},
        time=time_ms,
        quality=None if row["quality"] is None else {channel: row["quality"]},
        revises=True,
    )
    topic = f"corrections/{row['correction_id']}"
    publication = Publication(topic, row["reason"].encode(), 0, 0, 0)
    by = f"user:{row['asked_by']}"
    return Received(publication, row["device"], "correction", Message((reading,)), by)


def _as_sent(value: Value, factor: float, addend: float) -> Value:
    """As the device would have sent it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    sent = (value - addend) / factor
    return int(sent) if sent.is_integer() else sent


async def _outcome(
    connection: Connection, row: Mapping[str, Any], revision: Received
) -> tuple[str, str | None]:
    since = row["asked_at"]
    refused = await connection.fetchval(
        _REFUSED, revision.publisher, revision.publication.topic, since
    )
    if refused is not None:
        return "refused", refused
    changed = await connection.fetchval(
        _CHANGED,
        row["frame_id"],
        row["phenomenon_time"],
        row["slot"],
        revision.by,
        since,
    )
    return ("corrected" if changed else "unchanged"), None
