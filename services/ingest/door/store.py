"""What the door asks the database: a publisher's proofs."""

import asyncio

from services.core.storage.transient import is_transient
from services.ingest.door.callers import Proofs
from services.ingest.door.problems import UnavailableError
from services.ingest.side_connection import SideConnection

_PROOFS = (
    "SELECT secret_hash, webhook_secret FROM publisher_proofs($1) ORDER BY secret_hash"
)
_SECONDS = 5.0


class ProofStore:
    """One question at a time."""

    def __init__(self, connection: SideConnection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def load(self, publisher: str) -> Proofs:
        """Empty for one that has no credentials in force.

        Raises:
            UnavailableError: the database does not answer.
        """
        try:
            async with asyncio.timeout(_SECONDS), self._turn:
                connection = await self._connection.get()
                rows = await connection.fetch(_PROOFS, publisher)
        except Exception as error:
            if not is_transient(error):
                raise
            raise UnavailableError from error
        return Proofs(
            tuple(row["secret_hash"] for row in rows),
            tuple({row["webhook_secret"] for row in rows if row["webhook_secret"]}),
        )
