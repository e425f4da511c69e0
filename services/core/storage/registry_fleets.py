"""Fleets into the registry: members are staged by COPY, compared and written a whole table at a time."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from services.core.city.entities import Fleet, FleetPart
from services.core.city.records import Record, Section, part_records
from services.core.errors import CityFileError
from services.core.storage import registry_sql as sql
from services.core.storage.pool import Connection
from services.core.storage.registry_read import QUERIES

Progress = Callable[[str, int, int], None]  # what is being done, so many, of so many

_COPIED: Final = (Section.THING, Section.RELATION, Section.DEVICE, Section.HOST)
_WRITTEN: Final = (*_COPIED, Section.DATASTREAM)
_KEPT_WITH_FLEET: Final = (Section.THING, Section.DEVICE)
_TABLES: Final = [
    *(sql.TABLES[section] for section in _WRITTEN),
    "frames",
    "datastream_slots",
]
_CATALOGUE: Final = ("device_types", "device_type_channels", "observed_properties")
_MOST_TOLD: Final = 20

_STAGE: Final = "".join(
    f"CREATE TEMP TABLE staged_{section} ({sql.ROWS[section]}) ON COMMIT DROP;"
    for section in _COPIED
)
_FORGET: Final = "".join(
    f"DROP TABLE IF EXISTS staged_{section};" for section in _WRITTEN
)
# Sorting and hashing millions of rows; for the rest of this transaction.
_ROOM: Final = (
    "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB'; SET LOCAL jit = off"
)
_IS_FRESH: Final = """
SELECT NOT EXISTS (SELECT FROM staged_thing JOIN things USING (key))
   AND NOT EXISTS (SELECT FROM staged_device JOIN devices USING (key))
"""
# What core.city.datastreams says of one device; a test holds the two together.
_DATASTREAMS: Final = """
SELECT d.thing || '.' || c.channel AS key, d.thing, c.channel, p.key AS observed_property, i.key AS sensor,
       jsonb_build_object('kk', (t.name ->> 'kk') || ': ' || (p.name ->> 'kk') || c.label,
                          'ru', (t.name ->> 'ru') || ': ' || (p.name ->> 'ru') || c.label,
                          'en', (t.name ->> 'en') || ': ' || (p.name ->> 'en') || c.label) AS name,
       y.period_ms, c.sampling, c.sampling_ms, d.key AS device, y.key AS device_type
FROM staged_device d
JOIN staged_thing t ON t.key = d.thing
JOIN device_types y ON y.key = d.device_type
JOIN sensors i USING (sensor_id)
JOIN (SELECT c.*, CASE WHEN count(*) OVER (PARTITION BY y.key, c.observed_property_id) > 1
                       THEN ' (' || c.channel || ')' ELSE '' END AS label
      FROM device_type_channels c JOIN device_types y USING (device_type_id)
      WHERE c.retired_at IS NULL AND y.key || '.' || c.channel IN (SELECT unnest(current_setting('alatau.channels')::text[]))
     ) c ON c.device_type_id = y.device_type_id
JOIN observed_properties p USING (observed_property_id)
"""
_STAGE_DATASTREAMS: Final = (
    f"CREATE TEMP TABLE staged_datastream ON COMMIT DROP AS {_DATASTREAMS}"
)
_FRESH_SLOTS: Final = """
INSERT INTO datastream_slots (datastream_id, frame_id, slot, revision)
SELECT s.datastream_id, f.frame_id, c.slot, $1
FROM devices d
JOIN frames f ON f.device_id = d.device_id AND f.closed_at IS NULL
JOIN device_type_channels c ON c.device_type_id = d.device_type_id AND c.retired_at IS NULL
JOIN datastreams s ON s.thing_id = d.thing_id AND s.channel = c.channel
WHERE d.fleet_id = $2 AND d.revision = $1 AND s.revision = $1
ORDER BY f.frame_id, c.slot
"""
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
# By-row checks of foreign keys take longer than the rows themselves: where the server lets us, they are left
# out, and what was written is checked afterwards as one.
_MAY_CHECK_LATER: Final = "SELECT current_setting('is_superuser')::bool OR has_parameter_privilege('session_replication_role', 'SET')"
_CHECK_LATER: Final = "SET LOCAL session_replication_role = replica"
_CHECK_NOW: Final = "SET LOCAL session_replication_role = origin"
_DANGLING: Final = """
SELECT EXISTS (SELECT FROM {table} AS x LEFT JOIN {other} AS y ON y.{key} = x.{column}
               WHERE x.revision = $1 AND x.{column} IS NOT NULL AND y.{key} IS NULL)
"""
_FOREIGN_KEYS: Final = """
SELECT c.conrelid::regclass::text AS table, a.attname::text AS column, c.confrelid::regclass::text AS other, b.attname::text AS key
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
WHERE c.contype = 'f' AND c.conrelid = ANY ($1::text[]::regclass[]) AND c.confrelid <> 'fleets'::regclass
"""


def no_progress(_what: str, _done: int, _of: int) -> None:
    """Nobody looks."""


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
        await run(_STAGE)
        await self._stage(fleet, progress)
        # A plan that takes the catalogue's few hundred rows for two reads millions for each.
        for table in (*(f"staged_{section}" for section in _COPIED), *_CATALOGUE):
            await run(f"ANALYZE {table}")
        fleet_id: int = await self._connection.fetchval(
            "SELECT fleet_id FROM fleets WHERE key = $1", fleet.key
        )
        if await self._connection.fetchval(_IS_FRESH):
            await self._write_fresh(fleet, fleet_id, progress)
        else:
            await self._write_changes(fleet_id, retire=retire)
        await run(_FORGET)

    async def retire(self, key: str) -> None:
        """The fleet's members, all of them."""
        fleet_id = await self._connection.fetchval(
            "SELECT fleet_id FROM fleets WHERE key = $1", key
        )
        for statement in _VANISHED.values():
            await self._connection.execute(
                statement.format(and_gone=""), self._revision, fleet_id
            )

    async def _stage(self, fleet: Fleet, progress: Progress) -> None:
        problems: list[str] = []
        done = 0
        for part in fleet.parts(problems):
            if problems:
                raise CityFileError(problems[:_MOST_TOLD])
            await self._copy(part)
            done += len(part.devices)
            progress(f"{fleet.key}: reading devices", done, fleet.devices)
        if problems:
            raise CityFileError(problems[:_MOST_TOLD])

    async def _copy(self, part: FleetPart) -> None:
        for section, rows in part_records(part).items():
            lines = _lines(section, rows)
            if lines:
                await self._connection.copy_to_table(
                    f"staged_{section}", source=_once(lines)
                )

    async def _write_fresh(
        self, fleet: Fleet, fleet_id: int, progress: Progress
    ) -> None:
        """Nothing of it is there: all is new, and nothing has to be compared."""
        later = await self._connection.fetchval(_MAY_CHECK_LATER)
        if later:
            await self._connection.execute(_CHECK_LATER)
        for step, section in enumerate(_WRITTEN, start=1):
            progress(f"{fleet.key}: writing {section}s", step, len(_WRITTEN) + 2)
            # Millions of datastreams need not lie anywhere on their way.
            staged = (
                f"({_DATASTREAMS})"
                if section is Section.DATASTREAM
                else f"staged_{section}"
            )
            await self._merge(section, staged, fleet_id)
        progress(f"{fleet.key}: writing slots", len(_WRITTEN) + 1, len(_WRITTEN) + 2)
        await self._connection.execute(sql.OPEN_FRAMES, self._revision)
        await self._connection.execute(_FRESH_SLOTS, self._revision, fleet_id)
        if later:
            await self._connection.execute(_CHECK_NOW)
            await self._check_foreign_keys()
        # Every plan of every service would else be made for an empty registry.
        await self._connection.execute(f"ANALYZE {', '.join(_TABLES)}")
        progress(f"{fleet.key}: written", len(_WRITTEN) + 2, len(_WRITTEN) + 2)

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

    async def _check_foreign_keys(self) -> None:
        for key in await self._connection.fetch(_FOREIGN_KEYS, _TABLES):
            query = _DANGLING.format(**key)
            if await self._connection.fetchval(query, self._revision):
                raise AssertionError("{table}.{column} leads nowhere".format(**key))


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


def _lines(section: Section, rows: Iterable[tuple[str, Record]]) -> bytes:
    """Rows in COPY's text format."""
    columns = [column.split()[0] for column in sql.ROWS[section].split(",")]
    lines = []
    for key, record in rows:
        named: Mapping[str, Any] = {"key": key, **record}
        lines.append("\t".join([_field(named[column]) for column in columns]))
    return ("\n".join([*lines, ""])).encode()


def _field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        return "t" if value else "f"
    else:
        text = msgspec.json.encode(value).decode()
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        for plain, escaped in (
            ("\\", "\\\\"),
            ("\t", "\\t"),
            ("\n", "\\n"),
            ("\r", "\\r"),
        ):
            text = text.replace(plain, escaped)
    return text


async def _once(lines: bytes) -> AsyncIterator[bytes]:
    yield lines
