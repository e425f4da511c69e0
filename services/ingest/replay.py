"""Carries out replays: reads refused messages out of the inbox, page by page, and has the pipeline take them in again."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

import structlog

from services.core.clock import Clock
from services.core.storage.pool import Connection
from services.ingest.again import Entry, Replayed, has_its_own_times, read
from services.ingest.decode import Decoder
from services.ingest.errands import carry_out_errands
from services.ingest.messages import Received
from services.ingest.recall import recall_formats
from services.ingest.side_connection import SideConnection

log = structlog.get_logger()

_PAGE: Final = 200  # messages, of 64 KB at most
_NEXT: Final = """
SELECT replay_id, chosen, from_time, to_time, up_to_id, asked_by FROM replays
WHERE finished_at IS NULL ORDER BY replay_id LIMIT 1
"""
# What this replay has read carries its number, so the next page is what is left, also after a crash.
_MESSAGES: Final = """
WITH chosen AS (
    SELECT DISTINCT received_at, message_no FROM rejected_messages r
    WHERE state = 'open' AND replay_id IS DISTINCT FROM $1
      AND received_at >= $2 AND received_at < $3 AND rejected_id <= $4
      AND ($5::bigint[] IS NULL OR rejected_id = ANY ($5)) AND ($6::text[] IS NULL OR reason = ANY ($6))
      AND ($7::text[] IS NULL OR publisher = ANY ($7)) AND ($8::text[] IS NULL OR coalesce(device, publisher) = ANY ($8))
      AND ($9::text[] IS NULL OR channel = ANY ($9)) AND ($11::text[] IS NULL OR scope = ANY ($11))
    ORDER BY received_at, message_no LIMIT $10)
SELECT r.received_at, r.message_no, r.rejected_id, r.scope, r.item_index, r.channel, r.state = 'open' AS is_open,
       r.topic, r.payload
FROM chosen c JOIN rejected_messages r
  ON r.received_at = c.received_at AND r.message_no = c.message_no
WHERE r.received_at >= $2 AND r.received_at < $3
ORDER BY r.received_at, r.message_no, r.rejected_id
"""
_SET_ASIDE: Final = """
UPDATE rejected_messages SET replay_id = $1, attempts = attempts + 1, note = $5
WHERE received_at >= $2 AND received_at <= $3 AND rejected_id = ANY ($4::bigint[])
  AND state = 'open' AND replay_id IS DISTINCT FROM $1
"""
_COUNT_LOST: Final = """
UPDATE replays SET messages = messages + 1, lost = lost + $2 WHERE replay_id = $1
"""
_FINISH: Final = "UPDATE replays SET finished_at = $2 WHERE replay_id = $1"

_NOT_KEPT: Final = "the raw message is no longer kept"
_PRESENT_ONLY: Final = (
    "births, deaths and results are not told again: the next one counts"
)
_TIMELESS: Final = "an item of its message was stored with the time it came at: read again it would be stored twice"
_NOT_STORED: Final = "the database refused it"


@dataclass(frozen=True, slots=True)
class Task:
    """A row of replays that is to do."""

    replay_id: int
    chosen: Mapping[str, Sequence[Any]]
    from_time: dt.datetime
    to_time: dt.datetime
    up_to_id: int
    asked_by: str


class Again(NamedTuple):
    message: Replayed
    received: Received


TakeIn = Callable[[Sequence[Again]], Awaitable[None]]


class Replays:
    """One page at a time is on its way, so live messages hardly notice."""

    def __init__(
        self, connection: SideConnection, clock: Clock, take_in: TakeIn
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._take_in = take_in

    async def run(self) -> None:
        """For ever. take_in returns when what it was given is committed, and marked in that transaction."""
        await carry_out_errands(self._connection, self._clock, _NEXT, self._carry_out)

    async def _carry_out(self, connection: Connection, row: Mapping[str, Any]) -> None:
        task = Task(**row)
        decoder = await _own_decoder(connection)
        while messages := await _page(connection, task):
            page: list[Again] = []
            for message in messages:
                again = await self._readable(connection, decoder, message)
                if again is not None:
                    page.append(again)
            if page:
                await self._take_in(page)
                stored = [again.message for again in page]
                await _set_aside(connection, stored, _NOT_STORED)
            await asyncio.sleep(0)
        await connection.execute(_FINISH, task.replay_id, self._clock.now())
        log.info("a replay is done", action="replayed", replay=task.replay_id)

    async def _readable(
        self, connection: Connection, decoder: Decoder, message: Replayed
    ) -> Again | None:
        """Else its entries are marked, and say why."""
        received = read(decoder, message)
        if message.is_lost:
            obstacle = _NOT_KEPT
        elif received is None:
            obstacle = _PRESENT_ONLY
        elif not has_its_own_times(received, message.entries):
            obstacle = _TIMELESS
        else:
            return Again(message, received)
        async with connection.transaction():
            if await _set_aside(connection, [message], obstacle):
                entries = sum(entry.is_open for entry in message.entries)
                await connection.execute(_COUNT_LOST, message.replay_id, entries)
        return None


async def _own_decoder(connection: Connection) -> Decoder:
    """What stateful formats know now; what old messages would teach them is not learned."""
    decoder = Decoder()
    decoder.remember(await recall_formats(connection))
    return decoder


async def _page(connection: Connection, task: Task) -> list[Replayed]:
    chosen = task.chosen
    rows = await connection.fetch(
        _MESSAGES,
        task.replay_id,
        task.from_time,
        task.to_time,
        task.up_to_id,
        chosen.get("ids"),
        chosen.get("reasons"),
        chosen.get("publishers"),
        chosen.get("devices"),
        chosen.get("channels"),
        _PAGE,
        chosen.get("scopes"),
    )
    by_message = groupby(rows, key=lambda row: (row["received_at"], row["message_no"]))
    return [_message(task, list(entries)) for _, entries in by_message]


def _message(task: Task, rows: Sequence[Mapping[str, Any]]) -> Replayed:
    head = rows[0]
    payloads = [row["payload"] for row in rows if row["payload"] is not None]
    return Replayed(
        topic=head["topic"],
        payload=payloads[0] if payloads else b"",
        mid=0,
        qos=1,
        connection=0,
        replay_id=task.replay_id,
        asked_by=task.asked_by,
        is_lost=not payloads,
        received_at=head["received_at"],
        message_no=head["message_no"],
        entries=tuple(
            Entry(
                row["rejected_id"],
                row["scope"],
                row["item_index"],
                row["channel"],
                row["is_open"],
            )
            for row in rows
        ),
    )


async def _set_aside(
    connection: Connection, messages: Sequence[Replayed], note: str
) -> bool:
    """Mark what is not marked yet, so that no page has it again; whether there was any."""
    times = [message.received_at for message in messages]
    done = await connection.execute(
        _SET_ASIDE,
        messages[0].replay_id,
        min(times),
        max(times),
        [entry.rejected_id for message in messages for entry in message.entries],
        note,
    )
    return not done.endswith(" 0")
