"""Fleets into the registry: what is new part by part, what was there compared and written a whole table at a time."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from services.core.city.entities import Fleet
from services.core.city.records import Section
from services.core.storage import registry_sql as sql
from services.core.storage.pool import Connection
from services.core.storage.registry_new_fleets import write_new_fleet
from services.core.storage.registry_read import QUERIES
from services.core.storage.registry_staging import (
    DATASTREAMS,
    STAGED,
    Progress,
    analyze_staged,
    copy_part,
    create_staged,
    forget_staged,
    read_parts,
)

_WRITTEN: Final = (*STAGED, Section.DATASTREAM)
_KEPT_WITH_FLEET: Final = (Section.THING, Section.DEVICE)
_TABLES: Final = [
    *(sql.TABLES[section] for section in _WRITTEN),
    "frames",
    "datastream_slots",
]
# Sorting and hashing millions of rows; for the rest of this transaction.
_ROOM: Final = (
    "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB'; SET LOCAL jit = off"
)
_STAGE_DATASTREAMS: Final = (
    f"CREATE TEMP TABLE staged_datastream ON COMMIT DROP AS {DATASTREAMS}"
)
_TIES: Final = (
    "INSERT INTO wanted_ties SELECT key, device, channel FROM staged_datastream"
)
_REPLACED: Final = """
SELECT k.key FROM ({known}) AS k JOIN staged_datastream s USING (key)
WHERE (k.observed_property, k.sampling, k.sampling_ms) <> (s.observed_property, s.sampling, s.sampling_ms)
   OR (coalesce(k.device_type, s.device_type) = s.device_type AND s.device_type || '.' || s.channel = ANY ($1))
"""
_COUNT_VANISHED: Final = """
UPDATE fleets SET vanished = (
    SELECT count(*) FROM devices d WHERE d.fleet_id = $1 AND d.retired_at IS NULL
    AND NOT EXISTS (SELECT FROM staged_device n WHERE n.key = d.key))
WHERE fleet_id = $1
"""
_VANISHED: Final[dict[Section, str]] = {
    Section.THING: """
        UPDATE things k SET retired_at = now(), revision = $1
        WHERE k.fleet_id = $2 AND k.retired_at IS NULL {and_gone}""",
    Section.DEVICE: """
        UPDATE devices k SET retired_at = now(), revision = $1
        WHERE k.fleet_id = $2 AND k.retired_at IS NULL {and_gone}""",
    Section.HOST: """
        UPDATE device_hosts h SET retired_at = now(), revision = $1
        FROM devices d, devices g
        WHERE h.device_id = d.device_id AND h.gateway_id = g.device_id AND d.fleet_id = $2 AND h.retired_at IS NULL {and_gone}""",
    Section.RELATION: """
        UPDATE thing_relations r SET retired_at = now(), revision = $1
        FROM things s, things t
        WHERE r.source_thing_id = s.thing_id AND r.target_thing_id = t.thing_id AND $2 IN (s.fleet_id, t.fleet_id)
          AND r.retired_at IS NULL {and_gone}""",
    Section.DATASTREAM: """
        UPDATE datastreams k SET retired_at = now(), revision = $1
        FROM things t
        WHERE k.thing_id = t.thing_id AND t.fleet_id = $2 AND k.retired_at IS NULL {and_gone}""",
}
_GONE: Final[dict[Section, str]] = {
    Section.THING: "AND NOT EXISTS (SELECT FROM staged_thing n WHERE n.key = k.key)",
    Section.DEVICE: "AND NOT EXISTS (SELECT FROM staged_device n WHERE n.key = k.key)",
    Section.HOST: "AND NOT EXISTS (SELECT FROM staged_host n WHERE n.gateway = g.key AND n.device = d.key)",
    Section.RELATION: """
        AND NOT EXISTS (SELECT FROM staged_relation n WHERE (n.kind, n.source, n.target) = (r.kind, s.key, t.key))""",
    Section.DATASTREAM: "AND NOT EXISTS (SELECT FROM staged_datastream n WHERE n.key = k.key)",
}
_HAS_MEMBERS: Final = """
SELECT EXISTS (SELECT FROM things WHERE fleet_id = $1) OR EXISTS (SELECT FROM devices WHERE fleet_id = $1)
"""
# By-row checks of foreign keys take longer than the rows themselves: where the server lets us, they are left out.
# Every id of a new fleet is read from the row it leads to, by the statement that writes it.
_MAY_LEAVE_OUT_CHECKS: Final = "SELECT current_setting('is_superuser')::bool OR has_parameter_privilege('session_replication_role', 'SET')"
_WITHOUT_CHECKS: Final = "SET LOCAL session_replication_role = replica"
_WITH_CHECKS: Final = "SET LOCAL session_replication_role = origin"
# Every plan, of every service, would else be made for an empty registry. What is left to do is little beside it.
_KNOWN_NOW: Final = f"ANALYZE {', '.join(_TABLES)}; SET LOCAL enable_nestloop = on"


class FleetWriter:
    """In the transaction of an apply. channels: of the file's device types; rescaled: those that mean something else."""

    def __init__(
        self,
        connection: Connection,
        revision: int,
        channels: Sequence[str],
        rescaled: Sequence[str],
    ) -> None:
        self._connection = connection
        self._revision = revision
        self._channels = channels
        self._rescaled = rescaled

    async def write(self, fleet: Fleet, progress: Progress, *, retire: bool) -> None:
        """Make the registry hold these members; with retire no others of this fleet.

        Raises:
            CityFileError: members that cannot be; nothing is written then.
        """
        run = self._connection.execute
        await run(_ROOM)
        await run(
            "SELECT set_config('alatau.channels', $1::text[]::text, true)",
            self._channels,
        )
        fleet_id: int = await self._connection.fetchval(
            "SELECT fleet_id FROM fleets WHERE key = $1", fleet.key
        )
        if await self._write_new(fleet, fleet_id, progress):
            return
        await create_staged(self._connection)
        done = 0
        for part in read_parts(fleet):
            await copy_part(self._connection, part)
            done += part.devices
            progress(f"{fleet.key}: reading devices", done, fleet.devices)
        await analyze_staged(self._connection)
        await self._write_changes(fleet_id, retire=retire)
        await forget_staged(self._connection)

    async def retire(self, key: str) -> None:
        """The fleet's members, all of them."""
        fleet_id = await self._connection.fetchval(
            "SELECT fleet_id FROM fleets WHERE key = $1", key
        )
        for statement in _VANISHED.values():
            await self._connection.execute(
                statement.format(and_gone=""), self._revision, fleet_id
            )

    async def _write_new(self, fleet: Fleet, fleet_id: int, progress: Progress) -> bool:
        """False: some of it is there already, and nothing was written."""
        run = self._connection.execute
        if await self._connection.fetchval(_HAS_MEMBERS, fleet_id):
            return False
        unchecked = await self._connection.fetchval(_MAY_LEAVE_OUT_CHECKS)
        try:
            async with self._connection.transaction():
                if unchecked:
                    await run(_WITHOUT_CHECKS)
                await write_new_fleet(
                    self._connection, self._revision, fleet, fleet_id, progress
                )
        except asyncpg.UniqueViolationError:
            return False
        if unchecked:
            await run(_WITH_CHECKS)
        await run(_KNOWN_NOW)
        return True

    async def _write_changes(self, fleet_id: int, *, retire: bool) -> None:
        for section in _WRITTEN:
            if section is Section.DATASTREAM:
                await self._connection.execute(_STAGE_DATASTREAMS)
                await self._retire_replaced()
            changed = f"changed_{section}"
            await self._connection.execute(
                f"CREATE TEMP TABLE {changed} ON COMMIT DROP AS {_differing(section)}"
            )
            await self._merge(section, changed, fleet_id)
            await self._connection.execute(f"DROP TABLE {changed}")
            if retire:
                statement = _VANISHED[section].format(and_gone=_GONE[section])
                await self._connection.execute(statement, self._revision, fleet_id)
        await self._connection.execute(_TIES)
        await self._connection.execute(_COUNT_VANISHED, fleet_id)

    async def _merge(self, section: Section, rows: str, fleet_id: int) -> None:
        own = (fleet_id,) if section in _KEPT_WITH_FLEET else ()
        await self._connection.execute(
            sql.merge_of(section, rows), self._revision, *own
        )

    async def _retire_replaced(self) -> None:
        query = _REPLACED.format(known=QUERIES[Section.DATASTREAM])
        rows = await self._connection.fetch(query, self._rescaled)
        if rows:
            await self._connection.execute(
                sql.RETIRE_REPLACED[Section.DATASTREAM],
                self._revision,
                [row["key"] for row in rows],
            )


def _differing(section: Section) -> str:
    """The staged rows that the registry does not have just so."""
    columns = [column.split()[0] for column in sql.ROWS[section].split(",")]
    keys = ["key"] if "key" in columns else columns
    facts = ", ".join(f"s.{column}" for column in columns)
    known = ", ".join(f"k.{column}" for column in columns)
    return f"""
        SELECT s.* FROM staged_{section} s
        LEFT JOIN ({QUERIES[section]}) AS k USING ({", ".join(keys)})
        WHERE k.retired IS NOT FALSE OR ({facts}) IS DISTINCT FROM ({known})"""  # noqa: S608 - names from this package
