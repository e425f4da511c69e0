"""Alert stories: a small city, what its devices report second by second, and what the journal says afterwards."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.core.alerting.rule_file import CheckedRule, Vocabulary, read_rules
from services.core.city.entities import City
from services.core.city.quality import Quality, pack
from services.core.storage import event_log, log_batch
from services.core.storage.event_log import NewEntry
from services.core.storage.log_batch import (
    Accounts,
    ItemFlag,
    Notice,
    ObservationBatch,
)
from services.core.storage.pool import Connection
from services.core.storage.registry_store import apply_city
from services.core.storage.rule_store import apply_rules
from services.rules.engine import Engine
from tests.unit.city.small_city import small_city

START = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
START_MS = 1_795_320_000_000
NAN = float("nan")
_NAME = {"kk": "К", "ru": "Р", "en": "E"}


def rule_document(**changes: Any) -> dict[str, Any]:
    """Level of a reservoir below 2 m for 10 s, worse below 1.2 m; clears above 2.5 m."""
    return {
        "name": _NAME,
        "kind": "threshold",
        "class": "process",
        "target": {"observed_property": "level"},
        "operator": "<",
        "hold_for": "10s",
        "levels": [
            {"severity": "medium", "value": 2, "clear": 2.5},
            {"severity": "critical", "value": 1.2, "clear": 1.5},
        ],
        "cause": _NAME,
        "consequence": _NAME,
        "action": _NAME,
        "respond_within": "15min",
        **changes,
    }


def silence_document(**changes: Any) -> dict[str, Any]:
    """A device silent for three periods, worse after a minute."""
    document = rule_document(
        kind="dead_man",
        target={},
        of="device",
        levels=[
            {"severity": "low", "silent_for": "3 periods"},
            {"severity": "high", "silent_for": "60s"},
        ],
        **{"class": "equipment"},
    )
    for name in ("operator", "hold_for"):
        del document[name]
    return document | changes


def checked_rules(city: City, **documents: dict[str, Any]) -> tuple[CheckedRule, ...]:
    reading = read_rules([{"rules": documents}], Vocabulary.of_city(city))
    assert not reading.problems, reading.problems
    return reading.rules


@dataclass
class Item:
    frame_id: int
    results: list[float]
    time: float  # seconds after START
    flag: ItemFlag = ItemFlag.NEW
    quality: Quality = Quality.GOOD


@dataclass
class Beat:
    """What ingest logs in one second."""

    items: list[Item] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    publishers: list[int] = field(default_factory=list)
    unheard: list[int] = field(default_factory=list)  # of them, only told again
    caught_up: bool = True
    missing: bool = False

    def batch(self) -> ObservationBatch:
        widths = [len(item.results) for item in self.items]
        return ObservationBatch(
            frame_ids=np.array([item.frame_id for item in self.items], np.int32),
            times_ms=np.array(
                [START_MS + round(item.time * 1000) for item in self.items], np.int64
            ),
            flags=np.array([item.flag for item in self.items], np.uint8),
            offsets=np.cumsum([0, *widths], dtype=np.int32),
            results=np.array(
                [value for item in self.items for value in item.results], np.float64
            ),
            quality=np.array(
                [
                    pack(item.quality, Quality.GOOD)
                    for item in self.items
                    for _ in item.results
                ],
                np.uint8,
            ),
            accounts=Accounts(
                np.array(self.publishers, np.int32),
                *(np.ones(len(self.publishers), np.int32) for _ in range(6)),
            ),
            notices=tuple(self.notices),
            unheard=np.array(self.unheard, np.int32),
        )


class Story:
    """Seconds of the log of one device's frame (or several), to be told to the rules."""

    def __init__(self, *, seconds: int) -> None:
        self.seconds = seconds
        self.beats: dict[int, Beat] = defaultdict(Beat)

    def reports(
        self,
        second: int,
        results: Sequence[float],
        *,
        frame: int = 1,
        time: float | None = None,
        flag: ItemFlag = ItemFlag.NEW,
        quality: Quality = Quality.GOOD,
    ) -> None:
        """An item that arrives at a second; its own time is that unless told otherwise."""
        own = second if time is None else time
        self.beats[second].items.append(Item(frame, list(results), own, flag, quality))

    def reports_every(
        self,
        period: int,
        results: Sequence[float],
        *,
        between: tuple[int, int],
        frame: int = 1,
    ) -> None:
        for second in range(between[0], between[1] + 1, period):
            self.reports(second, results, frame=frame)

    def device_notice(self, second: int, kind: Any, device_id: int) -> None:
        notice = Notice(
            kind=kind, device_id=device_id, publisher_id=device_id, time_ms=START_MS
        )
        self.beats[second].notices.append(notice)

    def ingest_is_behind(self, between: tuple[int, int]) -> None:
        for second in range(between[0], between[1] + 1):
            self.beats[second].caught_up = False

    def ingest_is_down(self, between: tuple[int, int]) -> None:
        for second in range(between[0], between[1] + 1):
            self.beats[second].missing = True

    def is_told_from(self, second: int) -> None:
        """What came before is in the log already."""
        for earlier in range(second):
            self.beats[earlier].missing = True

    async def log(self, connection: Connection) -> None:
        """Write it to the event log, a batch a second, as ingest does even when nothing comes."""
        for second in range(self.seconds + 1):
            beat = self.beats[second]
            if beat.missing:
                continue
            async with connection.transaction():
                await event_log.append(
                    connection,
                    "observations",
                    NewEntry(
                        log_batch.encode(beat.batch()),
                        START + dt.timedelta(seconds=second),
                        caught_up=beat.caught_up,
                    ),
                )


async def make_city(
    connection: Connection,
    change: Callable[[dict[str, Any]], None] | None = None,
    **documents: dict[str, Any],
) -> City:
    city = small_city(change)
    await apply_city(connection, city, retire=True, actor="test", dry_run=False)
    await put_rules(connection, city, **documents)
    return city


async def put_rules(
    connection: Connection, city: City, **documents: dict[str, Any]
) -> None:
    rules = checked_rules(city, **documents)
    await apply_rules(connection, rules, "test", retire=True, dry_run=False)


async def run_rules(
    connection: Connection, *, group: int = 100, engine: Engine | None = None
) -> Engine:
    """Take all that is logged, so many batches at a time."""
    engine = engine or await Engine.begin(connection)
    while entries := await event_log.read(
        connection, "observations", engine.cursor, group
    ):
        await engine.take(entries)
    return engine


def _seconds(moment: dt.datetime | None) -> float | None:
    return None if moment is None else (moment - START).total_seconds()


async def journal(connection: Connection) -> list[tuple[Any, ...]]:
    """(second, rule, action, severity's reason, value, version) in order."""
    rows = await connection.fetch(
        """
        SELECT j.at, a.rule_key, j.action, j.reason, j.value, j.version
        FROM journal j JOIN alerts a USING (alert_id) ORDER BY j.journal_id
        """
    )
    return [(_seconds(row["at"]), *tuple(row)[1:]) for row in rows]


async def told(connection: Connection) -> list[tuple[float | None, str]]:
    """The journal as (second, action)."""
    return [(row[0], row[2]) for row in await journal(connection)]


async def alerts(connection: Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch("SELECT * FROM alerts ORDER BY alert_id")
    times = ("starts_at", "detected_at", "ends_at", "updated_at", "acknowledged_at")
    return [{**row, **{name: _seconds(row[name]) for name in times}} for row in rows]
