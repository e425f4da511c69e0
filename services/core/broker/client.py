"""MQTT for asyncio: paho keeps the session, the event loop drives it; no thread, so hundreds are cheap.

A connection that goes is made again by the client's own loop, with growing, jittered pauses. What was
received stays received: an acknowledgement for a connection that is gone is dropped, as the broker sends
those messages again.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import paho.mqtt.client as paho
import structlog

from services.core.broker.answers import Answers
from services.core.broker.dial import dial
from services.core.broker.inbox import Inbox
from services.core.broker.link import Link, Publication
from services.core.broker.options import ClientOptions, Will, parse_url
from services.core.broker.pulse import BEATS, Pulse
from services.core.broker.session import Session
from services.core.clock import Clock, SystemClock
from services.core.errors import (
    BrokerUnavailableError,
    PlatformError,
    SubscriptionRefusedError,
)

__all__ = [
    "BrokerClient",
    "BrokerUnavailableError",
    "ClientOptions",
    "Publication",
    "Will",
]

log = structlog.get_logger()

_CONNECT_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 1.0
_READS_A_TURN: Final = 4
_PINGREQ: Final = b"\xc0\x00"
_PINGRESP: Final = 0xD0


class BrokerClient:
    """One MQTT session. Enter it, then subscribe, receive, acknowledge, publish; leaving says goodbye."""

    def __init__(
        self,
        options: ClientOptions,
        *,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._options = options
        self._address = parse_url(options.url)
        self._name = options.client_id or self._address.user
        self._clock: Clock = clock or SystemClock()
        self._chance = chance or random.Random()  # noqa: S311 # spreads reconnects
        self._session = Session(options, self._address)
        self._session.on_connect = self._on_connect
        self._session.on_subscribe = self._on_subscribe
        self._session.on_publish = self._on_publish
        self._session.on_disconnect = self._on_disconnect
        self._session.on_socket_close = self._on_socket_close
        self._session.on_socket_register_write = lambda *_: self._schedule_write()
        self._link: Link | None = None
        self._filters: dict[str, int] = {}
        self._answers = Answers()
        self._inbox = Inbox(options.most_undelivered_bytes)
        self._connected = asyncio.Event()
        self._lost = asyncio.Event()
        self._pulse = Pulse()
        self._accepted: asyncio.Future[bool] | None = None
        self._failure: BaseException | None = None
        self._paused = False
        self._drained = True
        self._write_due = False
        self._written = asyncio.Event()
        self._written.set()
        self.connection = 0

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._keep_connected(), name=self._name)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._runner.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._runner
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._written.wait()
        self._session.disconnect()
        self._session.loop_write()
        self._drop()

    @property
    def is_connected(self) -> bool:
        return self._connected.is_set()

    async def wait_connected(self) -> int:
        """The number of the connection, once there is one and its subscriptions stand."""
        await self._connected.wait()
        return self.connection

    async def wait_lost(self) -> None:
        """Until the connection of now is gone; at once when there is none."""
        if self._connected.is_set():
            await self._lost.wait()

    def renew(self) -> None:
        """Connect anew: the way there is doubtful. Who waits for it waits no longer."""
        self._on_disconnect()

    async def subscribe(self, filters: Iterable[str], qos: int = 1) -> None:
        """Subscribe, now and on every new session; waits for the broker's answer, and for a connection before.

        Raises:
            SubscriptionRefusedError: the broker refuses one of them.
        """
        wanted = dict.fromkeys(filters, qos)
        while True:
            await self._connected.wait()
            try:
                await self._subscribe(wanted)
            except BrokerUnavailableError:
                await asyncio.sleep(0)
            else:
                self._filters |= wanted
                return

    async def receive(self, limit: int) -> list[Publication]:
        """At least one message, at most limit, in the order they came.

        Raises:
            whatever broke the client beyond repair: end the process.
        """
        while not self._inbox:
            if self._failure is not None:
                raise self._failure
            await self._inbox.wait()
        taken = self._inbox.take(limit)
        if self._paused and self._inbox.has_room:
            self._resume()
        return taken

    def acknowledge(self, publications: Sequence[Publication]) -> None:
        """PUBACK those of the connection of now; the broker sends the others again anyway."""
        if self._link is None or not self._connected.is_set():
            return
        now = self.connection
        mids = [p.mid for p in publications if p.connection == now and p.qos]
        self._link.send_pubacks(mids)
        self._schedule_write()

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False
    ) -> None:
        """Returns when the broker has it (QoS 1: PUBACK; QoS 0: it is on its way).

        Raises:
            BrokerUnavailableError: no connection, or it went before: publish again, or not.
        """
        if not self._connected.is_set():
            raise BrokerUnavailableError
        sent = self._session.publish(topic, payload, qos, retain)
        if sent.rc:
            raise BrokerUnavailableError(paho.error_string(sent.rc))
        await self._answers.expect(sent.mid)

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish topics and payloads with QoS 0; returns when they are on their way.

        Raises:
            BrokerUnavailableError: no connection.
        """
        if not self._connected.is_set() or self._link is None:
            raise BrokerUnavailableError
        self._link.send_publishes(messages)
        self._schedule_write()
        await self.wait_written()

    async def wait_written(self) -> None:
        """Until all that was sent so far is with the system, or its connection is gone."""
        await self._written.wait()

    async def round_trip(self) -> int:
        """Ask the broker for a sign of life; all that it sent before has come then.

        Returns:
            How many messages receive() has still to give out.

        Raises:
            BrokerUnavailableError: no connection, or it went before the answer.
        """
        if not self._connected.is_set() or self._link is None:
            raise BrokerUnavailableError
        await self._answers.expect(self._ping(self._link))
        return len(self._inbox)

    async def _subscribe(self, filters: dict[str, int]) -> None:
        result, mid = self._session.subscribe(list(filters.items()))
        if result or mid is None:
            raise BrokerUnavailableError(paho.error_string(result))
        await self._answers.expect(mid)

    # The connection's life

    async def _keep_connected(self) -> None:
        pause = self._options.shortest_pause
        while self._failure is None:
            try:
                await self._connect()
                pause = self._options.shortest_pause
                await self._watch()
            except (OSError, PlatformError) as error:
                log.warning(
                    "no connection to the broker",
                    action="broker_lost",
                    client=self._name,
                    error=str(error) or type(error).__name__,
                )
            self._drop()
            await self._clock.sleep(pause * self._chance.uniform(0.5, 1.0))
            pause = min(2 * pause, self._options.longest_pause)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._lost.clear()
        async with asyncio.timeout(_CONNECT_SECONDS):
            self._link = Link(await self._dial())
            self._accepted = loop.create_future()
            self._pulse = Pulse()
            self.connection += 1
            if self._options.fresh_will and (will := self._options.fresh_will()):
                self._session.set_will(will)
            if self._options.secret is not None:
                user = self._address.user
                self._session.username_pw_set(user, self._options.secret())
            self._session.start(self._link, self._options.keepalive)
            loop.add_reader(self._link.fileno(), self._read)
            session_present = await self._accepted
            if self._filters and not session_present:
                await self._subscribe(self._filters)
        self._connected.set()

    async def _dial(self) -> socket.socket:
        stream = await dial(self._address, self._options.trust)
        if self._options.send_buffer is not None:
            size = self._options.send_buffer
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        return stream

    async def _watch(self) -> None:
        """Until the connection is lost; keeps it alive meanwhile.

        Raises:
            BrokerUnavailableError: nothing was heard of the broker for too long.
        """
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(self._options.keepalive / BEATS):
                    await self._lost.wait()
            except TimeoutError:
                if not self._pulse.beat(unread=not self._drained):
                    raise BrokerUnavailableError("nothing heard of it") from None
                if self._link is not None:
                    self._ping(self._link)

    def _ping(self, link: Link) -> int:
        """The number under which the answer is expected."""
        link.send(_PINGREQ)
        self._schedule_write()
        return self._pulse.ask()

    def _drop(self) -> None:
        """Close what is left and tell everyone who waits for an answer."""
        self._on_disconnect()
        if self._link is not None:
            self._on_socket_close(self._session, None, self._link)
            self._link.close()
            self._link = None
        self._written.set()
        self._paused, self._drained = False, True

    # The event loop's callbacks

    def _read(self) -> None:
        if (link := self._link) is None or self._paused:
            return
        try:
            for _ in range(_READS_A_TURN):
                received = link.fill()
                self._drained = not received
                if self._drained:
                    break
                self._pulse.hear()
                self._take(link, received)
            if link.gone:
                self._session.loop_read()
        except Exception as error:  # noqa: BLE001 # a fault of ours must end the process, not be logged by the loop
            self._break(error)
            return
        loop = asyncio.get_running_loop()
        if self._inbox.is_full and link.fileno() >= 0:
            self._paused, self._drained = True, False
            loop.remove_reader(link.fileno())
        elif not self._drained:
            loop.call_soon(self._read)
        elif self._options.rest and not link.gone:
            loop.remove_reader(link.fileno())
            loop.call_later(self._options.rest, self._rested, link)

    def _rested(self, link: Link) -> None:
        if link is self._link and not self._paused and not link.gone:
            asyncio.get_running_loop().add_reader(link.fileno(), self._read)

    def _take(self, link: Link, wire_bytes: int) -> None:
        while True:
            self._inbox.put(link.take_publishes(self.connection), wire_bytes)
            if not link.offer_packet():
                return
            if link.head == _PINGRESP:
                self._answers.settle(self._pulse.answer())
            self._session.loop_read()
            wire_bytes = 0

    def _resume(self) -> None:
        self._paused = False
        if self._link is not None and not self._link.gone:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._link.fileno(), self._read)

    def _schedule_write(self) -> None:
        if not self._write_due:
            self._write_due = True
            self._written.clear()
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._write_due = False
        try:
            self._session.loop_write()
            self._flush()
        except Exception as error:  # noqa: BLE001 # as in _read
            self._break(error)

    def _flush(self) -> None:
        link = self._link
        if link is None or link.fileno() < 0:  # paho closed it; _drop() comes next
            return
        loop = asyncio.get_running_loop()
        if not link.flush():
            loop.add_writer(link.fileno(), self._flush)
            return
        loop.remove_writer(link.fileno())
        self._written.set()
        if link.gone:
            self._session.loop_read()

    def _break(self, error: Exception) -> None:
        log.error("the MQTT client broke", action="broker_client_broke", exc_info=error)
        self._failure = error
        self._drop()
        self._inbox.disturb()

    # paho's callbacks: none of them may fail, and none calls paho

    def _on_connect(self, *arguments: Any) -> None:
        _, _, flags, reason, _ = arguments
        if self._accepted is None or self._accepted.done():
            return
        if reason.is_failure:
            self._accepted.set_exception(BrokerUnavailableError(str(reason)))
        else:
            self._accepted.set_result(flags.session_present)

    def _on_subscribe(self, *arguments: Any) -> None:
        _, _, mid, reasons, _ = arguments
        refused = any(reason.is_failure for reason in reasons)
        self._answers.settle(mid, SubscriptionRefusedError() if refused else None)

    def _on_publish(self, *arguments: Any) -> None:
        _, _, mid, _, _ = arguments
        self._answers.settle(mid)

    def _on_disconnect(self, *_arguments: object) -> None:
        self._connected.clear()
        self._lost.set()
        self._answers.fail_all(BrokerUnavailableError())
        if self._accepted is not None and not self._accepted.done():
            self._accepted.set_exception(BrokerUnavailableError())

    def _on_socket_close(self, _client: object, _userdata: object, link: Any) -> None:
        loop = asyncio.get_running_loop()
        if link.fileno() >= 0:
            loop.remove_reader(link.fileno())
            loop.remove_writer(link.fileno())
