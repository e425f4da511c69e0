"""Sends devices what they are asked, again until they answer or it expires; their answers come through the pipeline."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog

from services.core.broker.messages import Command, command_id
from services.core.broker.topics import down_topic
from services.core.clock import Clock, to_milliseconds
from services.core.errors import BrokerUnavailableError
from services.core.storage.log_batch import Notice
from services.core.storage.pool import Connection
from services.core.storage.transient import is_transient
from services.ingest.side_connection import SideConnection

log = structlog.get_logger()

_LOOK_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.1  # between two looks, however many births there are
_FIRST_WAIT: Final = dt.timedelta(seconds=30)  # for an answer; then twice as long
# Likewise where births come in between; the first birth finds no wait.
_BIRTH_WAIT: Final = dt.timedelta(seconds=0.5)
_LONGEST_WAIT: Final = dt.timedelta(hours=1)
_MOST_AT_ONCE: Final = 200
_PUBACK_SECONDS: Final = 5.0

_DUE: Final = """
SELECT c.command_id, c.device_id, d.key, c.name, c.args, c.sealed, c.expires_at, due.is_due
FROM commands c JOIN devices d USING (device_id)
CROSS JOIN LATERAL (SELECT least(c.attempts - 1, 20) AS again, $1 - c.sent_at AS since) sent
CROSS JOIN LATERAL (
    SELECT sent.since IS NULL OR sent.since >= least($3::interval * 2 ^ sent.again, $4::interval)
           OR c.device_id = ANY($2) AND sent.since >= least($5::interval * (2 ^ sent.again - 1), $3::interval)) due (is_due)
WHERE c.answered_at IS NULL AND c.expired_at IS NULL AND c.expires_at > $1 AND d.retired_at IS NULL
  AND (due.is_due OR c.device_id = ANY($2))
ORDER BY NOT due.is_due, c.command_id LIMIT $6
"""
_SENT: Final = (
    "UPDATE commands SET sent_at = $2, attempts = attempts + 1 WHERE command_id = $1"
)
_EXPIRE: Final = """
UPDATE commands c SET expired_at = $1, sealed = NULL FROM devices d
WHERE d.device_id = c.device_id AND c.answered_at IS NULL AND c.expired_at IS NULL
  AND (c.expires_at <= $1 OR d.retired_at IS NOT NULL)
RETURNING c.command_id, d.key, c.name
"""
_encoder = msgspec.json.Encoder()
_sealed_decoder = msgspec.json.Decoder(dict[str, str])


class Publisher(Protocol):
    """core.broker.client.BrokerClient is one."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns at the broker's PUBACK; raises BrokerUnavailableError."""


class Commands:
    """QoS 1 takes a command to the broker, not to the device: only a result ends the sending."""

    def __init__(
        self, connection: SideConnection, publisher: Publisher, clock: Clock
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._clock = clock
        self._born: set[int] = set()
        self._wake = asyncio.Event()

    def greet(self, notices: Iterable[Notice]) -> None:
        """A publisher that has just come hears at once what it was asked while it was away.

        One that answers by births alone hears it ever more seldom.
        """
        born = {n.device_id for n in notices if n.kind == "birth"}
        if born:
            self._born |= born
            self._wake.set()

    async def run(self) -> None:
        """Look once a second; database or broker trouble is for the next look."""
        while True:
            self._wake.clear()
            try:
                await self._send_due(await self._connection.get())
            except (BrokerUnavailableError, TimeoutError):
                pass
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning(
                    "commands cannot be read or marked; trying again",
                    action="commands_retry",
                    error=str(error),
                )
            await self._clock.sleep(_LEAST_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._wake.wait()

    async def _send_due(self, connection: Connection) -> None:
        await self._expire(connection)
        born, self._born = self._born, set()
        try:
            for row in await self._due(connection, born):
                if not row["is_due"]:
                    self._born.add(row["device_id"])
                    continue
                async with asyncio.timeout(_PUBACK_SECONDS):
                    await self._publisher.publish(
                        down_topic(row["key"], "command"), _payload(row)
                    )
                await connection.execute(_SENT, row["command_id"], self._clock.now())
        except BaseException:
            self._born |= born
            raise

    async def _due(
        self, connection: Connection, born: set[int]
    ) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = await connection.fetch(
            _DUE,
            self._clock.now(),
            list(born),
            _FIRST_WAIT,
            _LONGEST_WAIT,
            _BIRTH_WAIT,
            _MOST_AT_ONCE,
        )
        return rows

    async def _expire(self, connection: Connection) -> None:
        for expired in await connection.fetch(_EXPIRE, self._clock.now()):
            log.info(
                "a command was not answered in time",
                action="command_expired",
                device=expired["key"],
                command=expired["command_id"],
                name=expired["name"],
            )


def _payload(row: Mapping[str, Any]) -> bytes:
    sealed = row["sealed"]
    secrets = {} if sealed is None else _sealed_decoder.decode(sealed)
    return _encoder.encode(
        Command(
            id=command_id(row["command_id"]),
            name=row["name"],
            args={**row["args"], **secrets},
            expires_at=to_milliseconds(row["expires_at"]),
        )
    )
