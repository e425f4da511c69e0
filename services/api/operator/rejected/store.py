"""SQL of rejected messages."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.auth.permissions import Scope
from services.core.storage.pool import Connection

Row = Mapping[str, Any]

# A publisher's place is that of its thing, or of any device it hosts; one that is not in the registry has none.
_IN_SCOPE: Final = """
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
_SELECT: Final = """
SELECT r.rejected_id, r.received_at, r.scope, r.reason, r.detail, r.topic, r.publisher, r.device, r.channel, r.item_index,
       r.epoch, r.seq, octet_length(r.payload) AS payload_bytes
FROM rejected_messages r
WHERE
"""


@dataclass(frozen=True, slots=True)
class RejectedFilter:
    """[start, end) is when it came. None: all."""

    start: dt.datetime
    end: dt.datetime
    reasons: Sequence[str] | None = None
    publishers: Sequence[str] | None = None
    scopes: Sequence[str] | None = None


async def list_rejected(
    connection: Connection,
    scope: Scope,
    chosen: RejectedFilter,
    before: int | None,
    limit: int,
) -> list[Row]:
    """Newest first. before: the last rejected_id of the page before."""
    rows: list[Row] = await connection.fetch(
        _SELECT
        + _IN_SCOPE
        + """
        AND r.received_at >= $3 AND r.received_at < $4
        AND ($5::text[] IS NULL OR r.reason = ANY($5))
        AND ($6::text[] IS NULL OR r.publisher = ANY($6))
        AND ($7::text[] IS NULL OR r.scope = ANY($7))
        AND ($8::bigint IS NULL OR r.rejected_id < $8)
        ORDER BY r.rejected_id DESC LIMIT $9
        """,
        scope.domains,
        scope.districts,
        chosen.start,
        chosen.end,
        chosen.reasons,
        chosen.publishers,
        chosen.scopes,
        before,
        limit,
    )
    return rows


async def find_rejected(
    connection: Connection, scope: Scope, rejected_id: int
) -> Row | None:
    row: Row | None = await connection.fetchrow(
        _SELECT + _IN_SCOPE + "AND r.rejected_id = $3",
        scope.domains,
        scope.districts,
        rejected_id,
    )
    return row


async def find_payload(connection: Connection, rejected: Row) -> bytes | None:
    """The raw message, which is kept once: with the first of its refusals."""
    payload: bytes | None = await connection.fetchval(
        """
        SELECT payload FROM rejected_messages
        WHERE received_at = $1 AND rejected_id <= $2 AND publisher = $3 AND topic = $4 AND payload IS NOT NULL
        ORDER BY rejected_id DESC LIMIT 1
        """,
        rejected["received_at"],
        rejected["rejected_id"],
        rejected["publisher"],
        rejected["topic"],
    )
    return payload
