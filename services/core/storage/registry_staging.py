"""Members of fleets on their way into the registry: in COPY's text format, and in tables that end with the transaction."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from services.core.city.entities import Fleet
from services.core.city.records import Record, Section, part_records
from services.core.errors import CityFileError
from services.core.storage import registry_sql as sql
from services.core.storage.pool import Connection

Progress = Callable[[str, int, int], None]  # what is being done, so many, of so many

STAGED: Final = (Section.THING, Section.RELATION, Section.DEVICE, Section.HOST)

_MOST_TOLD: Final = 20
_STAGE: Final = "".join(
    f"CREATE TEMP TABLE staged_{section} ({sql.ROWS[section]}) ON COMMIT DROP;"
    for section in STAGED
)
_FORGET: Final = "".join(
    f"DROP TABLE IF EXISTS staged_{section};"
    for section in (*STAGED, Section.DATASTREAM)
)
# A plan that takes the catalogue's few hundred rows for two reads millions for each.
_ANALYZE: Final = "ANALYZE " + ", ".join(
    [
        *(f"staged_{section}" for section in STAGED),
        "device_types",
        "device_type_channels",
        "observed_properties",
    ]
)

# What core.city.datastreams says of one device; a test holds the two together.
DATASTREAMS: Final = """
SELECT d.thing || '.' || c.channel AS key, d.thing, c.channel, c.observed_property, i.key AS sensor,
       jsonb_object(ARRAY['kk', t.kk || c.kk, 'ru', t.ru || c.ru, 'en', t.en || c.en]) AS name,
       y.period_ms, c.sampling, c.sampling_ms, d.key AS device, y.key AS device_type,
       i.sensor_id, c.observed_property_id, c.privacy, c.slot
FROM staged_device d
JOIN (SELECT key, name ->> 'kk' AS kk, name ->> 'ru' AS ru, name ->> 'en' AS en FROM staged_thing OFFSET 0) t ON t.key = d.thing
JOIN device_types y ON y.key = d.device_type
JOIN sensors i USING (sensor_id)
JOIN (SELECT n.*, ': ' || kk_name || label AS kk, ': ' || ru_name || label AS ru, ': ' || en_name || label AS en
      FROM (SELECT c.*, p.key AS observed_property, p.privacy,
                   p.name ->> 'kk' AS kk_name, p.name ->> 'ru' AS ru_name, p.name ->> 'en' AS en_name,
                   CASE WHEN count(*) OVER (PARTITION BY c.device_type_id, c.observed_property_id) > 1
                        THEN ' (' || c.channel || ')' ELSE '' END AS label
            FROM device_type_channels c JOIN device_types y USING (device_type_id)
            JOIN observed_properties p USING (observed_property_id)
            WHERE c.retired_at IS NULL
              AND y.key || '.' || c.channel IN (SELECT unnest(current_setting('alatau.channels')::text[]))) n
      OFFSET 0) c ON c.device_type_id = y.device_type_id
"""


def no_progress(_what: str, _done: int, _of: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some members of a fleet. lines: theirs, by section; empty where there are none."""

    devices: int
    lines: dict[Section, bytes]


def read_parts(fleet: Fleet) -> Iterator[Part]:
    """The whole fleet, some thousands of members at a time.

    Raises:
        CityFileError: members that cannot be.
    """
    problems: list[str] = []
    for part in fleet.parts(problems):
        if problems:
            break
        lines = {
            section: _lines(section, rows)
            for section, rows in part_records(part).items()
        }
        yield Part(len(part.devices), lines)
    if problems:
        raise CityFileError(problems[:_MOST_TOLD])


async def create_staged(connection: Connection) -> None:
    await connection.execute(_STAGE)


async def copy_part(connection: Connection, part: Part) -> None:
    for section, lines in part.lines.items():
        if lines:
            await connection.copy_to_table(f"staged_{section}", source=_once(lines))


async def analyze_staged(connection: Connection) -> None:
    await connection.execute(_ANALYZE)


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


async def forget_staged(connection: Connection) -> None:
    await connection.execute(_FORGET)


async def _once(lines: bytes) -> AsyncIterator[bytes]:
    yield lines
