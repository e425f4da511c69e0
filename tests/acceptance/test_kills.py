"""kill -9 of any process, at random, under the simulated city's load: nothing receipted is lost, nothing is stored twice.

ALATAU_KILLS (2 here, as tests/faults has more; 50 for the long run) and ALATAU_SEED make it longer or another one.
"""

import os
import random
from typing import Any

import pytest

from device_sim.folder import OUTBOX
from device_sim.report import Report, read_report
from services.core.storage.ledger import Ledger, read_ledger
from services.core.storage.pool import Connection
from tests.acceptance.undisturbed import judge_undisturbed
from tests.installation import Installation, installation, kill, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("ALATAU_KILLS", "2"))
SEED = int(os.environ.get("ALATAU_SEED", "1"))
ITEMS_BETWEEN = (20, 400)
STORED = """
    SELECT d.key AS device, count(*) AS items FROM observations o
    JOIN frames f USING (frame_id) JOIN devices d USING (device_id) GROUP BY 1
"""
SETTLED = """
    SELECT d.key AS publisher, s.epoch, s.settled FROM publisher_sequences s
    JOIN devices d ON d.device_id = s.publisher_id
"""


def test_killing_any_process_at_random_loses_nothing(database_url: str) -> None:
    chance = random.Random(SEED)
    with installation("kills") as city:
        city.up("--incident", "burst_main@5")
        until(
            "the city reports", lambda: ledger_of(city).total.stored > ITEMS_BETWEEN[0]
        )
        for _ in range(KILLS):
            kill_one(city, chance)
            let_items_pass(city, chance.randint(*ITEMS_BETWEEN))
        until("the burst is told", lambda: burst_is_told(city))
        city.down()
        report = read_report(city.home / "simulator" / OUTBOX)
        city.up("--no-sim")
        until("everything is folded", lambda: is_folded(city))
        no_receipted_message_is_missing(city, report)
        the_ledger_is_exact(city)
        lived, undisturbed = city.query(
            lambda connection: judge_undisturbed(connection, database_url)
        )
    assert lived == undisturbed
    assert any("burst" in str(episode[1]) for episode in lived), (
        "the incident raised no alert"
    )


def burst_is_told(city: Installation) -> bool:
    async def look(connection: Connection) -> bool:
        fired = await connection.fetchval(
            "SELECT count(*) FROM alerts WHERE rule_key LIKE '%burst%' AND detected_at IS NOT NULL"
        )
        return bool(fired)

    told: bool = city.query(look)
    return told


def kill_one(city: Installation, chance: random.Random) -> None:
    """Kill -9 one process of the installation; wait until another runs in its place."""
    before = city.status()["services"]
    name = chance.choice(sorted(name for name, entry in before.items() if entry["pid"]))
    kill(before[name]["pid"])

    def is_back() -> bool:
        now = city.status()["services"][name]
        running: bool = now["state"] == "running"
        return running and now["pid"] != before[name]["pid"]

    until(f"{name} runs again", is_back, seconds=60)


def let_items_pass(city: Installation, count: int) -> None:
    target = ledger_of(city).total.received + count
    until(
        f"{count} more items",
        lambda: ledger_of(city).total.received >= target,
        seconds=60,
    )


def ledger_of(city: Installation) -> Ledger:
    async def read_when_there_is_a_database(connection: Connection) -> Ledger:
        return await read_ledger(connection)

    while True:
        try:
            ledger: Ledger = city.query(read_when_there_is_a_database)
        except (OSError, ConnectionError) as error:
            until(
                f"the database is back ({error})",
                lambda: city.status()["services"]["database"]["state"] == "running",
            )
            continue
        return ledger


def is_folded(city: Installation) -> bool:
    async def cursors(connection: Connection) -> Any:
        return await connection.fetchrow(
            "SELECT min(c.batch) >= min(s.last_batch) - 2 AND count(*) = 2 AS folded FROM log_cursors c"
            " JOIN log_streams s USING (stream) WHERE s.stream = 'observations' AND consumer IN ('history', 'rules')"
        )

    folded: bool = city.query(cursors)["folded"]
    return folded


def no_receipted_message_is_missing(city: Installation, report: Report) -> None:
    async def settled(
        connection: Connection,
    ) -> dict[tuple[str, int], list[tuple[int, int]]]:
        rows = await connection.fetch(SETTLED)
        return {(row["publisher"], row["epoch"]): row["settled"] for row in rows}

    known = city.query(settled)
    missing = []
    for publisher in report.publishers:
        ranges = known.get((publisher.publisher, publisher.epoch), [])
        pending = {
            number
            for first, last in publisher.pending
            for number in range(first, last + 1)
        }
        held = {number for first, last in ranges for number in range(first, last + 1)}
        receipted = set(range(publisher.first_seq, publisher.last_seq + 1)) - pending
        if lost := receipted - held:
            missing.append(f"{publisher.publisher}: {sorted(lost)[:10]}")
    assert report.messages > report.pending_messages
    assert not missing, "\n".join(missing)


def the_ledger_is_exact(city: Installation) -> None:
    """Every item that is counted as stored is one row, and every row was counted once."""

    async def facts(connection: Connection) -> tuple[Ledger, int, int, int]:
        return (
            await read_ledger(connection),
            await connection.fetchval("SELECT count(*) FROM observations"),
            await connection.fetchval(
                "SELECT count(*) FROM rejected_messages WHERE scope <> 'value'"
            ),
            await connection.fetchval("SELECT count(*) FROM gaps WHERE lost"),
        )

    ledger, rows, rejected, lost = city.query(facts)
    assert ledger.balanced
    assert ledger.total.stored == rows
    assert ledger.total.rejected == rejected
    assert lost == 0
