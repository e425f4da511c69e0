"""Messages that wait on disk for their turn, acknowledged to the broker and not yet accounted for; and whose they are."""

import datetime as dt
from collections.abc import Mapping, Sequence

from services.core.broker.link import Publication
from services.core.storage.pool import Connection

_COLUMNS = ("publisher", "set_aside_at", "topic", "payload")


async def count_by_publisher(
    connection: Connection, read_through: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    """How many are on disk beyond the id that each publisher's were read through, and their bytes, unpacked."""
    rows = await connection.fetch(
        """
        SELECT publisher, count(*) AS messages, sum(octet_length(payload) + length(topic))::bigint AS bytes FROM set_aside
        LEFT JOIN unnest($1::text[], $2::bigint[]) AS known (publisher, through) USING (publisher)
        WHERE set_aside_id > coalesce(through, 0) GROUP BY publisher
        """,
        list(read_through),
        list(read_through.values()),
    )
    return {row["publisher"]: (row["messages"], row["bytes"]) for row in rows}


async def append(
    connection: Connection,
    messages: Sequence[tuple[str, Publication]],
    now: dt.datetime,
) -> None:
    """(publisher, message), in the order they came."""
    await connection.copy_records_to_table(
        "set_aside",
        records=[
            (publisher, now, message.topic, message.payload)
            for publisher, message in messages
        ],
        columns=_COLUMNS,
    )


async def read(
    connection: Connection, publisher: str, after: int, limit: int
) -> list[tuple[int, str, bytes]]:
    """(id, topic, payload) of a publisher's oldest messages beyond an id."""
    rows = await connection.fetch(
        """
        SELECT set_aside_id, topic, payload FROM set_aside
        WHERE publisher = $1 AND set_aside_id > $2 ORDER BY set_aside_id LIMIT $3
        """,
        publisher,
        after,
        limit,
    )
    return [tuple(row) for row in rows]


async def forget(connection: Connection, ids: Sequence[int]) -> None:
    """These are accounted for."""
    await connection.execute(
        "DELETE FROM set_aside WHERE set_aside_id = ANY($1::bigint[])", ids
    )


async def tell_floods(
    connection: Connection, publishers: Sequence[str], now: dt.datetime
) -> None:
    """These send too much, or have messages set aside, just now."""
    await connection.execute(
        """
        INSERT INTO floods AS f (publisher, since, told_at) SELECT unnest($1::text[]), $2, $2
        ON CONFLICT (publisher) DO UPDATE SET told_at = excluded.told_at,
            since = CASE WHEN f.told_at < excluded.told_at - interval '1 minute' THEN excluded.since ELSE f.since END
        """,
        publishers,
        now,
    )
