"""A city with every kind of thing an API must show, hide or blur, and ways to give it observations."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.core.city.city_file import read_city
from services.core.city.quality import ALL_GOOD
from services.core.clock import to_milliseconds
from services.core.storage.event_log import (
    Cursor,
    NewEntry,
    append,
    save_cursor,
    wake_consumers,
)
from services.core.storage.log_batch import ItemFlag, ObservationBatch, encode
from services.core.storage.pool import Connection
from services.core.storage.registry_store import apply_city

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

# What must never leave by a public door: each of these is in something that is not public.
SECRET = "zq7"
SECRET_NUMBER = 7313.25
SECRET_PLACE = 77.0123457


def name(word: str) -> dict[str, str]:
    return {"kk": f"{word} қаз", "ru": f"{word} рус", "en": f"{word} eng"}


def _square(key: str, west: float) -> dict[str, Any]:
    east = west + 0.1
    ring = [[west, 43.4], [east, 43.4], [east, 43.6], [west, 43.6], [west, 43.4]]
    return {
        "type": "Feature",
        "properties": {"key": key},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


SHAPES: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [_square("gate", 77.0), _square("golden", 77.1)],
}
FILE: dict[str, Any] = {
    "city": {
        "key": "testcity",
        "name": name("City"),
        "time_zone": "Asia/Almaty",
        "centre": [77.1, 43.5],
    },
    "districts": {"gate": {"name": name("Gate")}, "golden": {"name": name("Golden")}},
    "catalogue": {
        "pm25": {
            "domain": "environment",
            "kind": "measurement",
            "unit": "ug/m3",
            "name": name("PM2.5"),
            "privacy": "public",
            "hard": [0, 10000],
            "plausible": [0, 500],
        },
        "rain": {
            "domain": "environment",
            "kind": "counter",
            "unit": "mm",
            "name": name("Rain"),
            "privacy": "public",
        },
        "frequency": {
            "domain": "power",
            "kind": "measurement",
            "unit": "Hz",
            "name": name("Frequency"),
            "privacy": "public",
        },
        "load": {
            "domain": "power",
            "kind": "measurement",
            "unit": "kW",
            "name": name(f"Load {SECRET}"),
        },
        "consumption": {
            "domain": "power",
            "kind": "counter",
            "unit": "kW.h",
            "name": name(f"Consumption {SECRET}"),
            "privacy": "household",
        },
        "pump": {
            "domain": "water",
            "kind": "state",
            "unit": "1",
            "name": name("Pump"),
            "codes": [
                {"value": 0, "key": "stopped", "name": name("stopped")},
                {"value": 1, "key": "running", "name": name("running")},
                {"value": 9, "key": "fault", "abnormal": True, "name": name("fault")},
            ],
        },
        "alarms": {
            "domain": "water",
            "kind": "bits",
            "unit": "1",
            "name": name("Alarms"),
            "codes": [
                {"value": 1, "key": "door", "name": name("door")},
                {"value": 2, "key": "flood", "abnormal": True, "name": name("flood")},
            ],
        },
        "pressure": {
            "domain": "water",
            "kind": "measurement",
            "unit": "bar",
            "name": name("Pressure"),
        },
    },
    "sensors": {"probe": {"name": name("Probe")}},
    "device_types": {
        "air_monitor": {
            "name": name("Air monitor"),
            "sensor": "probe",
            "period": "60s",
            "channels": {"pm25": "pm25", "rain": "rain", f"load-{SECRET}": "load"},
        },
        "bay": {
            "name": name("Bay"),
            "sensor": "probe",
            "period": "2s",
            "channels": {"frequency": "frequency", "load": "load"},
        },
        "meter": {
            "name": name("Meter"),
            "sensor": "probe",
            "period": "60s",
            "channels": {"energy": "consumption", "frequency": "frequency"},
        },
        "pump_controller": {
            "name": name("Pump controller"),
            "sensor": "probe",
            "period": "10s",
            "channels": {"state": "pump", "alarms": "alarms", "pressure": "pressure"},
        },
    },
    "things": {
        "air-1": {
            "kind": "air_station",
            "domain": "environment",
            "name": name("Air one"),
            "description": name("By the road"),
            "at": [77.0500001, 43.5],
            "properties": {"owner": SECRET},
            "devices": {
                "air-1-dev": {"type": "air_monitor", "external_ids": {"serial": SECRET}}
            },
        },
        "substation": {
            "kind": "substation",
            "domain": "power",
            "name": name("Substation"),
            "description": name(f"Behind the {SECRET} gate"),
            "at": [SECRET_PLACE, 43.5],
            "protected": True,
            "devices": {"bay-1": {"type": "bay"}},
            "parts": {
                # Not protected itself, but it stands inside what is.
                "feeder": {
                    "kind": "feeder",
                    "name": name("Feeder"),
                    "description": name(f"Cell {SECRET}"),
                    "at": [SECRET_PLACE, 43.51],
                    "protected": False,
                    "devices": {"bay-2": {"type": "bay"}},
                }
            },
        },
        f"house-{SECRET}": {
            "kind": "connection",
            "domain": "power",
            "name": name(f"House {SECRET}"),
            "at": [SECRET_PLACE, 43.52],
            "devices": {
                f"meter-{SECRET}": {"type": "meter", "hosted_by": [f"gateway-{SECRET}"]}
            },
        },
        f"pump-{SECRET}": {
            "kind": "pump",
            "domain": "water",
            "name": name(f"Pump {SECRET}"),
            "at": [77.15, 43.5],
            "feeds": [f"tank-{SECRET}"],
            "devices": {f"pump-{SECRET}-dev": {"type": "pump_controller"}},
        },
        f"tank-{SECRET}": {
            "kind": "tank",
            "domain": "water",
            "name": name(f"Tank {SECRET}"),
            "at": [77.16, 43.5],
        },
    },
    "devices": {f"gateway-{SECRET}": {}},
}


async def apply(connection: Connection, file: Mapping[str, Any] = FILE) -> None:
    reading = read_city([dict(file), SHAPES])
    assert reading.city is not None, reading.problems
    await apply_city(
        connection, reading.city, retire=False, actor="test", dry_run=False
    )


async def exchange_air(connection: Connection, at: dt.datetime) -> None:
    """What air-1-dev observed is observed by air-1-new from then on."""
    station = {
        **FILE["things"]["air-1"],
        "devices": {"air-1-new": {"type": "air_monitor"}},
    }
    await apply(connection, {**FILE, "things": {**FILE["things"], "air-1": station}})
    await connection.execute(
        """
        UPDATE datastream_slots s SET valid_to = CASE WHEN d.key = 'air-1-dev' THEN $1 ELSE valid_to END,
            valid_from = CASE WHEN d.key = 'air-1-new' THEN $1 ELSE valid_from END
        FROM frames f JOIN devices d USING (device_id)
        WHERE f.frame_id = s.frame_id AND d.key LIKE 'air-1-%'
        """,
        at,
    )


async def empty(connection: Connection) -> None:
    """All but the city."""
    await connection.execute(
        """
        TRUNCATE observations, observation_changes, rejected_messages, latest_observations, device_status,
            publisher_totals, publisher_sequences, gaps, alerts, journal, rule_holds, rules, users, sessions, audit,
            event_log, log_cursors RESTART IDENTITY;
        TRUNCATE commands, corrections CASCADE;
        UPDATE log_streams SET last_batch = 0, logged_at = '-infinity', writer_epoch = 0
        """
    )


async def frame_of(connection: Connection, device: str) -> int:
    frame_id: int = await connection.fetchval(
        "SELECT frame_id FROM frames JOIN devices USING (device_id) WHERE key = $1 AND closed_at IS NULL",
        device,
    )
    return frame_id


Row = tuple[dt.datetime, Sequence[float | None]]


async def store(
    connection: Connection,
    device: str,
    rows: Sequence[Row],
    quality: Sequence[int] | None = None,
) -> None:
    """Observations by slot; quality is of all rows, packed, None all good."""
    frame_id = await frame_of(connection, device)
    await connection.executemany(
        "INSERT INTO observations VALUES ($1, $2, $3, $4, $5)",
        [
            (frame_id, time, list(results), quality, time + SECOND)
            for time, results in rows
        ],
    )


async def store_latest(
    connection: Connection,
    device: str,
    time: dt.datetime,
    results: Sequence[float | None],
) -> None:
    """As history folds it."""
    frame_id = await frame_of(connection, device)
    await connection.execute(
        """
        INSERT INTO latest_observations VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (frame_id) DO UPDATE SET results = excluded.results, times = excluded.times
        """,
        frame_id,
        list(results),
        [None if result is None else time for result in results],
        [ALL_GOOD] * len(results),
        time,
    )


async def log(
    connection: Connection,
    device: str,
    time: dt.datetime,
    results: Sequence[float | None],
) -> int:
    """As ingest appends it and wakes followers; the number of the batch."""
    values = np.array([np.nan if value is None else value for value in results])
    batch = ObservationBatch(
        frame_ids=np.array([await frame_of(connection, device)], np.int32),
        times_ms=np.array([to_milliseconds(time)], np.int64),
        flags=np.array([ItemFlag.NEW], np.uint8),
        offsets=np.array([0, len(values)], np.int32),
        results=values,
        quality=np.full(len(values), ALL_GOOD, np.uint8),
    )
    return await log_body(connection, encode(batch), time)


async def log_body(connection: Connection, body: bytes, time: dt.datetime) -> int:
    async with connection.transaction():
        cursor = await append(connection, "observations", NewEntry(body, time))
    await wake_consumers(connection, "observations")
    return cursor.batch


async def fold_up_to_now(connection: Connection) -> None:
    """History's cursor is at the end of the log."""
    row = await connection.fetchrow(
        "SELECT last_batch, logged_at FROM log_streams WHERE stream = 'observations'"
    )

    await save_cursor(
        connection,
        "history",
        "observations",
        Cursor(row["last_batch"], row["logged_at"]),
    )
