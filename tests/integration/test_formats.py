"""Foreign formats over a real broker: what they send is stored, and nobody speaks as another."""

import asyncio
import json
from collections.abc import AsyncIterator

import cbor2
import pytest

from services.core.broker.client import BrokerClient, ClientOptions
from services.core.city.entities import Device
from services.core.clock import ManualClock, from_milliseconds
from services.ingest.decode import Decoder
from services.ingest.decoders.sparkplug import SparkplugB
from services.ingest.decoders.sparkplug.host import Host
from services.ingest.decoders.sparkplug.payload import Payload
from services.ingest.standings import Standings
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import (
    CLOCK,
    PATIENCE,
    T0,
    Stage,
    ingest_stage,
)
from tests.integration.test_broker_rights import NOT_AUTHORISED, publish
from tests.integration.test_ingest_killed import child
from tests.integration.test_replay import replay
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

SECONDS = T0 // 1000


def hosted(key: str, scheme: str, value: str) -> Device:
    name = {"scheme": scheme, "value": value}
    return Device(key, "probe", f"at-{key}", False, ("gw-1",), {}, (name,))


PROBES = (
    hosted("lora-1", "dev_eui", "0101010101010101"),
    hosted("wire-1", "urn", "dev:ow:10e2073a01080063"),
    hosted("pump-1", "sparkplug", "city/gw-1/Pump 1"),
)


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 1, *PROBES)
        yield stage


async def test_senml_in_json_and_cbor(stage: Stage) -> None:
    pack = [
        {"bn": "urn:dev:ow:10e2073a01080063:", "bt": SECONDS, "n": "voltage", "u": "mV", "v": 230_500},
        {"n": "current", "u": "kg", "v": 1},
    ]  # fmt: skip
    numbered = [{-3: SECONDS, 0: "voltage", 1: "V", 2: 229.5}, {0: "breaker", 3: "open"}]  # fmt: skip
    async with stage.ingest():
        async with stage.device("gw-1") as gateway:
            await gateway.send(pack, "senml")
        async with stage.device("feeder-1") as feeder:
            await feeder.send(cbor2.dumps(numbered), "senml")
        await stage.settled(2)
    assert await stage.rows("wire-1") == {0: [230.5, None]}
    assert await stage.rows("feeder-1") == {0: [229.5, None, None, 0.0, None]}
    assert await stage.rejected() == [("value", "wrong_unit", "current", 0)]


async def test_an_uplink_through_chirpstack(stage: Stage) -> None:
    event = {
        "time": from_milliseconds(T0).isoformat(),
        "deviceInfo": {"devEui": "0101010101010101"},
        "object": {"voltage": 3.5, "nope": 1},
        "rxInfo": [{"rssi": -36, "snr": 10.5}],
    }
    topic = "application/gw-1/device/0101010101010101/event"
    async with stage.ingest(), stage.device("gw-1") as chirpstack:
        up = json.dumps(event).encode()
        await chirpstack.client.publish(f"{topic}/up", up)
        await chirpstack.client.publish(f"{topic}/up", up)
        status = json.dumps({**event, "margin": 7, "batteryLevel": 80.0}).encode()
        await chirpstack.client.publish(f"{topic}/status", status)
        stranger = up.replace(b"0101010101010101", b"0202020202020202")
        await chirpstack.client.publish(f"{topic}/up", stranger)
        ledger = await stage.settled(3)
    assert await stage.rows("lora-1") == {0: [3.5, None]}
    assert (ledger.total.stored, ledger.total.duplicate) == (1, 1)
    assert await stage.rejected() == [
        ("value", "unknown_channel", "nope", 0),
        ("value", "unknown_channel", "nope", 0),
        ("item", "unknown_device", None, 0),
    ]
    named = await stage.database.fetch(
        "SELECT device FROM rejected_messages ORDER BY rejected_id"
    )
    assert [row["device"] for row in named] == [
        "lora-1",
        "lora-1",
        "dev_eui:0202020202020202",
    ]


def spoken(*metrics: dict[str, object], seq: int, after: int = 0) -> bytes:
    payload = Payload(timestamp=T0 + after, seq=seq)
    for metric in metrics:
        payload.metrics.add(**metric)
    return bytes(payload.SerializeToString())


async def test_births_outlive_a_kill_of_ingest(stage: Stage) -> None:
    """What the broker queued at QoS 1 meanwhile is read with the aliases of before."""
    voltage = {"name": "voltage", "alias": 9, "datatype": 10, "double_value": 230.0}
    data = "spBv1.0/city/DDATA/gw-1/Pump 1"
    async with stage.device("gw-1") as edge:
        async with child(stage, "never", 0):  # killed at the end of the block
            await edge.client.publish("spBv1.0/city/NBIRTH/gw-1", spoken(seq=0))
            birth = spoken(voltage, seq=1)
            await edge.client.publish("spBv1.0/city/DBIRTH/gw-1/Pump 1", birth)
            await stage.settled(1)
        later = spoken({"alias": 9, "double_value": 231.0}, seq=2, after=1000)
        await edge.client.publish(data, later)
        async with stage.ingest():
            await stage.settled(2)
    assert await stage.rows("pump-1") == {0: [230.0, None], 1000: [231.0, None]}
    assert await stage.rejected() == []


async def test_what_had_no_birth_is_read_again_when_it_has(stage: Stage) -> None:
    voltage = {"name": "voltage", "alias": 9, "datatype": 10, "double_value": 230.0}
    data = "spBv1.0/city/DDATA/gw-1/Pump 1"
    async with stage.ingest(), stage.device("gw-1") as edge:
        early = spoken({"alias": 9, "double_value": 229.0}, seq=2, after=-1000)
        await edge.client.publish(data, early)
        await stage.settled(1)
        assert await stage.rejected() == [("item", "no_birth", "alias 9", 0)]
        await edge.client.publish("spBv1.0/city/NBIRTH/gw-1", spoken(seq=0))
        birth = spoken(voltage, seq=1)
        await edge.client.publish("spBv1.0/city/DBIRTH/gw-1/Pump 1", birth)
        await stage.settled(2)
        done = await replay(stage, reasons=["no_birth"])
    assert (done.messages, done.mended, done.refused) == (1, 1, 0)
    assert await stage.rows("pump-1") == {-1000: [229.0, None], 0: [230.0, None]}


async def test_the_host_says_that_it_is_there_whatever_others_say(
    broker: Broker,
) -> None:
    topic = "spBv1.0/STATE/alatau"
    clock = ManualClock(CLOCK.now())
    decoder = Decoder([SparkplugB(Host("alatau", clock))])
    standings = Standings(decoder, CLOCK)
    since = clock.now_ms()
    options = ClientOptions(broker.service_url, fresh_will=standings.will)
    async with BrokerClient(options) as client:
        await client.subscribe([topic])
        async with standings.kept(client):
            said = await _states(client, decoder, 1)
            await client.publish(topic, b'{"online":false,"timestamp":1}', retain=True)
            said += await _states(client, decoder, 2)
            clock.advance(7)
        said += await _states(client, decoder, 1)
    states = [(state["online"], state["timestamp"]) for state in map(json.loads, said)]
    goodbye = False, since + 7_000
    assert states == [(True, since), (False, 1), (True, since), goodbye]


async def _states(client: BrokerClient, decoder: Decoder, count: int) -> list[bytes]:
    """What is said next, and heard by the host."""
    states: list[bytes] = []
    async with asyncio.timeout(PATIENCE):
        while len(states) < count:
            for publication in await client.receive(1):
                decoder.decode(publication)
                states.append(publication.payload)
    return states


@pytest.mark.parametrize(
    "topic",
    [
        "application/valve-1/device/0101010101010101/event/up",
        "spBv1.0/city/NDATA/valve-1",
        "spBv1.0/city/DDATA/valve-1/x",
        "spBv1.0/city/NBIRTH/pump-1/x",
        "spBv1.0/city/NCMD/pump-1",
        "spBv1.0/city/NCMD/valve-1",
        "spBv1.0/STATE/alatau",
        "city/v1/valve-1/senml",
    ],
)
def test_nobody_speaks_as_another(broker: Broker, topic: str) -> None:
    secret = broker.add_device("pump-1")
    done = publish(broker, "pump-1", secret, topic)
    assert NOT_AUTHORISED in (done.stderr + done.stdout).lower()


@pytest.mark.parametrize(
    "topic",
    [
        "application/pump-1/device/0101010101010101/event/up",
        "spBv1.0/any/NDATA/pump-1",
        "spBv1.0/any/DDEATH/pump-1/Pump 1",
        "city/v1/pump-1/senml",
    ],
)
def test_everybody_speaks_as_itself(broker: Broker, topic: str) -> None:
    secret = broker.add_device("pump-1")
    done = publish(broker, "pump-1", secret, topic)
    assert done.returncode == 0, done.stderr
    assert NOT_AUTHORISED not in (done.stderr + done.stdout).lower()
