"""The rejected inbox as people use it: listed, counted, shown with the raw message, dismissed, and read again.

Ingest alone writes what is refused and carries replays out; here they are asked for.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.errors import PlatformError
from services.core.storage.pool import Connection

Row = Mapping[str, Any]
_MOST_GROUPS: Final = 500

# $1, $2: domains and districts, NULL: all. A publisher's place is that of its thing, or of any device it hosts;
# one that is not in the registry has none.
_IN_SIGHT: Final = """
($1::text[] IS NULL AND $2::text[] IS NULL OR EXISTS (
    SELECT FROM devices g
    LEFT JOIN device_hosts h ON h.gateway_id = g.device_id AND h.retired_at IS NULL
    JOIN devices d ON d.device_id IN (g.device_id, h.device_id)
    JOIN things t ON t.thing_id = d.thing_id
    JOIN districts di USING (district_id)
    WHERE g.key = r.publisher
      AND ($1::text[] IS NULL OR t.domain = ANY($1)) AND ($2::text[] IS NULL OR di.key = ANY($2))
))
"""
_CHOSEN: Final = f"""
WHERE {_IN_SIGHT}
  AND r.received_at >= $3 AND r.received_at < $4
  AND ($5::text[] IS NULL OR r.reason = ANY($5))
  AND ($6::text[] IS NULL OR r.publisher = ANY($6))
  AND ($7::text[] IS NULL OR r.scope = ANY($7))
  AND ($8::text[] IS NULL OR coalesce(r.device, r.publisher) = ANY($8))
  AND ($9::text[] IS NULL OR r.channel = ANY($9))
  AND ($10::text[] IS NULL OR r.state = ANY($10))
  AND ($11::bigint[] IS NULL OR r.rejected_id = ANY($11))
"""
_COLUMNS: Final = """
r.rejected_id, r.received_at, r.scope, r.reason, r.detail, r.topic, r.publisher, r.device, r.channel, r.item_index,
r.epoch, r.seq, coalesce(r.payload_bytes, octet_length(r.payload)) AS payload_bytes, r.state, r.attempts, r.replay_id, r.settled_at, r.settled_by, r.note
"""
_COUNT: Final = f"""
SELECT r.reason, r.publisher, coalesce(r.device, r.publisher) AS device, r.channel, count(*) AS refused,
       count(*) FILTER (WHERE r.state = 'open') AS open, min(r.received_at) AS first_at, max(r.received_at) AS last_at,
       max(r.rejected_id) AS newest_id, (array_agg(r.detail ORDER BY r.rejected_id DESC))[1] AS detail
FROM rejected_messages r {_CHOSEN}
GROUP BY 1, 2, 3, 4 ORDER BY open DESC, refused DESC, 1, 2, 3, 4 LIMIT {_MOST_GROUPS}
"""  # noqa: S608 # from constants
_FLOODS: Final = f"""
SELECT r.publisher, r.reason, sum(r.refused)::bigint AS refused FROM rejection_floods r
WHERE {_IN_SIGHT} AND r.hour > $3::timestamptz - interval '1 hour' AND r.hour < $4
  AND ($5::text[] IS NULL OR r.reason = ANY($5)) AND ($6::text[] IS NULL OR r.publisher = ANY($6))
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT {_MOST_GROUPS}
"""  # noqa: S608 # from constants
_PAYLOAD: Final = """
SELECT payload FROM rejected_messages
WHERE received_at = $1 AND message_no = (SELECT message_no FROM rejected_messages WHERE received_at = $1 AND rejected_id = $2)
  AND payload IS NOT NULL
ORDER BY rejected_id <> $2, rejected_id LIMIT 1
"""
_DISMISS: Final = f"""
UPDATE rejected_messages SET state = 'dismissed', settled_at = $12, settled_by = $13, note = $14
WHERE received_at >= $3 AND received_at < $4 AND (rejected_id, received_at) IN (
    SELECT r.rejected_id, r.received_at FROM rejected_messages r {_CHOSEN} AND r.state = 'open')
"""  # noqa: S608 # from constants
_REPLAY_COLUMNS: Final = """
replay_id, chosen, from_time, to_time, asked_by, asked_at, finished_at, messages, mended, refused, lost
"""


class NothingChosenError(PlatformError):
    """There is no open refusal among those."""

    remedy = "`alatau rejected count` tells what is open."


@dataclass(frozen=True, slots=True)
class Sight:
    """Where somebody may look: keys of domains and districts; None is everywhere."""

    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None


EVERYWHERE: Final = Sight()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which refusals. [start, end) is when they came; None: all. devices: hosted ones, or the publisher itself."""

    start: dt.datetime
    end: dt.datetime
    reasons: Sequence[str] | None = None
    publishers: Sequence[str] | None = None
    scopes: Sequence[str] | None = None
    devices: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    states: Sequence[str] | None = None
    ids: Sequence[int] | None = None

    def parameters(self, sight: Sight) -> tuple[Any, ...]:
        return (
            sight.domains,
            sight.districts,
            self.start,
            self.end,
            self.reasons,
            self.publishers,
            self.scopes,
            self.devices,
            self.channels,
            self.states,
            self.ids,
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """messages read again; of their refusals so many mended, refused again, or lost with their raw message."""

    replay_id: int
    chosen: Mapping[str, Any]
    from_time: dt.datetime
    to_time: dt.datetime
    asked_by: str
    asked_at: dt.datetime
    finished_at: dt.datetime | None
    messages: int
    mended: int
    refused: int
    lost: int


async def list_rejections(
    connection: Connection,
    choice: Choice,
    sight: Sight = EVERYWHERE,
    *,
    before: int | None = None,
    limit: int,
) -> list[Row]:
    """Newest first. before: the last rejected_id of the page before."""
    rows: list[Row] = await connection.fetch(
        f"SELECT {_COLUMNS} FROM rejected_messages r {_CHOSEN} "  # noqa: S608 # from constants
        "AND ($12::bigint IS NULL OR r.rejected_id < $12) ORDER BY r.rejected_id DESC LIMIT $13",
        *choice.parameters(sight),
        before,
        limit,
    )
    return rows


async def find_rejection(
    connection: Connection, rejected_id: int, sight: Sight = EVERYWHERE
) -> Row | None:
    row: Row | None = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM rejected_messages r WHERE {_IN_SIGHT} AND r.rejected_id = $3",  # noqa: S608
        sight.domains,
        sight.districts,
        rejected_id,
    )
    return row


async def find_payload(connection: Connection, rejection: Row) -> bytes | None:
    """The raw message, which is kept once: with the first of its refusals. None: it is no longer kept."""
    payload: bytes | None = await connection.fetchval(
        _PAYLOAD, rejection["received_at"], rejection["rejected_id"]
    )
    return payload


async def count_rejections(
    connection: Connection, choice: Choice, sight: Sight = EVERYWHERE
) -> tuple[list[Row], list[Row]]:
    """By reason, device and channel, most open first; then what floods brought beyond the rows that are kept."""
    groups = await connection.fetch(_COUNT, *choice.parameters(sight))
    floods = await connection.fetch(_FLOODS, *choice.parameters(sight)[:6])
    return groups, floods


async def dismiss(
    connection: Connection,
    choice: Choice,
    sight: Sight = EVERYWHERE,
    *,
    by: str,
    note: str | None,
    now: dt.datetime,
) -> int:
    """Take open refusals off the list; they stay in the inbox. How many."""
    done = await connection.execute(_DISMISS, *choice.parameters(sight), now, by, note)
    return int(done.split()[-1])


async def ask_replay(
    connection: Connection,
    choice: Choice,
    sight: Sight = EVERYWHERE,
    *,
    by: str,
    now: dt.datetime,
) -> Replay:
    """Have ingest read the open refusals of a choice again. Asked twice, the second finds less or the same to do.

    Raises:
        NothingChosenError: none is open.
    """
    async with connection.transaction():
        newest = await connection.fetchval(
            f"SELECT max(r.rejected_id) FROM rejected_messages r {_CHOSEN} AND r.state = 'open'",  # noqa: S608
            *choice.parameters(sight),
        )
        if newest is None:
            raise NothingChosenError
        replay_id = await connection.fetchval(
            "INSERT INTO replays (chosen, from_time, to_time, up_to_id, asked_by, asked_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) RETURNING replay_id",
            await _chosen(connection, choice, sight),
            choice.start,
            choice.end,
            newest,
            by,
            now,
        )
        return await read_replay(connection, replay_id)


async def _chosen(
    connection: Connection, choice: Choice, sight: Sight
) -> dict[str, Any]:
    """What ingest will look for. It knows no sights: whose is bounded gets its publishers by name."""
    publishers = choice.publishers
    if sight != EVERYWHERE:
        rows = await connection.fetch(
            f"SELECT DISTINCT r.publisher FROM rejected_messages r {_CHOSEN}",  # noqa: S608 # from constants
            *choice.parameters(sight),
        )
        publishers = [row["publisher"] for row in rows]
    wanted = {
        "ids": choice.ids,
        "reasons": choice.reasons,
        "publishers": publishers,
        "scopes": choice.scopes,
        "devices": choice.devices,
        "channels": choice.channels,
    }
    return {name: list(some) for name, some in wanted.items() if some is not None}


async def read_replay(connection: Connection, replay_id: int) -> Replay:
    """Raises LookupError when there is none."""
    row = await connection.fetchrow(
        f"SELECT {_REPLAY_COLUMNS} FROM replays WHERE replay_id = $1",  # noqa: S608 # from constants
        replay_id,
    )
    if row is None:
        raise LookupError(replay_id)
    return Replay(**row)


async def list_replays(
    connection: Connection, *, before: int | None = None, limit: int
) -> list[Replay]:
    """Newest first."""
    rows = await connection.fetch(
        f"SELECT {_REPLAY_COLUMNS} FROM replays WHERE $1::bigint IS NULL OR replay_id < $1"  # noqa: S608
        " ORDER BY replay_id DESC LIMIT $2",
        before,
        limit,
    )
    return [Replay(**row) for row in rows]
