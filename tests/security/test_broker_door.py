"""Every refusal of the broker's listeners, tried with bare sockets on each of them."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy.native.broker_files import BrokerFiles
from deploy.native.mosquitto import (
    DeviceListener,
    OpenListenerError,
)
from services.core.authority import (
    Authority,
    new_authority,
    read_revocations,
    sign_revocations,
    sign_server,
)
from services.core.broker import users
from services.core.broker.topics import down_topic, up_topic
from services.core.clock import SystemClock
from tests.security.knocking import (
    ACCEPTED,
    NOT_AUTHORISED,
    Caller,
    believing,
    call,
    device_pair,
)
from tests.stack_fixtures import Broker, running_broker

pytestmark = pytest.mark.integration

PUMP, VALVE = "pump-1", "valve-1"
LARGEST_PACKET = 66_560
LISTENERS = ("plain", "password", "certificate")


@dataclass
class Door:
    broker: Broker
    authority: Authority
    folder: Path
    callers: list[Caller] = field(default_factory=list)

    def call(self, *where: Any, **how: Any) -> Caller:
        """As knocking.call(); it is hung up at the test's end."""
        self.callers.append(call(*where, **how))
        return self.callers[-1]

    @property
    def password_port(self) -> int:
        assert self.broker.mosquitto.tls is not None
        return self.broker.mosquitto.tls.password_port

    @property
    def certificate_port(self) -> int:
        assert self.broker.mosquitto.tls is not None
        return self.broker.mosquitto.tls.certificate_port

    def pair(self, device: str, **span: int) -> Path:
        return device_pair(self.folder, self.authority, device, **span)

    def knock(self, listener: str, device: str = PUMP) -> Caller:
        """A stream to that listener, not yet an MQTT session."""
        if listener == "plain":
            return self.call(self.broker.port)
        if listener == "password":
            return self.call(self.password_port, believing(self.authority))
        return self.show(self.pair(device))

    def show(self, pair: Path) -> Caller:
        return self.call(self.certificate_port, believing(self.authority, pair))

    def enter(self, listener: str, device: str = PUMP, client_id: str = "") -> Caller:
        caller = self.knock(listener, device)
        secret = self.broker.secrets[device]
        shown = () if listener == "certificate" else (device, secret)
        assert caller.connect(client_id, *shown) == ACCEPTED
        return caller

    def is_let_in(self, pair: Path) -> bool:
        """Whether the broker takes this certificate; a refusal is told while the first packet is on its way."""
        try:
            caller = self.show(pair)
            return caller.connect("") == ACCEPTED
        except (ssl.SSLError, ConnectionError):
            return False


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    authority = new_authority(SystemClock().now())
    with running_broker(authority) as broker:
        broker.add_devices([PUMP, VALVE])
        yield Door(broker, authority, tmp_path_factory.mktemp("pairs"))


@pytest.fixture(autouse=True)
def hung_up(door: Door) -> Iterator[None]:
    yield
    while door.callers:
        door.callers.pop().close()


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_publisher_gets_in_and_reaches_its_own_topics(
    door: Door, listener: str
) -> None:
    caller = door.enter(listener)
    assert caller.subscribe(down_topic(PUMP, "command")) == 1
    assert caller.publish(up_topic(PUMP, "death")) == ACCEPTED


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    "topic",
    [
        up_topic(VALVE, "data"),
        down_topic(PUMP, "receipt"),
        down_topic(PUMP, "command"),
        "$SYS/broker/version",
        "$CONTROL/dynamic-security/v1",
        "anything",
    ],
)
def test_foreign_topics_are_refused(door: Door, listener: str, topic: str) -> None:
    assert door.enter(listener).publish(topic) == NOT_AUTHORISED


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_subscription_brings_nothing_of_others(door: Door, listener: str) -> None:
    """Mosquitto grants a wildcard and passes on only what may be read: all the same nothing else comes."""
    caller = door.enter(listener)
    for pattern in ("#", "city/v1/+/receipt", "$SYS/#", "$CONTROL/#"):
        caller.subscribe(pattern)
    neighbour = door.enter("plain", VALVE)
    assert neighbour.publish(up_topic(VALVE, "data")) == ACCEPTED
    caller.stream.settimeout(0.3)
    with pytest.raises(TimeoutError):
        caller.packet()


@pytest.mark.parametrize("listener", LISTENERS)
def test_an_oversize_packet_ends_the_connection(door: Door, listener: str) -> None:
    caller = door.enter(listener)
    with suppress(OSError):  # it may hang up in the middle of it
        caller.send(0x32, bytes(LARGEST_PACKET))
    assert caller.is_put_out()
    assert door.enter(listener).publish(up_topic(PUMP, "data")) == ACCEPTED


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("taken", [users.INGEST, users.DOWNLINK, users.DOOR, VALVE])
def test_no_client_id_can_be_taken_over(door: Door, listener: str, taken: str) -> None:
    """Whatever a device calls itself, it is who it proved to be."""
    there = door.enter("plain", VALVE)
    caller = door.enter(listener, client_id=taken)
    assert caller.publish(up_topic(PUMP, "data")) == ACCEPTED
    assert caller.publish(up_topic(VALVE, "data")) == NOT_AUTHORISED
    assert not there.is_put_out(0.1)


def test_a_service_keeps_its_session_whoever_asks_for_it(door: Door) -> None:
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(door.broker.mosquitto.socket_path))
        stream.settimeout(5)
        ingest = Caller(stream)
        secret = door.broker.secrets[users.INGEST]
        assert ingest.connect(users.INGEST, users.INGEST, secret) == ACCEPTED
        for listener in LISTENERS:
            door.enter(listener, client_id=users.INGEST)
        assert not ingest.is_put_out(0.1)


@pytest.mark.parametrize("listener", ["plain", "password"])
@pytest.mark.parametrize(
    ("user", "secret"),
    [("", None), (PUMP, None), (PUMP, ""), (PUMP, "guess"), ("pump-2", "guess"), (users.INGEST, "guess"), (users.DOOR, "guess")],
)  # fmt: skip
def test_without_the_secret_nobody_gets_in(
    door: Door, listener: str, user: str, secret: str | None
) -> None:
    code = door.knock(listener).connect("", user, secret)
    assert code == NOT_AUTHORISED


def test_a_secret_beside_a_certificate_changes_nothing(door: Door) -> None:
    caller = door.knock("certificate")
    secret = door.broker.secrets[VALVE]
    assert caller.connect(VALVE, VALVE, secret) == ACCEPTED
    assert caller.publish(up_topic(VALVE, "data")) == NOT_AUTHORISED
    assert caller.publish(up_topic(PUMP, "data")) == ACCEPTED


def test_without_a_certificate_nobody_gets_in_where_one_is_asked_for(
    door: Door,
) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        door.call(door.certificate_port, believing(door.authority)).connect(
            PUMP, PUMP, door.broker.secrets[PUMP]
        )


def expired(door: Door) -> Path:
    return door.pair(PUMP, days=1, age=3)


def too_young(door: Door) -> Path:
    return door.pair(PUMP, days=9, age=-2)


def of_another_authority(door: Door) -> Path:
    return device_pair(door.folder, new_authority(SystemClock().now()), PUMP)


def the_brokers_own(door: Door) -> Path:
    """Signed by our authority, but to serve: not to be a device."""
    path = door.folder / "server.pem"
    path.write_bytes(b"".join(sign_server(door.authority, [PUMP], SystemClock().now())))
    return path


@pytest.mark.parametrize(
    "certificate", [expired, too_young, of_another_authority, the_brokers_own]
)
def test_a_wrong_certificate_is_refused(
    door: Door, certificate: Callable[[Door], Path]
) -> None:
    assert door.is_let_in(door.pair(PUMP)), "a right one is not"
    assert not door.is_let_in(certificate(door))


def test_a_revoked_certificate_is_refused_also_to_who_resumes_a_session(
    door: Door,
) -> None:
    """A resumed TLS session shows no certificate: reading the list anew makes the broker forget them all."""
    pair = door.pair(PUMP)
    context = believing(door.authority, pair)
    first = door.call(door.certificate_port, context)
    assert first.connect("") == ACCEPTED
    assert isinstance(first.stream, ssl.SSLSocket)
    ticket = first.stream.session
    _revoke(door, pair)
    assert not door.is_let_in(pair)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        door.call(door.certificate_port, context, session=ticket).connect("")


def _revoke(door: Door, pair: Path) -> None:
    from cryptography import x509  # noqa: PLC0415 # only here

    serial = x509.load_pem_x509_certificate(pair.read_bytes()).serial_number
    files, clock = BrokerFiles(door.broker.mosquitto.folder), SystemClock()
    _, before = read_revocations(files.read("crl.pem") or b"")
    signed = sign_revocations(door.authority, [f"{serial:x}"], clock.now(), before)
    files.write("crl.pem", signed)
    door.broker.reload()


@pytest.mark.parametrize("listener", ["password", "certificate"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(door: Door, listener: str, version: ssl.TLSVersion) -> None:
    port = door.password_port if listener == "password" else door.certificate_port
    context = believing(door.authority, door.pair(PUMP))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"(?i)version|reset|EOF"):
        door.call(port, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_served(door: Door, version: ssl.TLSVersion) -> None:
    context = believing(door.authority, door.pair(PUMP))
    context.minimum_version = context.maximum_version = version
    assert door.call(door.certificate_port, context).connect("") == ACCEPTED


def test_a_broker_of_another_authority_is_not_believed(door: Door) -> None:
    stranger = new_authority(SystemClock().now())
    with pytest.raises(ssl.SSLCertVerificationError):
        door.call(door.password_port, believing(stranger))


def test_without_tls_nobody_outside_this_machine_is_served(door: Door) -> None:
    """By every address of this machine that is not loopback's."""
    addresses = {
        entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None)
    }
    for address in addresses - {"127.0.0.1", "::1", "127.0.1.1"}:
        with pytest.raises(OSError, match=r"refused|unreachable"):
            door.call(door.broker.port, host=str(address))
    for host in ("0.0.0.0", "::", "10.0.0.7", "mqtt.city.example"):  # noqa: S104 # refused
        with pytest.raises(OpenListenerError) as refused:
            DeviceListener(host, 1883)
        assert "--mqtt-bind" in refused.value.remedy
