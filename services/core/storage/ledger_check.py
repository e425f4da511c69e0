"""Counts what is stored and compares it with the ledger: dear at scale, therefore on demand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from services.core.storage.ledger import Balance, read_balance
from services.core.storage.pool import Connection

_CHUNKS: Final = """
SELECT range_start, range_end FROM timescaledb_information.chunks
WHERE hypertable_schema = 'public' AND hypertable_name = 'observations' ORDER BY range_start
"""
_COUNT: Final = "SELECT count(*) FROM observations WHERE phenomenon_time >= $1 AND phenomenon_time < $2"


@dataclass(frozen=True, slots=True)
class Counted:
    """rows: of the first `done` of `chunks` days."""

    balance: Balance
    rows: int
    done: int
    chunks: int

    @property
    def finished(self) -> bool:
        return self.done == self.chunks

    @property
    def difference(self) -> int:
        """Items that are said to be stored and are not there; below zero: rows that nobody sent."""
        return self.balance.total.stored - self.rows


async def count_stored(connection: Connection) -> AsyncIterator[Counted]:
    """Row by row, a day at a time, all in one snapshot: the last one says whether every stored item is a row."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        balance = await read_balance(connection)
        chunks = await connection.fetch(_CHUNKS)
        rows = 0
        yield Counted(balance, rows, 0, len(chunks))
        for done, (start, end) in enumerate(chunks, 1):
            rows += await connection.fetchval(_COUNT, start, end)
            yield Counted(balance, rows, done, len(chunks))
