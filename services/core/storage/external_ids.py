"""Who has an external id (`scheme:value`): hashes and device ids in columns, as millions of meters have one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from services.core.storage.pool import Connection

_CHUNK: Final = 50_000
# A device that has none is told of when it changed: it may have had one.
_CHANGED = """
SELECT d.device_id, e.scheme || ':' || e.value AS name
FROM devices d LEFT JOIN LATERAL jsonb_to_recordset(d.external_ids) AS e (scheme text, value text) ON true
WHERE d.revision > $1 AND ($1 >= 0 OR d.external_ids <> '[]')
"""
_NOBODY: Final = hash("")


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Of a name, its hash, which is this process's own; two names of one hash are as likely as a broken key."""

    hashes: npt.NDArray[np.int64]  # [n]
    device_ids: npt.NDArray[np.int32]  # [n]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        count = len(rows)
        return cls(
            np.fromiter((hash(row["name"] or "") for row in rows), np.int64, count),
            np.fromiter((row["device_id"] for row in rows), np.int32, count),
        )


class ExternalIds:
    def __init__(self) -> None:
        self._pairs = Pairs.of([])

    def device_ids(self, name: str) -> list[int]:
        """name: `scheme:value`. All devices that have it, in the order of their ids; usually one."""
        hashes = self._pairs.hashes
        wanted = np.int64(hash(name))
        first = int(np.searchsorted(hashes, wanted, side="left"))
        last = int(np.searchsorted(hashes, wanted, side="right"))
        return sorted(self._pairs.device_ids[first:last].tolist())

    def take(self, changed: Sequence[Pairs]) -> None:
        """What read_changed() found since; each device's former ids are forgotten."""
        if not changed:
            return
        devices = np.concatenate([pairs.device_ids for pairs in changed])
        kept = ~np.isin(self._pairs.device_ids, devices)
        hashes = np.concatenate(
            [self._pairs.hashes[kept], *(pairs.hashes for pairs in changed)]
        )
        owners = np.concatenate([self._pairs.device_ids[kept], devices])
        named = np.flatnonzero(hashes != _NOBODY)
        order = named[np.argsort(hashes[named], kind="stable")]
        self._pairs = Pairs(hashes[order], owners[order])


async def read_changed(connection: Connection, revision: int) -> list[Pairs]:
    """The external ids of all devices that changed after the revision; in the caller's transaction."""
    cursor = await connection.cursor(_CHANGED, revision)
    found: list[Pairs] = []
    while rows := await cursor.fetch(_CHUNK):
        found.append(Pairs.of(rows))
    return found
