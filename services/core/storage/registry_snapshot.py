"""The registry as ingest holds it in memory: columns per device, one shared profile per device type."""

import math
from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from services.core.city.catalogue import Kind
from services.core.storage.external_ids import ExternalIds, read_changed
from services.core.storage.pool import Connection

_CHUNK: Final = 50_000
_GATEWAYS: Final = 50  # each may host thousands
_CACHED_DEVICES: Final = 200_000
_PUBLISHES: Final = 1
_RETIRED: Final = 2

_PROFILES = """
SELECT t.device_type_id, t.key, t.period_ms, t.max_age_ms, t.max_ahead_ms, t.clock_tolerance_ms, t.server_time,
       c.channel, c.unit, c.factor, c.addend, c.retired_at IS NULL AS live,
       p.kind, p.hard_min, p.hard_max, p.plausible_min, p.plausible_max, p.max_rate, p.max_spike, p.flat_line_ms, p.codes,
       (SELECT jsonb_object_agg(a.alias, a.channel) FROM channel_aliases a WHERE a.device_type_id = t.device_type_id) AS aliases
FROM device_types t
LEFT JOIN device_type_channels c USING (device_type_id)
LEFT JOIN observed_properties p USING (observed_property_id)
ORDER BY t.device_type_id, c.slot
"""
# By the revision's own indexes: a change of a few devices must not read millions.
_DEVICES = """
SELECT d.device_id, d.key, d.publishes, d.retired_at IS NOT NULL AS retired, d.device_type_id, f.frame_id
FROM devices d
LEFT JOIN frames f ON f.device_id = d.device_id AND f.closed_at IS NULL
WHERE $1 < 0 OR d.device_id IN (SELECT device_id FROM devices WHERE revision > $1
                                UNION SELECT device_id FROM frames WHERE revision > $1)
"""
_HOSTS = """
SELECT gateway_id, coalesce(array_agg(device_id ORDER BY device_id) FILTER (WHERE retired_at IS NULL), '{}') AS hosted
FROM device_hosts
WHERE gateway_id IN (SELECT gateway_id FROM device_hosts WHERE revision > $1)
GROUP BY gateway_id
"""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A device type. Everything after channels is by slot; ranges are canonical and infinite where open, as are limits.

    channels has the live channels only: a retired one keeps its slot and loses its name.
    aliases: other names for live channels. codes: of a state, key → value. code_values: of a state its values, of bits its weights.
    """

    device_type_id: int
    key: str
    period_ms: int
    max_age_ms: int
    max_ahead_ms: int
    clock_tolerance_ms: int
    server_time: bool
    channels: Mapping[str, int]
    kinds: tuple[Kind, ...]
    factor: Floats
    addend: Floats
    hard_min: Floats
    hard_max: Floats
    plausible_min: Floats
    plausible_max: Floats
    max_rate: Floats
    max_spike: Floats
    flat_line_ms: Floats
    codes: tuple[Mapping[str, int] | None, ...]
    code_values: tuple[frozenset[int] | None, ...]
    aliases: Mapping[str, int] = field(default_factory=dict)
    units: tuple[str, ...] = ()  # as the device sends it


class RegisteredDevice(msgspec.Struct, frozen=True, gc=False):
    """hosts: the device ids this gateway may speak for. Hundreds of thousands are held: nothing for the collector."""

    device_id: int
    key: str
    publishes: bool
    retired: bool
    frame_id: int | None
    profile: Profile | None
    hosts: Set[int]


class HostedDevices(Set[int]):
    """Device ids, four bytes each."""

    __slots__ = ("_rising",)

    def __init__(self, rising: Iterable[int] = ()) -> None:
        self._rising = array("i", rising)

    @override
    def __contains__(self, device_id: object) -> bool:
        if not isinstance(device_id, int):
            return False
        at = bisect_left(self._rising, device_id)
        return at < len(self._rising) and self._rising[at] == device_id

    @override
    def __iter__(self) -> Iterator[int]:
        return iter(self._rising)

    @override
    def __len__(self) -> int:
        return len(self._rising)


_HOSTS_NOBODY: Final = HostedDevices()


def _floats(rows: Sequence[Row], column: str, missing: float) -> Floats:
    return np.array(
        [missing if row[column] is None else row[column] for row in rows],
        dtype=np.float64,
    )


def _state_codes(row: Row) -> Mapping[str, int] | None:
    if row["kind"] != Kind.STATE:
        return None
    return {code["key"]: code["value"] for code in row["codes"]}


def _code_values(row: Row) -> frozenset[int] | None:
    return frozenset(code["value"] for code in row["codes"]) or None


def _profile(rows: Sequence[Row]) -> Profile:
    """rows: a device type's channels by slot; slots are dense, so a row's place is its slot."""
    head = rows[0]
    slots = [row for row in rows if row["channel"] is not None]
    return Profile(
        device_type_id=head["device_type_id"],
        key=head["key"],
        period_ms=head["period_ms"],
        max_age_ms=head["max_age_ms"],
        max_ahead_ms=head["max_ahead_ms"],
        clock_tolerance_ms=head["clock_tolerance_ms"],
        server_time=head["server_time"],
        channels={
            row["channel"]: slot for slot, row in enumerate(slots) if row["live"]
        },
        kinds=tuple(Kind(row["kind"]) for row in slots),
        factor=_floats(slots, "factor", 1.0),
        addend=_floats(slots, "addend", 0.0),
        hard_min=_floats(slots, "hard_min", -math.inf),
        hard_max=_floats(slots, "hard_max", math.inf),
        plausible_min=_floats(slots, "plausible_min", -math.inf),
        plausible_max=_floats(slots, "plausible_max", math.inf),
        max_rate=_floats(slots, "max_rate", math.inf),
        max_spike=_floats(slots, "max_spike", math.inf),
        flat_line_ms=_floats(slots, "flat_line_ms", math.inf),
        codes=tuple(_state_codes(row) for row in slots),
        code_values=tuple(_code_values(row) for row in slots),
        aliases=_aliases(head["aliases"] or {}, slots),
        units=tuple(row["unit"] for row in slots),
    )


def _aliases(aliases: Mapping[str, str], slots: Sequence[Row]) -> Mapping[str, int]:
    live = {row["channel"]: slot for slot, row in enumerate(slots) if row["live"]}
    return {
        alias: live[name]
        for alias, name in aliases.items()
        if name in live and alias not in live
    }


class RegistrySnapshot:
    """The registry at one revision. Lookups do no I/O; refresh() brings what changed since."""

    def __init__(self) -> None:
        self.revision = -1
        self._rows: dict[str, int] = {}  # key → row; the columns below are by row
        self._keys: list[str] = []
        self._device_id: Integers = np.empty(0, np.int32)
        self._type_id: Integers = np.empty(0, np.int32)  # 0: measures nothing
        self._frame_id: Integers = np.empty(0, np.int32)  # 0: none
        self._flags: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._row_of_id: Integers = np.empty(0, np.int32)  # by device id; -1: none
        self._hosts: dict[int, HostedDevices] = {}
        self._profiles: dict[int, Profile] = {}
        self._external_ids = ExternalIds()
        self._cache: dict[int, RegisteredDevice] = {}

    @classmethod
    async def load(cls, connection: Connection) -> "RegistrySnapshot":
        snapshot = cls()
        await snapshot.refresh(connection)
        return snapshot

    async def refresh(self, connection: Connection) -> bool:
        """Take over what changed since this revision; whether anything did. Readers see all of it or nothing."""
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            revision = await connection.fetchval("SELECT revision FROM registry_state")
            if revision == self.revision:
                return False
            profiles = await connection.fetch(_PROFILES)
            hosts = {
                row["gateway_id"]: HostedDevices(row["hosted"])
                async for rows in _chunks(connection, _HOSTS, self.revision, _GATEWAYS)
                for row in rows
            }
            external_ids = await read_changed(connection, self.revision)
            devices = [
                _DeviceColumns.of(rows)
                async for rows in _chunks(connection, _DEVICES, self.revision)
            ]
        self._take_profiles(profiles)
        for columns in devices:
            self._take_devices(columns)
        self._hosts |= hosts
        self._external_ids.take(external_ids)
        self._cache.clear()
        self.revision = revision
        return True

    def __len__(self) -> int:
        return len(self._keys)

    def device(self, key: str) -> RegisteredDevice | None:
        row = self._rows.get(key)
        return None if row is None else self._at(row)

    def named(self, name: str) -> RegisteredDevice | None:
        """By device id, or by external id as `scheme:value`; of two that have it, the one in service.

        A foreign name that nobody has is taken for a device id: of a path, its last part.
        """
        if ":" not in name:
            return self.device(name)
        ids = self._external_ids.device_ids(name)
        found = [device for one in ids if (device := self.by_id(one)) is not None]
        found.sort(key=lambda device: device.retired)
        value = name.partition(":")[2]
        return found[0] if found else self.device(value.rpartition("/")[2])

    def by_id(self, device_id: int) -> RegisteredDevice | None:
        if not 0 <= device_id < self._row_of_id.size:
            return None
        row = int(self._row_of_id[device_id])
        return None if row < 0 else self._at(row)

    def declared_rate(self, device: RegisteredDevice) -> float:
        """Items a second that the types of a device and of all it hosts say together."""
        ids = np.fromiter((device.device_id, *device.hosts), np.int64)
        types = np.bincount(self._type_id[self._row_of_id[ids]])
        rates = [
            float(count) * 1000 / self._profiles[type_id].period_ms
            for type_id, count in enumerate(types.tolist())
            if count and type_id in self._profiles
        ]
        return math.fsum(rates)

    def _at(self, row: int) -> RegisteredDevice:
        known = self._cache.get(row)
        if known is None:
            if len(self._cache) >= _CACHED_DEVICES:
                self._cache.clear()
            known = self._cache[row] = self._build(row)
        return known

    def _build(self, row: int) -> RegisteredDevice:
        device_id, flags = int(self._device_id[row]), int(self._flags[row])
        return RegisteredDevice(
            device_id=device_id,
            key=self._keys[row],
            publishes=bool(flags & _PUBLISHES),
            retired=bool(flags & _RETIRED),
            frame_id=int(self._frame_id[row]) or None,
            profile=self._profiles.get(int(self._type_id[row])),
            hosts=self._hosts.get(device_id, _HOSTS_NOBODY),
        )

    def _take_profiles(self, rows: Iterable[Row]) -> None:
        by_type = groupby(rows, key=lambda row: int(row["device_type_id"]))
        self._profiles = {
            type_id: _profile(list(channels)) for type_id, channels in by_type
        }

    def _take_devices(self, columns: "_DeviceColumns") -> None:
        for key in columns.keys:
            if key not in self._rows:
                self._rows[key] = len(self._keys)
                self._keys.append(key)
        at = np.fromiter(
            (self._rows[key] for key in columns.keys), np.int32, len(columns.keys)
        )
        self._grow(len(self._keys), int(columns.device_id.max(initial=0)) + 1)
        self._device_id[at] = columns.device_id
        self._type_id[at] = columns.type_id
        self._frame_id[at] = columns.frame_id
        self._flags[at] = columns.flags
        self._row_of_id[columns.device_id] = at

    def _grow(self, rows: int, ids: int) -> None:
        more = rows - self._device_id.size
        for name in ("_device_id", "_type_id", "_frame_id", "_flags"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(more, column.dtype)]))
        missing = np.full(max(0, ids - self._row_of_id.size), -1, np.int32)
        self._row_of_id = np.concatenate([self._row_of_id, missing])


@dataclass(frozen=True, slots=True, eq=False)
class _DeviceColumns:
    """A chunk of devices without the rows it came in, which are ten times its size."""

    keys: list[str]
    device_id: Integers
    type_id: Integers
    frame_id: Integers
    flags: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "_DeviceColumns":
        return cls(
            keys=[row["key"] for row in rows],
            device_id=np.array([row["device_id"] for row in rows], np.int32),
            type_id=np.array([row["device_type_id"] or 0 for row in rows], np.int32),
            frame_id=np.array([row["frame_id"] or 0 for row in rows], np.int32),
            flags=np.array(
                [
                    row["publishes"] * _PUBLISHES + row["retired"] * _RETIRED
                    for row in rows
                ],
                np.uint8,
            ),
        )


async def _chunks(
    connection: Connection, query: str, revision: int, size: int = _CHUNK
) -> AsyncIterator[list[Row]]:
    cursor = await connection.cursor(query, revision)
    while rows := await cursor.fetch(size):
        yield rows
