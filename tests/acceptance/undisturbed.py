"""What the rules would have said had nothing happened to them: the same event log, judged in one go."""

from pathlib import Path
from typing import Final

from services.core.city_folder import load_city
from services.core.storage import event_log
from services.core.storage.event_log import Cursor
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city
from services.rules.engine import Engine
from services.rules.platform_faults import FAULTS

_PAGE: Final = 200  # batches
CITY = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
FRAMES = (
    "SELECT d.key, f.frame_id FROM frames f JOIN devices d USING (device_id) ORDER BY 1"
)
EPISODES = """
    SELECT a.fingerprint, a.rule_key, a.severity, a.state, a.starts_at, a.detected_at, a.ends_at, a.value,
           (SELECT array_agg(j.action || ' ' || j.at ORDER BY j.journal_id) FROM journal j
            WHERE j.alert_id = a.alert_id AND j.actor LIKE 'rule:%') AS moves
    FROM alerts a WHERE a.rule_key <> ALL($1) ORDER BY a.starts_at, a.fingerprint
"""


async def judge_undisturbed(
    lived: Connection, dsn: str
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """(alert episodes of the installation, episodes of an engine that judged its log without a break).

    dsn: an empty, migrated database.
    """
    async with lived.transaction(isolation="repeatable_read", readonly=True):
        judged = await event_log.load_cursor(lived, "rules", "observations")
        episodes = await _episodes(lived)
    assert judged is not None
    calm = await connect(dsn, "test")
    try:
        await apply_city(
            calm, load_city(CITY), retire=False, actor="test", dry_run=False
        )
        assert await calm.fetch(FRAMES) == await lived.fetch(FRAMES), (
            "the copy numbers its frames differently"
        )
        await _copy_rules(lived, calm)
        engine = await Engine.begin(calm)
        await _judge(lived, engine, judged)
        return episodes, await _episodes(calm)
    finally:
        await calm.close()


async def _judge(lived: Connection, engine: Engine, judged: Cursor) -> None:
    """Up to where the installation's rules had come."""
    at = engine.cursor
    while at.batch < judged.batch:
        entries = await event_log.read(
            lived, "observations", at, min(_PAGE, judged.batch - at.batch)
        )
        await engine.take(entries)
        at = entries[-1].cursor


async def _copy_rules(source: Connection, target: Connection) -> None:
    rows = await source.fetch("SELECT * FROM rules ORDER BY rule_id")
    columns = ", ".join(rows[0].keys())
    places = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
    await target.executemany(
        f"INSERT INTO rules ({columns}) OVERRIDING SYSTEM VALUE VALUES ({places})",  # noqa: S608 - named by us
        [tuple(row) for row in rows],
    )


async def _episodes(connection: Connection) -> list[tuple[object, ...]]:
    """Of the city. What the platform said of itself does not follow from the log."""
    return [tuple(row) for row in await connection.fetch(EPISODES, list(FAULTS))]
