"""A fleet of which nothing is there yet: its members are written some at a time, while the next are being read."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

from services.core.city.entities import Fleet
from services.core.storage.pool import Connection
from services.core.storage.registry_staging import (
    DATASTREAMS,
    STAGED,
    Part,
    Progress,
    analyze_staged,
    copy_part,
    create_staged,
    forget_staged,
    read_parts,
)

# Ids that were given to the members at hand. What their rows point to is among them, or was named in the file.
_CREATE_WRITTEN: Final = """
CREATE TEMP TABLE written_thing (thing_id integer, key text) ON COMMIT DROP;
CREATE TEMP TABLE written_device (device_id integer, key text) ON COMMIT DROP;
CREATE TEMP TABLE written_frame (frame_id integer, device_id integer) ON COMMIT DROP;
"""
_WRITTEN: Final = ("written_thing", "written_device", "written_frame")
_FORGET_WRITTEN: Final = "".join(f"DROP TABLE {table};" for table in _WRITTEN)
_EMPTY: Final = "TRUNCATE " + ", ".join(
    [*(f"staged_{section}" for section in STAGED), *_WRITTEN]
)
_THINGS: Final = """
WITH new AS (
    INSERT INTO things (key, kind, domain, name, description, district_id, longitude, latitude, geometry, status,
                        protected, properties, fleet_id, revision)
    SELECT r.key, r.kind, r.domain, r.name, r.description, d.district_id, r.longitude, r.latitude, r.geometry, r.status,
           r.protected, r.properties, $2, $1
    FROM staged_thing r JOIN districts d ON d.key = r.district
    RETURNING thing_id, key)
INSERT INTO written_thing SELECT * FROM new
"""
_RELATIONS: Final = """
INSERT INTO thing_relations (kind, source_thing_id, target_thing_id, revision)
SELECT r.kind, coalesce(s.thing_id, (SELECT thing_id FROM things WHERE key = r.source)),
       coalesce(t.thing_id, (SELECT thing_id FROM things WHERE key = r.target)), $1
FROM staged_relation r
LEFT JOIN written_thing s ON s.key = r.source
LEFT JOIN written_thing t ON t.key = r.target
"""
_DEVICES: Final = """
WITH new AS (
    INSERT INTO devices (key, device_type_id, thing_id, publishes, external_ids, fleet_id, revision)
    SELECT r.key, y.device_type_id, t.thing_id, r.publishes, r.external_ids, $2, $1
    FROM staged_device r
    LEFT JOIN device_types y ON y.key = r.device_type
    LEFT JOIN written_thing t ON t.key = r.thing
    RETURNING device_id, key)
INSERT INTO written_device SELECT * FROM new
"""
_HOSTS: Final = """
INSERT INTO device_hosts (gateway_id, device_id, revision)
SELECT coalesce(g.device_id, (SELECT device_id FROM devices WHERE key = r.gateway)), d.device_id, $1
FROM staged_host r
JOIN written_device d ON d.key = r.device
LEFT JOIN written_device g ON g.key = r.gateway
"""
# In the order they were registered in: members of one gateway lie together, and so do their rows later.
_FRAMES: Final = """
WITH new AS (
    INSERT INTO frames (device_id, device_type_id, revision)
    SELECT w.device_id, y.device_type_id, $1
    FROM written_device w
    JOIN staged_device r USING (key)
    JOIN device_types y ON y.key = r.device_type
    ORDER BY w.device_id
    RETURNING frame_id, device_id)
INSERT INTO written_frame SELECT * FROM new
"""
_DATASTREAMS_AND_SLOTS: Final = f"""
WITH streams AS MATERIALIZED (
    SELECT CASE privacy WHEN 'public' THEN nextval('public_datastream_ids')
                        ELSE nextval('internal_datastream_ids') END AS datastream_id, placed.*
    FROM (SELECT r.*, t.thing_id, f.frame_id
          FROM ({DATASTREAMS}) r
          JOIN written_thing t ON t.key = r.thing
          JOIN written_device d ON d.key = r.device
          JOIN written_frame f USING (device_id)
          ORDER BY f.frame_id, r.slot) AS placed
), written AS (
    INSERT INTO datastreams (datastream_id, key, thing_id, sensor_id, observed_property_id, channel, name, period_ms,
                             sampling, sampling_ms, revision)
    SELECT datastream_id, key, thing_id, sensor_id, observed_property_id, channel, name, period_ms, sampling, sampling_ms,
           $1
    FROM streams)
INSERT INTO datastream_slots (datastream_id, frame_id, slot, revision)
SELECT datastream_id, frame_id, slot, $1 FROM streams
"""  # noqa: S608 - a statement of this package
_KEPT_WITH_FLEET: Final = (_THINGS, _DEVICES)
_IN_ORDER: Final = (
    _THINGS,
    _RELATIONS,
    _DEVICES,
    _HOSTS,
    _FRAMES,
    _DATASTREAMS_AND_SLOTS,
)


async def write_new_fleet(
    connection: Connection,
    revision: int,
    fleet: Fleet,
    fleet_id: int,
    progress: Progress,
) -> None:
    """Write all of its members.

    Raises:
        CityFileError: members that cannot be.
        asyncpg.UniqueViolationError: one of them is there after all.
    """
    await create_staged(connection)
    await connection.execute(_CREATE_WRITTEN)
    done = 0
    async with aclosing(_one_ahead(read_parts(fleet))) as parts:
        async for part in parts:
            await copy_part(connection, part)
            if not done:
                await analyze_staged(connection)
            for statement in _IN_ORDER:
                own = (fleet_id,) if statement in _KEPT_WITH_FLEET else ()
                await connection.execute(statement, revision, *own)
            await connection.execute(_EMPTY)
            done += part.devices
            progress(f"{fleet.key}: registering devices", done, fleet.devices)
    await connection.execute(_FORGET_WRITTEN)
    await forget_staged(connection)


async def _one_ahead(parts: Iterator[Part]) -> AsyncGenerator[Part, None]:
    """The next is made in a thread while the last is at work in the database."""
    coming = asyncio.create_task(asyncio.to_thread(next, parts, None))
    try:
        while (part := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, parts, None))
            yield part
    finally:
        # A thread cannot be stopped; what it then fails with matters to nobody.
        await asyncio.wait([coming])
        coming.exception()
