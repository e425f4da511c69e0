"""The rules service's SQL, but for alerts: targets, subjects, holds and memory."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from services.core.alerting.alert import Subject
from services.core.alerting.rule import Rule
from services.core.clock import to_milliseconds
from services.core.storage.event_log import Cursor, load_cursor, save_cursor
from services.core.storage.pool import Connection
from services.core.unhurried import Unhurried
from services.rules.kept_targets import decode_targets, encode_targets
from services.rules.stored import LatestRow, StoredHold
from services.rules.targets import Places, TargetFinder, Targets

CONSUMER: Final = "rules"
MEMORY_CONSUMER: Final = "rules.memory"  # keeps the log that follows the stored memory
_LOCK: Final = 0x72756C6573  # "rules"
_GROUPS: Final = 8

_KEEP_PIECE: Final = """
INSERT INTO rule_memory (piece, body) VALUES ($1, $2) ON CONFLICT (piece) DO UPDATE SET body = excluded.body
"""
# Places that share their labels come as one row of columns, a few ten thousand at a time: no row a datastream.
_GROUPED: Final = """
SELECT {shared}, array_agg(source_id) AS source_id, array_agg(frame_id) AS frame_id, array_agg(slot) AS slot,
       array_agg(period_ms) AS period_ms{own}
FROM ({places}) AS places
GROUP BY {shared}, source_id >> 15
"""
_DATASTREAMS: Final = """
SELECT ds.datastream_id AS source_id, sl.frame_id, sl.slot::integer, ds.period_ms, ds.key AS datastream, ds.channel,
       p.key AS observed_property, th.key AS thing, th.kind AS thing_kind, th.domain, di.key AS district,
       de.key AS device, dt.key AS device_type
FROM datastream_slots sl
JOIN datastreams ds USING (datastream_id)
JOIN observed_properties p USING (observed_property_id)
JOIN things th ON th.thing_id = ds.thing_id
JOIN districts di USING (district_id)
JOIN frames f ON f.frame_id = sl.frame_id
JOIN devices de ON de.device_id = f.device_id
JOIN device_types dt ON dt.device_type_id = f.device_type_id
WHERE sl.valid_to = 'infinity' AND ds.retired_at IS NULL AND th.retired_at IS NULL AND de.retired_at IS NULL
  AND ($1::text[] IS NULL OR p.key = ANY($1))
"""
# A gateway that measures nothing is expected as often as the most frequent of the devices it hosts.
_DEVICES: Final = """
SELECT de.device_id AS source_id, coalesce(f.frame_id, -1) AS frame_id, -1 AS slot, de.key AS device,
       dt.key AS device_type, th.key AS thing, th.kind AS thing_kind, th.domain, di.key AS district,
       coalesce(dt.period_ms, hosting.period_ms, 60000) AS period_ms
FROM devices de
LEFT JOIN device_types dt USING (device_type_id)
LEFT JOIN frames f ON f.device_id = de.device_id AND f.closed_at IS NULL
LEFT JOIN things th USING (thing_id)
LEFT JOIN districts di USING (district_id)
LEFT JOIN (
    SELECT h.gateway_id, min(hosted_type.period_ms) AS period_ms
    FROM device_hosts h
    JOIN devices gateway ON gateway.device_id = h.gateway_id AND gateway.device_type_id IS NULL
    JOIN devices hosted ON hosted.device_id = h.device_id AND hosted.retired_at IS NULL
    JOIN device_types hosted_type ON hosted_type.device_type_id = hosted.device_type_id
    WHERE h.retired_at IS NULL
    GROUP BY h.gateway_id
) hosting ON hosting.gateway_id = de.device_id
WHERE de.retired_at IS NULL
"""
_FOLLOWED: Final = (
    "rules", "districts", "observed_properties", "device_types", "things", "devices", "device_hosts", "frames",
    "datastreams", "datastream_slots",
)  # fmt: skip
_HAS_CHANGED: Final = " UNION ALL ".join(
    f"(SELECT 1 FROM {table} WHERE revision > $1 LIMIT 1)"  # noqa: S608 - names from above
    for table in _FOLLOWED
)
_DATASTREAM_SUBJECTS: Final = """
SELECT ds.datastream_id AS source_id, ds.datastream_id, ds.key AS datastream, p.key AS observed_property,
       th.thing_id, th.key AS thing, th.domain, di.district_id, di.key AS district
FROM datastreams ds
JOIN observed_properties p USING (observed_property_id)
JOIN things th USING (thing_id)
JOIN districts di USING (district_id)
WHERE ds.datastream_id = ANY($1)
"""
_DEVICE_SUBJECTS: Final = """
SELECT de.device_id AS source_id, NULL::integer AS datastream_id, de.key AS device,
       th.thing_id, coalesce(th.domain, 'platform') AS domain, di.district_id, di.key AS district
FROM devices de LEFT JOIN things th USING (thing_id) LEFT JOIN districts di USING (district_id)
WHERE de.device_id = ANY($1)
"""
_LABELS: Final = (
    "datastream", "device", "observed_property", "thing",
)  # fmt: skip
_OF_DATASTREAMS: Final = (
    "observed_property",
    "domain",
    "channel",
    "device_type",
    "thing_kind",
    "district",
)
_OF_DEVICES: Final = ("domain", "device_type", "thing_kind", "district")

Row = Mapping[str, Any]


async def become_the_only_one(connection: Connection) -> None:
    """Wait until no other rules service runs; the lock goes with the connection."""
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)


async def registry_revision(connection: Connection) -> int:
    revision: int = await connection.fetchval("SELECT revision FROM registry_state")
    return revision


async def has_changed(connection: Connection, revision: int) -> bool:
    """Whether anything that targets follow from was written after a revision; credentials, say, are not of it."""
    return await connection.fetchval(_HAS_CHANGED, revision) is not None


async def load_targets(connection: Connection, rules: Sequence[Rule]) -> Targets:
    """What the rules look at now; inside a transaction, as it reads with a cursor."""
    finder = TargetFinder(rules)
    if finder.properties != []:
        query = _grouped(_DATASTREAMS, _OF_DATASTREAMS, finder.names_of_datastreams)
        async for row in connection.cursor(query, finder.properties, prefetch=_GROUPS):
            finder.add_datastreams(
                _places(row, _OF_DATASTREAMS, finder.names_of_datastreams)
            )
    if finder.wants_devices:
        query = _grouped(_DEVICES, _OF_DEVICES, finder.names_of_devices)
        async for row in connection.cursor(query, prefetch=_GROUPS):
            finder.add_devices(_places(row, _OF_DEVICES, finder.names_of_devices))
    return finder.targets()


async def read_kept_targets(
    connection: Connection, rules: Sequence[Rule]
) -> Targets | None:
    """Those of the last time that they were looked for, where they are still the same."""
    kept = await connection.fetchval("SELECT revision FROM rule_targets")
    if kept is None or await has_changed(connection, kept):
        return None
    body = await connection.fetchval("SELECT body FROM rule_targets")
    return decode_targets(body, rules)


async def keep_targets(connection: Connection, targets: Targets, revision: int) -> None:
    await connection.execute(
        """
        INSERT INTO rule_targets (revision, body) VALUES ($1, $2)
        ON CONFLICT (only_row) DO UPDATE SET revision = excluded.revision, body = excluded.body
        """,
        revision,
        encode_targets(targets),
    )


def _grouped(places: str, shared: Sequence[str], own: Iterable[str]) -> str:
    names = "".join(f", array_agg({label}) AS {label}" for label in sorted(own))
    return _GROUPED.format(places=places, shared=", ".join(shared), own=names)


def _places(row: Row, shared: Sequence[str], own: Iterable[str]) -> Places:
    return Places(
        labels=_labels(row, shared),
        source_id=np.array(row["source_id"], np.int32),
        frame_id=np.array(row["frame_id"], np.int32),
        slot=np.array(row["slot"], np.int32),
        period_ms=np.array(row["period_ms"], np.int32),
        named={label: row[label] for label in sorted(own)},
    )


def _labels(row: Row, names: Iterable[str]) -> dict[str, str]:
    return {name: value for name in names if isinstance(value := row.get(name), str)}


async def load_subjects(
    connection: Connection, targets: Targets, wanted: Iterable[int]
) -> dict[int, Subject]:
    """What the alerts of targets are about."""
    of_devices = {target: targets.rule(target).watches_devices for target in wanted}
    subjects: dict[int, Subject] = {}
    for query, watched in ((_DATASTREAM_SUBJECTS, False), (_DEVICE_SUBJECTS, True)):
        chosen = [target for target, device in of_devices.items() if device == watched]
        if not chosen:
            continue
        source_ids = targets.source_id[chosen].tolist()
        rows = await connection.fetch(query, sorted(set(source_ids)))
        by_source = {row["source_id"]: row for row in rows}
        subjects |= {
            target: _subject(targets.rule(target), by_source[source_id])
            for target, source_id in zip(chosen, source_ids, strict=True)
        }
    return subjects


def _subject(rule: Rule, row: Row) -> Subject:
    return Subject(
        labels={"rule": rule.key, **_labels(row, _LABELS)},
        rule_key=rule.key,
        annotations=rule.annotations,
        alert_class=rule.alert_class,
        domain=row["domain"],
        district_id=row["district_id"],
        district=row["district"],
        thing_id=row["thing_id"],
        datastream_id=row["datastream_id"],
    )


async def load_holds(connection: Connection) -> list[StoredHold]:
    rows = await connection.fetch(
        "SELECT rule_key, source_id, fingerprint, levels FROM rule_holds"
    )
    return [StoredHold(**row) for row in rows]


async def save_holds(connection: Connection, holds: Iterable[StoredHold]) -> None:
    await connection.executemany(
        """
        INSERT INTO rule_holds (rule_key, source_id, fingerprint, levels) VALUES ($1, $2, $3, $4)
        ON CONFLICT (rule_key, source_id) DO UPDATE SET fingerprint = excluded.fingerprint, levels = excluded.levels
        """,
        [
            (hold.rule_key, hold.source_id, hold.fingerprint, hold.levels)
            for hold in holds
        ],
    )


async def delete_holds(connection: Connection, holds: Iterable[StoredHold]) -> None:
    await connection.executemany(
        "DELETE FROM rule_holds WHERE rule_key = $1 AND source_id = $2",
        [(hold.rule_key, hold.source_id) for hold in holds],
    )


async def load_memory(connection: Connection) -> tuple[list[bytes], Cursor] | None:
    """The stored memory's pieces and the batch as of which it is."""
    rows = await connection.fetch("SELECT body FROM rule_memory ORDER BY piece")
    cursor = await load_cursor(connection, MEMORY_CONSUMER, "observations")
    return ([body for (body,) in rows], cursor) if rows and cursor else None


async def save_memory(
    connection: Connection,
    pieces: Iterable[bytes],
    cursor: Cursor,
    pace: Unhurried | None = None,
) -> None:
    """Inside a transaction. pace: where the judging goes on beside it."""
    count = 0
    for count, piece in enumerate(pieces, start=1):
        await connection.execute(_KEEP_PIECE, count, piece)
        if pace is not None:
            await pace.rest()
    await connection.execute("DELETE FROM rule_memory WHERE piece > $1", count)
    await save_cursor(connection, MEMORY_CONSUMER, "observations", cursor)


async def load_latest(
    connection: Connection, frame_ids: Sequence[int]
) -> list[LatestRow]:
    rows = await connection.fetch(
        "SELECT frame_id, results, times, quality FROM latest_observations WHERE frame_id = ANY($1)",
        frame_ids,
    )
    return [
        LatestRow(
            row["frame_id"],
            row["results"],
            [None if time is None else to_milliseconds(time) for time in row["times"]],
            row["quality"],
        )
        for row in rows
    ]


async def load_last_seen(
    connection: Connection, device_ids: Sequence[int]
) -> dict[int, dt.datetime]:
    rows = await connection.fetch(
        "SELECT device_id, last_seen FROM device_status WHERE device_id = ANY($1) AND last_seen IS NOT NULL",
        device_ids,
    )
    return {row["device_id"]: row["last_seen"] for row in rows}
