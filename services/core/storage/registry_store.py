"""Makes the registry say what a city file says, or hold further devices, in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.city.diff import (
    Action,
    Change,
    CityDiff,
    Registry,
    compare,
    refusals,
)
from services.core.city.entities import City, Device
from services.core.city.kept_changes import keep_changes
from services.core.city.kept_devices import kept_datastreams
from services.core.city.provisioning import additions
from services.core.city.records import (
    Record,
    Records,
    Section,
    channel_key,
    device_records,
    records_of,
)
from services.core.errors import CityFileError, PlatformError
from services.core.storage import registry_sql as sql
from services.core.storage.change_store import forget_changes, read_changes
from services.core.storage.pool import Connection
from services.core.storage.registry_fleets import FleetWriter
from services.core.storage.registry_read import (
    read_around,
    read_names,
    read_registry,
)
from services.core.storage.registry_staging import Progress, no_progress

_CHUNK: Final = 10_000
_WRITTEN: Final = (Action.CREATED, Action.CHANGED, Action.REPLACED, Action.RESTORED)
_AUDITED: Final[dict[Action, tuple[str, ...]]] = {
    Action.CREATED: ("create",),
    Action.CHANGED: ("change",),
    Action.REPLACED: ("retire", "create"),
    Action.RESTORED: ("restore",),
    Action.RETIRED: ("retire",),
    Action.VANISHED: (),
}


class RegistrationError(PlatformError):
    """The devices cannot be registered."""

    remedy = "Nothing was written. `alatau devices show KEY` tells what the registry holds of a device."

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Applied:
    """revision: the registry's now; it has moved only if something was written."""

    revision: int
    diff: CityDiff


async def apply_city(
    connection: Connection,
    city: City,
    *,
    retire: bool,
    actor: str,
    dry_run: bool,
    progress: Progress = no_progress,
) -> Applied:
    """Write what differs. dry_run writes nothing. progress: is told how far a fleet has come.

    Raises:
        CityFileError: the file would give what is stored another meaning.
    """
    wanted = records_of(city)
    async with connection.transaction(
        isolation="repeatable_read" if dry_run else "read_committed"
    ):
        revision = await connection.fetchval(sql.REVISION if dry_run else sql.LOCK)
        wanted = await _with_changes(connection, wanted, dry_run=dry_run)
        registry = await read_registry(connection)
        if problems := refusals(wanted, registry):
            raise CityFileError(problems)
        if not retire:
            wanted = _with_kept(wanted, registry)
        diff = compare(wanted, registry, retire=retire)
        if dry_run or not diff.writes:
            return Applied(revision, diff)
        fleets = _Fleets(city, retire=retire, progress=progress)
        return Applied(await _write(connection, diff, wanted, actor, fleets), diff)


async def _with_changes(
    connection: Connection, wanted: Records, *, dry_run: bool
) -> Records:
    """What people changed since stays, unless the file has another word on it now."""
    kept = keep_changes(wanted, await read_changes(connection))
    if kept.over and not dry_run:
        await forget_changes(connection, kept.over)
    return kept.wanted


def _with_kept(wanted: Records, registry: Registry) -> Records:
    """Devices that are not in the file stay in step with their types, and a fleet's where they are."""
    fleets = {
        key: {**record, "vanished": registry[Section.FLEET][key].record["vanished"]}
        if key in registry[Section.FLEET]
        else record
        for key, record in wanted[Section.FLEET].items()
    }
    kept = device_records((), kept_datastreams(wanted, registry))[Section.DATASTREAM]
    streams = {**kept, **wanted[Section.DATASTREAM]}
    return {**wanted, Section.DATASTREAM: streams, Section.FLEET: fleets}


async def register_devices(
    connection: Connection, devices: Sequence[Device], *, actor: str
) -> Applied:
    """Add devices of types and at things that the registry has; those it has already are left as they are.

    Raises:
        RegistrationError: something is wrong with one of them; none is added.
    """
    async with connection.transaction():
        revision = await connection.fetchval(sql.LOCK)
        around = await read_around(connection, devices)
        added = additions(
            devices, around, await read_names(connection, devices, around)
        )
        if added.problems:
            raise RegistrationError(added.problems)
        diff = compare(added.wanted, added.known, retire=False)
        if diff.writes:
            revision = await _write(connection, diff, added.wanted, actor)
        return Applied(revision, diff)


@dataclass(frozen=True, slots=True)
class _Fleets:
    """The city whose fleets are to be written, and how."""

    city: City
    retire: bool
    progress: Progress


async def _write(
    connection: Connection,
    diff: CityDiff,
    wanted: Records,
    actor: str,
    fleets: _Fleets | None = None,
) -> int:
    """The new revision."""
    revision: int = await connection.fetchval(sql.NEXT_REVISION)
    writer = _Writer(connection, revision)
    await writer.write(diff, wanted)
    await connection.execute(sql.STAGE_TIES)
    if fleets is not None:
        await writer.write_fleets(diff, fleets)
    await writer.tie_frames(wanted[Section.DATASTREAM])
    await _audit(connection, diff, actor)
    await connection.execute("SELECT pg_notify('registry', $1)", str(revision))
    return revision


class _Writer:
    def __init__(self, connection: Connection, revision: int) -> None:
        self._connection = connection
        self._revision = revision

    async def write(self, diff: CityDiff, wanted: Records) -> None:
        for section, statement in sql.RETIRE_REPLACED.items():
            await self._on_keys(statement, diff.keys(section, Action.REPLACED))
        for section, statement in sql.UPSERT.items():
            keys = diff.keys(section, *_WRITTEN)
            await self._on_rows(
                statement, [{"key": key, **wanted[section][key]} for key in keys]
            )
        for section, statement in sql.RETIRE.items():
            await self._on_keys(statement, diff.keys(section, Action.RETIRED))

    async def write_fleets(self, diff: CityDiff, fleets: _Fleets) -> None:
        """The members of those fleets that are not what they were."""
        channels = [
            channel_key(device_type.key, channel.name)
            for device_type in fleets.city.device_types.values()
            for channel in device_type.channels
        ]
        rescaled = diff.keys(Section.CHANNEL, Action.REPLACED)
        writer = FleetWriter(self._connection, self._revision, channels, rescaled)
        for key in diff.keys(Section.FLEET, *_WRITTEN):
            fleet = fleets.city.fleets[key]
            await writer.write(fleet, fleets.progress, retire=fleets.retire)
        for key in diff.keys(Section.FLEET, Action.RETIRED):
            await writer.retire(key)

    async def tie_frames(self, datastreams: Mapping[str, Record]) -> None:
        """Every device its open frame, every datastream its slot in one."""
        await self._connection.copy_records_to_table(
            "wanted_ties",
            records=(
                (key, record["device"], record["channel"])
                for key, record in datastreams.items()
            ),
            columns=["datastream", "device", "channel"],
        )
        await self._connection.execute("ANALYZE wanted_ties")
        for statement in sql.RENEW_FRAMES:
            await self._connection.execute(statement, self._revision)
        await self._connection.execute(sql.STAGE_TARGETS)
        await self._connection.execute("ANALYZE target_ties")
        for statement in sql.RETIE:
            await self._connection.execute(statement, self._revision)

    async def _on_rows(self, statement: str, rows: Sequence[Record]) -> None:
        for chunk in _chunks(rows):
            await self._connection.execute(statement, self._revision, chunk)

    async def _on_keys(self, statement: str, keys: Sequence[str]) -> None:
        if keys:
            await self._connection.execute(statement, self._revision, keys)


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


async def _audit(connection: Connection, diff: CityDiff, actor: str) -> None:
    rows = [row for change in diff.changes for row in _audit_rows(change)]
    for chunk in _chunks(rows):
        await connection.execute(sql.AUDIT, actor, chunk)


def _audit_rows(change: Change) -> Iterator[dict[str, Any]]:
    for action in _AUDITED[change.action]:
        yield {
            "action": action,
            "entity": sql.TABLES[change.section],
            "entity_key": change.key,
            "old": None if action == "create" else _plain(change.old),
            "new": None if action == "retire" else change.new,
        }


def _plain(record: Record | None) -> dict[str, Any] | None:
    """A row of the driver's as a mapping JSON knows."""
    return None if record is None else dict(record)
