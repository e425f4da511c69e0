"""The rejected inbox is bounded: by the hour and publisher, by days, and in bytes of raw messages; commands by days."""

import datetime as dt
from collections import Counter

import pytest

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.core.storage.pool import Connection, connect
from services.core.storage.rejections import Choice, count_rejections
from services.history.forgetting import Keep, forget
from services.ingest.inbox import Inbox
from services.ingest.messages import Received, Unusable
from services.ingest.resolve import Refused
from tests.integration.api.city_api import as_role

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

NOW = dt.datetime(2026, 11, 22, 4, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def refused(publisher: str, entry: int, payload: bytes = b"x" * 100) -> Refused:
    why = Unusable(Reason.MALFORMED, "no")
    publication = Publication("t", payload, 0, 1, 1)
    received = Received(publication, publisher, "data", why)
    return Refused(entry, "message", why.reason, why.detail, received)


async def write(
    connection: Connection, inbox: Inbox, at: dt.datetime, *publishers: str
) -> None:
    rows = [refused(publisher, entry) for entry, publisher in enumerate(publishers)]
    await inbox.write(connection, rows, [], at)
    inbox.committed()


async def kept(connection: Connection) -> Counter[str]:
    """Raw messages by publisher."""
    rows = await connection.fetch(
        "SELECT publisher FROM rejected_messages WHERE payload IS NOT NULL"
    )
    return Counter(row["publisher"] for row in rows)


async def test_a_flood_fills_its_own_allowance_and_is_counted_from_then_on(
    database_url: str,
) -> None:
    owner = await connect(database_url, "test")
    ingest = await connect(as_role(database_url, "alatau_ingest"), "test")
    inbox = Inbox(most_rows=20, most_bytes=1_000)
    for _ in range(3):
        await write(ingest, inbox, NOW, *["loud"] * 30, "quiet")
    assert await kept(owner) == {"loud": 10, "quiet": 3}
    choice = Choice(start=NOW - DAY, end=NOW + DAY)
    groups, floods = await count_rejections(owner, choice)
    assert {row["publisher"]: row["refused"] for row in groups} == {
        "loud": 20,
        "quiet": 3,
    }
    (flood,) = floods
    assert tuple(flood.values()) == ("loud", "malformed", 70)
    await write(ingest, inbox, NOW + dt.timedelta(hours=1), "loud")
    assert (await kept(owner))["loud"] == 11
    for connection in (owner, ingest):
        await connection.close()


async def test_a_batch_that_is_tried_again_takes_its_allowance_once(
    database_url: str,
) -> None:
    owner = await connect(database_url, "test")
    inbox = Inbox(most_rows=20, most_bytes=2_000)
    rows = [refused("loud", entry) for entry in range(8)]
    for _ in range(5):
        transaction = owner.transaction()
        await transaction.start()
        await inbox.write(owner, rows, [], NOW)
        await transaction.rollback()
    await write(owner, inbox, NOW, *["loud"] * 20)
    assert await kept(owner) == {"loud": 20}
    await inbox.write(owner, [], [], NOW)
    inbox.committed()
    await write(owner, inbox, NOW, "loud")
    assert await kept(owner) == {"loud": 20}
    await owner.close()


async def test_history_forgets_old_days_and_the_loudest_publishers_oldest_bytes(
    database_url: str,
) -> None:
    owner = await connect(database_url, "test")
    history = await connect(as_role(database_url, "alatau_history"), "test")
    inbox = Inbox()
    await write(owner, inbox, NOW - 40 * DAY, *["loud"] * 4)
    for day in range(3, 0, -1):
        await write(owner, inbox, NOW - day * DAY, *["loud"] * 4, "quiet")
    await forget(history, Keep(30 * DAY, 10**9), NOW)
    assert await kept(owner) == {"loud": 12, "quiet": 3}
    await forget(history, Keep(30 * DAY, 800), NOW)
    assert await kept(owner) == {"loud": 5, "quiet": 3}
    oldest = await owner.fetchval(
        "SELECT min(received_at) FROM rejected_messages WHERE publisher = 'loud' AND payload IS NOT NULL"
    )
    assert oldest == NOW - 2 * DAY
    rows, lengths = await owner.fetchrow(
        "SELECT count(*), sum(payload_bytes) FROM rejected_messages"
    )
    assert (rows, lengths) == (15, 1_500)
    await forget(history, Keep(30 * DAY, 0), NOW)
    assert await kept(owner) == {}
    for connection in (owner, history):
        await connection.close()


async def test_history_forgets_commands_that_are_long_settled(
    database_url: str,
) -> None:
    owner = await connect(database_url, "test")
    history = await connect(as_role(database_url, "alatau_history"), "test")
    await owner.execute(
        "INSERT INTO devices (device_id, key, publishes, revision) OVERRIDING SYSTEM VALUE VALUES (1, 'gw', true, 1)"
    )
    days_ago = {
        "answered": (9, 8, None),
        "expired": (9, None, 8),
        "answered late": (9, 2, 8),
        "open": (9, None, None),
        "rotating": (9, 8, None),
        "new": (2, 1, None),
    }
    for name, times in days_ago.items():
        asked, answered, expired = (day and NOW - day * DAY for day in times)
        await owner.execute(
            "INSERT INTO commands (device_id, name, asked_by, asked_at, expires_at, answered_at, expired_at)"
            " VALUES (1, 'rotate', $1, $2, $2, $3, $4)",
            *(name, asked, answered, expired),
        )
    await owner.execute(
        "INSERT INTO rotations (device_id, secret, secret_hash, began_at, asked_by, moved_at, command_id)"
        " SELECT 1, 's', 'h', $1, 'x', $1, command_id FROM commands WHERE asked_by = 'rotating'",
        NOW,
    )
    await forget(history, Keep(commands=7 * DAY), NOW)
    left = await owner.fetch("SELECT asked_by FROM commands ORDER BY command_id")
    assert [row["asked_by"] for row in left] == [
        "answered late",
        "open",
        "rotating",
        "new",
    ]
    for connection in (owner, history):
        await connection.close()
