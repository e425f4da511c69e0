"""Which process of the platform spends how much: processor time between two looks, and resident memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.cli.benches.private_servers import Servers
from services.cli.benches.usage import cpu_seconds, resident_bytes, total_cpu_seconds
from services.core.storage.pool import Connection

_MEBIBYTE: Final = 1 << 20
_BACKENDS: Final = """
SELECT pid, CASE WHEN backend_type = 'client backend' THEN application_name ELSE backend_type END AS name
FROM pg_stat_activity
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds so far, by process. PostgreSQL's are named `postgres` and what they are there for."""

    seconds: Mapping[str, float]

    def per_message(self, before: "Spent", messages: int) -> dict[str, float]:
        """Microseconds a message since before; those of PostgreSQL that cost nothing are left out."""
        microseconds = {
            name: round((spent - before.seconds.get(name, 0.0)) / messages * 1e6, 2)
            for name, spent in self.seconds.items()
        }
        return {
            name: spent
            for name, spent in sorted(microseconds.items())
            if spent > 0 or not name.startswith("postgres ")
        }


class Spending:
    """processes: pids of our own, by name."""

    def __init__(
        self, servers: Servers, connection: Connection, processes: Mapping[str, int]
    ) -> None:
        self._servers = servers
        self._connection = connection
        self._processes = processes

    async def so_far(self) -> Spent:
        seconds = {name: cpu_seconds(pid) for name, pid in self._processes.items()}
        seconds["broker"] = cpu_seconds(self._servers.broker_pid)
        by_name: dict[str, list[int]] = {}
        for pid, name in await self._connection.fetch(_BACKENDS):
            by_name.setdefault(f"postgres {name.removeprefix('alatau-')}", []).append(
                pid
            )
        seconds |= {name: total_cpu_seconds(pids) for name, pids in by_name.items()}
        seconds["postgres itself"] = cpu_seconds(
            self._servers.postgres_pid, with_reaped=True
        )
        return Spent(seconds)

    def resident(self) -> dict[str, float]:
        """MiB of each of our services and of the broker."""
        pids = {**self._processes, "broker": self._servers.broker_pid}
        return {
            name: round(resident_bytes(pid) / _MEBIBYTE, 1)
            for name, pid in pids.items()
        }
