"""The ledger: what became of every item, read in one snapshot; the conservation law of the design.

received = stored + merged + duplicate + rejected + waiting, each item in exactly one of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, load_cursor, read
from services.core.storage.pool import Connection

_PAGE = 500


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

    @property
    def balanced(self) -> bool:
        return (
            self.received
            == self.stored + self.merged + self.duplicate + self.rejected + self.waiting
        )

    def as_dict(self) -> dict[str, int]:
        return {column.name: getattr(self, column.name) for column in fields(self)}


@dataclass(frozen=True, slots=True)
class Ledger:
    """devices: by device id of the publisher; None is for publishers that are not in the registry."""

    total: Account
    devices: dict[str | None, Account]

    @property
    def balanced(self) -> bool:
        return self.total.balanced and all(
            account.balanced for account in self.devices.values()
        )

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON of `alatau ledger --json` and of the operator API."""
        devices = sorted(self.devices.items(), key=lambda entry: entry[0] or "")
        return {
            "total": self.total.as_dict(),
            "balanced": self.balanced,
            "devices": [
                {"device": key, **account.as_dict()} for key, account in devices
            ],
        }


async def read_ledger(connection: Connection) -> Ledger:
    """Folded totals plus what history has not folded yet; waiting as of the newest batch.

    waiting is known in total only: it is in the total's received, and in no device's.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        accounts = await _folded(connection)
        waiting = await _add_unfolded(connection, accounts)
        names = await connection.fetch(
            "SELECT device_id, key FROM devices WHERE device_id = ANY($1)",
            list(accounts),
        )
    keys = {row["device_id"]: row["key"] for row in names}
    total = Account(received=waiting, waiting=waiting)
    devices: dict[str | None, Account] = {}
    for publisher_id, account in accounts.items():
        total.add(account)
        devices.setdefault(keys.get(publisher_id), Account()).add(account)
    return Ledger(total, devices)


async def _folded(connection: Connection) -> dict[int, Account]:
    rows = await connection.fetch(
        "SELECT publisher_id, received, stored, merged, duplicate, rejected, rejected_values FROM publisher_totals"
    )
    accounts = {}
    for row in rows:
        counts = dict(row)
        publisher_id = counts.pop("publisher_id")
        accounts[publisher_id] = Account(**counts)
    return accounts


async def _add_unfolded(connection: Connection, accounts: dict[int, Account]) -> int:
    """Add the batches behind history's cursor; returns waiting of the newest batch."""
    cursor = await load_cursor(connection, "history", "observations") or Cursor()
    waiting = await connection.fetchval(
        "SELECT waiting FROM event_log WHERE stream = 'observations' AND batch = $1 AND logged_at = $2",
        cursor.batch,
        cursor.logged_at,
    )
    while entries := await read(connection, "observations", cursor, _PAGE):
        for entry in entries:
            for publisher_id, account in _accounts_of(
                log_batch.decode(entry.body).accounts
            ):
                accounts.setdefault(publisher_id, Account()).add(account)
        cursor, waiting = entries[-1].cursor, entries[-1].waiting
    return waiting or 0


def _accounts_of(accounts: log_batch.Accounts) -> Iterable[tuple[int, Account]]:
    for index, publisher_id in enumerate(accounts.publisher_ids.tolist()):
        yield (
            publisher_id,
            Account(
                received=int(accounts.received[index]),
                stored=int(accounts.stored[index]),
                merged=int(accounts.merged[index]),
                duplicate=int(accounts.duplicate[index]),
                rejected=int(accounts.rejected[index]),
                rejected_values=int(accounts.rejected_values[index]),
            ),
        )
