"""The ledger: what became of every item, read in one snapshot; the conservation law of the design.

received = stored + merged + duplicate + rejected + waiting, each item in exactly one of them, of every publisher
and in total. Beside it, what publishers numbered: highest − lowest + 1 = messages + missing + lost.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
from typing_extensions import override

from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, load_cursor, read
from services.core.storage.log_batch import ObservationBatch
from services.core.storage.pool import Connection

UNKNOWN: Final = 0  # publisher id of those that are not in the registry
_PAGE: Final = 500

_FOLDED: Final = """
SELECT publisher_id, received, stored, merged, duplicate, rejected, 0, rejected_values FROM publisher_totals
"""
_FOLDED_TOTAL: Final = """
SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(merged), 0)::bigint,
       coalesce(sum(duplicate), 0)::bigint, coalesce(sum(rejected), 0)::bigint, 0,
       coalesce(sum(rejected_values), 0)::bigint
FROM publisher_totals
"""
_NUMBERING: Final = """
SELECT publisher_id, sum(highest_seq - lowest_seq + 1)::bigint AS numbers, sum(messages)::bigint AS messages,
       sum(missing)::bigint AS missing, sum(lost)::bigint AS lost
FROM publisher_sequences WHERE highest_seq IS NOT NULL GROUP BY 1
"""
# Numeric: publishers that send the first number of each epoch and the 2^53rd make sums of more than 63 bits.
_NUMBERED_TOTAL: Final = """
SELECT coalesce(sum(highest_seq - lowest_seq + 1), 0), coalesce(sum(messages), 0), coalesce(sum(missing), 0),
       coalesce(sum(lost), 0)
FROM publisher_sequences WHERE highest_seq IS NOT NULL
"""
_NEWEST: Final = """
SELECT e.waiting, e.body FROM log_streams s
JOIN event_log e ON e.stream = s.stream AND e.batch = s.last_batch AND e.logged_at = s.logged_at
WHERE s.stream = 'observations'
"""
_VIOLATIONS: Final = """
SELECT v.publisher_id, d.key AS device, v.epoch, v.what, v.difference::bigint AS difference
FROM ledger_violations v LEFT JOIN devices d ON d.device_id = v.publisher_id
ORDER BY v.publisher_id, v.epoch, v.what LIMIT $1
"""


@dataclass(slots=True)
class Account:
    """Items by fate. rejected_values counts refused values of items that were stored."""

    received: int = 0
    stored: int = 0
    merged: int = 0
    duplicate: int = 0
    rejected: int = 0
    waiting: int = 0
    rejected_values: int = 0

    def add(self, other: "Account") -> None:
        for column in fields(self):
            setattr(
                self,
                column.name,
                getattr(self, column.name) + getattr(other, column.name),
            )

    def wait(self, items: int) -> None:
        """These were read from the broker, and are in no batch yet."""
        self.received += items
        self.waiting += items

    @property
    def difference(self) -> int:
        """0: balanced."""
        settled = self.stored + self.merged + self.duplicate + self.rejected
        return self.received - settled - self.waiting

    @property
    def balanced(self) -> bool:
        return self.difference == 0

    def as_dict(self) -> dict[str, int]:
        return {column.name: getattr(self, column.name) for column in fields(self)}


@dataclass(slots=True)
class Numbering:
    """Numbered messages over all boot epochs, as of what history has folded.

    numbers: highest − lowest + 1 of each epoch. missing: may still come. lost: the publisher no longer has them.
    """

    numbers: int = 0
    messages: int = 0
    missing: int = 0
    lost: int = 0

    def add(self, other: "Numbering") -> None:
        self.numbers += other.numbers
        self.messages += other.messages
        self.missing += other.missing
        self.lost += other.lost

    def as_dict(self) -> dict[str, int]:
        return {column.name: getattr(self, column.name) for column in fields(self)}


@dataclass(frozen=True, slots=True)
class Violation:
    """Where the law does not hold. device None: a publisher that is not in the registry, or the whole.

    what: fates (of items), messages (the numbers), gaps (recorded, against the numbers), log (items that history
    folded, against those that ingest logged). difference: how much is missing on the right-hand side.
    """

    device: str | None
    epoch: int | None
    what: str
    difference: int

    def as_dict(self) -> dict[str, Any]:
        return {column.name: getattr(self, column.name) for column in fields(self)}


@dataclass(frozen=True, slots=True)
class Balance:
    """The whole city's account."""

    total: Account
    numbering: Numbering
    violations: tuple[Violation, ...]

    @property
    def balanced(self) -> bool:
        return self.total.balanced and not self.violations

    def as_dict(self) -> dict[str, Any]:
        return {
            "total": self.total.as_dict(),
            "messages": self.numbering.as_dict(),
            "balanced": self.balanced,
            "violations": [violation.as_dict() for violation in self.violations],
        }


@dataclass(frozen=True, slots=True)
class Ledger(Balance):
    """devices, numberings: by device id of the publisher; None is for publishers that are not in the registry."""

    devices: Mapping[str | None, Account] = field(default_factory=dict)
    numberings: Mapping[str | None, Numbering] = field(default_factory=dict)

    @override
    def as_dict(self) -> dict[str, Any]:
        """The documented JSON of `alatau ledger --json` and of the operator API."""
        devices = sorted(self.devices.items(), key=lambda entry: entry[0] or "")
        return {
            **Balance.as_dict(self),
            "devices": [
                {"device": key, **account.as_dict(), "messages": self._numbered(key)}
                for key, account in devices
            ],
        }

    def _numbered(self, key: str | None) -> dict[str, int] | None:
        numbering = self.numberings.get(key)
        return None if numbering is None else numbering.as_dict()


async def read_ledger(connection: Connection) -> Ledger:
    """Folded totals plus what history has not folded yet; waiting as of the newest batch."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        accounts = {
            publisher_id: Account(*counts)
            for publisher_id, *counts in await connection.fetch(_FOLDED)
        }
        async for batch in _unfolded(connection):
            for publisher_id, account in accounts_of(batch):
                accounts.setdefault(publisher_id, Account()).add(account)
        await _add_waiting(connection, accounts)
        rows = await connection.fetch(_NUMBERING)
        numbered = {publisher_id: Numbering(*sums) for publisher_id, *sums in rows}
        keys = await _keys(connection, [*accounts, *numbered])
        violations = await _violations(connection)
    total, devices = Account(), dict[str | None, Account]()
    for publisher_id, account in accounts.items():
        total.add(account)
        devices.setdefault(keys.get(publisher_id), Account()).add(account)
    whole, numberings = Numbering(), dict[str | None, Numbering]()
    for publisher_id, numbering in numbered.items():
        whole.add(numbering)
        numberings.setdefault(keys.get(publisher_id), Numbering()).add(numbering)
    others = [violation for violation in violations if violation.what != "fates"]
    found = (*_unbalanced(devices), *others)
    return Ledger(total, whole, found, devices, numberings)


async def read_balance(connection: Connection) -> Balance:
    """The same for the whole city alone: summed where it lies, for who asks often."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        total = Account(*await connection.fetchrow(_FOLDED_TOTAL))
        async for batch in _unfolded(connection):
            for _, account in accounts_of(batch, summed=True):
                total.add(account)
        waiting = dict[int, Account]()
        await _add_waiting(connection, waiting)
        for account in waiting.values():
            total.add(account)
        numbering = Numbering(*map(int, await connection.fetchrow(_NUMBERED_TOTAL)))
        violations = await _violations(connection)
    if not (total.balanced or violations):
        violations = [Violation(None, None, "fates", total.difference)]
    return Balance(total, numbering, tuple(violations))


def accounts_of(
    batch: ObservationBatch, *, summed: bool = False
) -> Iterable[tuple[int, Account]]:
    """What a batch tells of each publisher. summed: of all together, as publisher 0."""
    told = batch.accounts
    columns = np.stack(
        [
            told.received,
            told.stored,
            told.merged,
            told.duplicate,
            told.rejected,
            np.zeros_like(told.received),
            told.rejected_values,
        ]
    )
    if summed:
        yield 0, Account(*columns.sum(axis=1, dtype=np.int64).tolist())
        return
    for publisher_id, counts in zip(
        told.publisher_ids.tolist(), columns.T.tolist(), strict=True
    ):
        yield publisher_id, Account(*counts)


async def _unfolded(connection: Connection) -> AsyncIterator[ObservationBatch]:
    """The batches behind history's cursor."""
    cursor = await load_cursor(connection, "history", "observations") or Cursor()
    while entries := await read(connection, "observations", cursor, _PAGE):
        for entry in entries:
            yield log_batch.decode(entry.body)
        cursor = entries[-1].cursor


async def _add_waiting(connection: Connection, accounts: dict[int, Account]) -> None:
    """As of the newest batch; what it does not say of whom is nobody's."""
    newest = await connection.fetchrow(_NEWEST)
    if newest is None:
        return
    waiting = log_batch.decode(newest["body"]).waiting
    unsaid = newest["waiting"] - int(waiting.items.sum())
    items = zip(waiting.publisher_ids.tolist(), waiting.items.tolist(), strict=True)
    for publisher_id, count in [*items, (UNKNOWN, unsaid)]:
        if count:
            accounts.setdefault(publisher_id, Account()).wait(count)


async def _keys(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    rows = await connection.fetch(
        "SELECT device_id, key FROM devices WHERE device_id = ANY($1)", list(set(ids))
    )
    return {row["device_id"]: row["key"] for row in rows}


def _unbalanced(devices: Mapping[str | None, Account]) -> list[Violation]:
    return [
        Violation(key, None, "fates", account.difference)
        for key, account in devices.items()
        if not account.balanced
    ]


async def _violations(connection: Connection) -> list[Violation]:
    rows = await connection.fetch(_VIOLATIONS, _PAGE)
    return [
        Violation(row["device"], row["epoch"], row["what"], row["difference"])
        for row in rows
    ]
