"""Sparkplug B: golden conversations, sessions, and whatever bytes may come."""

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.ingest.decode import Decoder
from services.ingest.decoders.native_json import LARGEST_PAYLOAD
from services.ingest.decoders.sparkplug import SparkplugB, session
from services.ingest.decoders.sparkplug.host import Host
from services.ingest.decoders.sparkplug.payload import Payload
from services.ingest.decoders.sparkplug.session import LARGEST_SESSION
from services.ingest.messages import (
    Birth,
    Death,
    Decoded,
    ForeignReading,
    Message,
    Unusable,
)
from tests.unit.ingest.golden import cases, expected, spelled
from tests.unit.ingest.profiles import NOW_MS

REBIRTH = ("spBv1.0/g/NCMD/node-1",)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic(self) -> float:
        return self.seconds


def payload_of(said: dict[str, Any]) -> bytes:
    payload = Payload(**{k: v for k, v in said.items() if k != "metrics"})
    for metric in said.get("metrics", ()):
        quality = metric.get("quality")
        added = payload.metrics.add(**{k: v for k, v in metric.items() if k != "quality"})  # fmt: skip
        if quality is not None:
            value = quality if isinstance(quality, dict) else {"int_value": quality}
            added.properties.keys.append("Quality")
            added.properties.values.add(type=3, **value)
    return bytes(payload.SerializeToString())


class Platform:
    def __init__(self) -> None:
        self.clock = Hands()
        self.format = SparkplugB(Host("alatau", self.clock))  # type: ignore[arg-type] # what it uses of a clock

    def hear(
        self, topic: str, payload: bytes, qos: int = 1, connection: int = 1
    ) -> Decoded:
        route = self.format.route(f"spBv1.0/{topic}")
        assert route is not None
        return route.decode(Publication(topic, payload, 1, qos, connection))

    def say(self, topic: str, *metrics: dict[str, Any], **said: Any) -> Decoded:
        way = said.pop("qos", 1), said.pop("connection", 1)
        told = {"timestamp": NOW_MS, **said, "metrics": metrics}
        return self.hear(topic, payload_of(told), *way)

    def asked(self) -> Sequence[str]:
        return tuple(topic for topic, _ in self.format.take_requests())

    def restarted(self) -> "Platform":
        other = Platform()
        other.format.remember(self.format.take_memories())
        return other


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.mark.parametrize("case", cases("sparkplug"), ids=lambda case: case.name)
def test_golden(case: Path, platform: Platform) -> None:
    said = json.loads((case / "messages.json").read_text(encoding="utf-8"))
    heard = [
        spelled(
            platform.hear(
                one["topic"],
                bytes.fromhex(one["hex"]) if "hex" in one else payload_of(one["payload"]),
                one.get("qos", 1),
            )
        )
        for one in said
    ]  # fmt: skip
    assert {"heard": heard, "asked": list(platform.asked())} == expected(case)


BD_SEQ = {"name": "bdSeq", "datatype": 8, "long_value": 3}
VOLTAGE = {"name": "in/voltage", "alias": 7, "datatype": 10, "double_value": 230.5}


def born(platform: Platform, **said: Any) -> Decoded:
    return platform.say("g/NBIRTH/node-1", BD_SEQ, VOLTAGE, seq=0, **said)


def alias(number: int, value: float) -> dict[str, Any]:
    return {"alias": number, "double_value": value}


def values(decoded: Decoded) -> dict[str, Any]:
    assert isinstance(decoded, Message)
    (item,) = decoded.items
    assert isinstance(item, ForeignReading)
    return item.values


def reasons(decoded: Decoded) -> set[Reason]:
    said = values(decoded).values()
    return {value.reason for value in said if isinstance(value, Unusable)}


def test_an_alias_means_what_the_birth_said(platform: Platform) -> None:
    born(platform)
    heard = platform.say("g/NDATA/node-1", alias(7, 231), seq=1)
    assert values(heard) == {"in/voltage": 231}
    assert platform.asked() == ()


def test_an_alias_that_no_birth_explains_is_refused_and_a_birth_asked_for(
    platform: Platform,
) -> None:
    assert reasons(platform.say("g/NDATA/node-1", alias(7, 1), seq=1)) == {Reason.NO_BIRTH}  # fmt: skip
    assert platform.asked() == REBIRTH
    born(platform)
    heard = platform.say("g/NDATA/node-1", alias(7, 1), alias(8, 2), seq=1)
    assert reasons(heard) == {Reason.NO_BIRTH}
    assert values(heard)["in/voltage"] == 1


def test_a_birth_is_asked_for_once_in_ten_seconds(platform: Platform) -> None:
    for seconds, asked in ((0, REBIRTH), (9.9, ()), (0.1, REBIRTH)):
        platform.clock.seconds += seconds
        platform.say("g/NDATA/node-1", alias(7, 1), seq=1)
        assert platform.asked() == asked


def test_the_request_is_a_command_to_rebirth(platform: Platform) -> None:
    platform.say("g/NDATA/node-1", alias(7, 1))
    ((_, body),) = platform.format.take_requests()
    command = Payload()
    command.ParseFromString(body)
    (metric,) = command.metrics
    assert (metric.name, metric.datatype, metric.boolean_value) == ("Node Control/Rebirth", 11, True)  # fmt: skip
    assert not command.HasField("seq")


@pytest.mark.parametrize(
    ("seqs", "asked"),
    [
        ([1, 2, 3], ()),
        ([1, 3], REBIRTH),
        ([*range(1, 256), 0, 1], ()),
        ([1, 2, 1, 2, 3], ()),
        ([None, None], ()),
    ],
)
def test_the_order_of_messages(
    platform: Platform, seqs: list[int | None], asked: Sequence[str]
) -> None:
    """The third case wraps; the fourth is what the broker gives out again."""
    born(platform)
    times = {seq: NOW_MS + place for place, seq in enumerate(dict.fromkeys(seqs))}
    if len(seqs) > 256:
        times = dict.fromkeys(seqs, NOW_MS)
    for place, seq in enumerate(seqs):
        numbered = {} if seq is None else {"seq": seq}
        time = times[seq] + (place if len(seqs) > 256 else 0)
        platform.say("g/NDATA/node-1", alias(7, place), timestamp=time, **numbered)
    assert platform.asked() == asked


def test_what_a_device_tells(platform: Platform) -> None:
    born(platform)
    birth = platform.say("g/DBIRTH/node-1/Pump 1", VOLTAGE, seq=1)
    assert isinstance(birth, Message)
    name = "sparkplug:g/node-1/Pump 1"
    assert birth.notices == [Birth(time=NOW_MS, device=name)]
    data = platform.say("g/DDATA/node-1/Pump 1", alias(7, 5), seq=2)
    assert isinstance(data, Message)
    (item,) = data.items
    assert isinstance(item, ForeignReading)
    assert (item.device, item.values) == (name, {"in/voltage": 5})
    death = platform.say("g/DDEATH/node-1/Pump 1", seq=3)
    assert death == Death(time=NOW_MS, device=name)
    assert platform.asked() == ()
    platform.say("g/DDATA/node-1/Pump 1", alias(7, 5), seq=4)
    assert platform.asked() == REBIRTH


def test_with_its_node_a_device_dies(platform: Platform) -> None:
    born(platform)
    platform.say("g/DBIRTH/node-1/a", VOLTAGE, seq=1)
    platform.say("g/DBIRTH/node-1/b", VOLTAGE, seq=2)
    platform.say("g/DDEATH/node-1/b", seq=3)
    death = platform.say("g/NDEATH/node-1", BD_SEQ)
    assert isinstance(death, Message)
    assert death.notices == [Death(), Death(device="sparkplug:g/node-1/a")]


@pytest.mark.parametrize(
    ("birth", "death", "counts"),
    [(3, 3, True), (3, 2, False), (0, 255, False), (3, 4, True), (255, 0, True), (3, None, True)],
)  # fmt: skip
def test_a_death_of_an_earlier_birth_comes_too_late(
    platform: Platform, birth: int, death: int | None, counts: bool
) -> None:
    platform.say("g/NBIRTH/node-1", {**BD_SEQ, "long_value": birth}, seq=0)
    told = [] if death is None else [{**BD_SEQ, "long_value": death}]
    heard = platform.say("g/NDEATH/node-1", *told)
    assert isinstance(heard, Message)
    assert bool(heard.notices) is counts


def test_after_a_restart_what_was_queued_is_understood(platform: Platform) -> None:
    born(platform)
    platform.say("g/DBIRTH/node-1/a", {**VOLTAGE, "alias": 8}, seq=1)
    after = platform.restarted()
    assert values(after.say("g/NDATA/node-1", alias(7, 1), seq=9)) == {"in/voltage": 1}
    assert values(after.say("g/DDATA/node-1/a", alias(8, 2), seq=10)) == {"in/voltage": 2}  # fmt: skip
    assert after.asked() == ()
    after.say("g/NDATA/node-1", alias(7, 1), seq=12)
    assert after.asked() == REBIRTH


def test_after_a_restart_aliases_at_qos_0_need_a_birth(platform: Platform) -> None:
    """A birth that nobody queued for us may have given them to others."""
    born(platform)
    after = platform.restarted()
    heard = after.say("g/NDATA/node-1", alias(7, 1), seq=9, qos=0)
    assert reasons(heard) == {Reason.NO_BIRTH}
    assert after.asked() == REBIRTH
    born(after, qos=0)
    heard = after.say("g/NDATA/node-1", alias(7, 1), seq=1, qos=0)
    assert values(heard) == {"in/voltage": 1}


def test_after_a_gap_a_birth_is_asked_for_until_it_comes(platform: Platform) -> None:
    """The first request may be lost, or fall into the ten seconds after another one."""
    born(platform)
    platform.say("g/NDATA/node-1", alias(7, 1), seq=2)
    assert platform.asked() == REBIRTH
    in_order = iter((3, 4, 5))
    for seconds, asked in ((5, ()), (5, REBIRTH), (10, REBIRTH)):
        platform.clock.seconds += seconds
        platform.say("g/NDATA/node-1", alias(7, 1), seq=next(in_order))
        assert platform.asked() == asked
    born(platform)
    platform.clock.seconds += 10
    assert values(platform.say("g/NDATA/node-1", alias(7, 1), seq=1)) == {"in/voltage": 1}  # fmt: skip
    assert platform.asked() == ()


@pytest.mark.parametrize(
    ("connection", "qos", "is_explained"), [(1, 0, True), (2, 0, False), (2, 1, True)]
)
def test_a_gap_at_qos_0_between_two_connections_may_hold_a_birth(
    platform: Platform, connection: int, qos: int, is_explained: bool
) -> None:
    born(platform, qos=0)
    way = {"qos": qos, "connection": connection}
    heard = platform.say("g/NDATA/node-1", alias(7, 1), seq=2, **way)
    assert reasons(heard) == (set() if is_explained else {Reason.NO_BIRTH})
    assert platform.asked() == REBIRTH
    born(platform, **way)
    heard = platform.say("g/NDATA/node-1", alias(7, 1), seq=1, **way)
    assert reasons(heard) == set()


@pytest.mark.parametrize("dies", ["NDEATH/node-1", "DDEATH/node-1/a"])
def test_after_a_death_old_aliases_mean_nothing(platform: Platform, dies: str) -> None:
    """They may have been given to others by a birth that was not heard."""
    born(platform)
    platform.say("g/DBIRTH/node-1/a", VOLTAGE, seq=1)
    platform.say(f"g/{dies}", BD_SEQ, **({"seq": 2} if "/a" in dies else {}))
    heard = platform.say("g/DDATA/node-1/a", alias(7, 1), seq=3, timestamp=NOW_MS + 1)
    assert reasons(heard) == {Reason.NO_BIRTH}
    assert platform.asked() == REBIRTH


UNREADABLE = b"\x12\x06\x20\x0c\x0a\x02\xc3\x28"


def test_a_birth_that_cannot_be_read_ends_the_one_before(platform: Platform) -> None:
    """And is not asked for again: it would come again."""
    born(platform)
    assert isinstance(platform.hear("g/NBIRTH/node-1", UNREADABLE), Unusable)
    heard = platform.say("g/NDATA/node-1", alias(7, 1), seq=1)
    assert reasons(heard) == {Reason.NO_BIRTH}
    assert platform.asked() == ()
    after = platform.restarted()
    assert reasons(after.say("g/NDATA/node-1", alias(7, 1), seq=2)) == {Reason.NO_BIRTH}
    born(platform)
    heard = platform.say("g/NDATA/node-1", alias(7, 1), seq=1)
    assert values(heard) == {"in/voltage": 1}


def test_so_does_a_devices_birth(platform: Platform) -> None:
    born(platform)
    platform.say("g/DBIRTH/node-1/a", VOLTAGE, seq=1)
    assert isinstance(platform.hear("g/DBIRTH/node-1/a", UNREADABLE), Unusable)
    heard = platform.say("g/DDATA/node-1/a", alias(7, 1), seq=2)
    assert reasons(heard) == {Reason.NO_BIRTH}
    assert values(platform.say("g/NDATA/node-1", alias(7, 2), seq=3)) == {"in/voltage": 2}  # fmt: skip
    assert platform.asked() == ()
    platform.say("g/DBIRTH/node-1/a", VOLTAGE, seq=4)
    heard = platform.say("g/DDATA/node-1/a", alias(7, 1), seq=5)
    assert values(heard) == {"in/voltage": 1}


def packed(body: bytes) -> bytes:
    return bytes(Payload(uuid="SPBV1.0_COMPRESSED", body=body).SerializeToString())


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_packed_payload(platform: Platform, pack: Callable[[bytes], bytes]) -> None:
    told = {"timestamp": NOW_MS, "seq": 0, "metrics": [BD_SEQ, VOLTAGE]}
    birth = platform.hear("g/NBIRTH/node-1", packed(pack(payload_of(told))))
    assert isinstance(birth, Message)
    assert values(birth) == {"in/voltage": 230.5}
    heard = platform.say("g/NDATA/node-1", alias(7, 1), seq=1)
    assert values(heard) == {"in/voltage": 1}


def test_a_packed_payload_may_be_as_large_as_any_unpacked(platform: Platform) -> None:
    born(platform)
    metric = b"\x12\x04\x20\x07\x38\x01"  # alias 7 is null
    whole = metric * (LARGEST_PAYLOAD // len(metric))
    whole += b"\x20" + b"\x81" * (LARGEST_PAYLOAD - len(whole) - 2) + b"\x01"
    assert len(whole) == LARGEST_PAYLOAD
    heard = platform.hear("g/NDATA/node-1", packed(zlib.compress(whole)))
    assert isinstance(heard, Message)


@pytest.mark.parametrize(
    "body",
    [b"", b"no", zlib.compress(payload_of({"seq": 1}))[:-5], zlib.compress(bytes(65_537))],
)  # fmt: skip
def test_a_payload_that_cannot_be_unpacked(platform: Platform, body: bytes) -> None:
    """The last one is small on the wire alone."""
    heard = platform.hear("g/NDATA/node-1", packed(body))
    assert isinstance(heard, Unusable)
    assert heard.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("said", "quality"),
    [
        (0, "fail"),
        (192, None),
        (500, "stale"),
        ({"long_value": 192}, None),
        ({"long_value": 500}, "stale"),
        ({"is_null": True}, None),
        ({}, None),
    ],
)
def test_quality(platform: Platform, said: object, quality: str | None) -> None:
    heard = platform.say("g/NDATA/node-1", {**VOLTAGE, "quality": said}, seq=1)
    assert isinstance(heard, Message)
    (item,) = heard.items
    assert isinstance(item, ForeignReading)
    assert item.quality == (quality and {"in/voltage": quality})


def test_the_state_of_another_host_is_nobodys_fault(platform: Platform) -> None:
    assert platform.hear("STATE/other", b"OFFLINE") == Message(())
    assert platform.format.take_contradicted() is False


def test_a_memory_of_another_version_is_no_memory(platform: Platform) -> None:
    platform.format.remember({"node-1": b"\x93nonsense"})
    assert reasons(platform.say("g/NDATA/node-1", alias(7, 1))) == {Reason.NO_BIRTH}


def test_only_births_are_kept(platform: Platform) -> None:
    born(platform)
    assert set(platform.format.take_memories()) == {"node-1"}
    platform.say("g/NDATA/node-1", alias(7, 1), seq=1)
    assert platform.format.take_memories() == {}


def test_a_publisher_is_one_edge_node(platform: Platform) -> None:
    """In as many groups as it likes, it would fill our memory."""
    born(platform)
    platform.say("h/NBIRTH/node-1", BD_SEQ, seq=0)
    assert len(platform.format.take_memories()) == 1
    heard = platform.say("g/NDATA/node-1", alias(7, 1), seq=1)
    assert reasons(heard) == {Reason.NO_BIRTH}


def test_an_edge_node_has_no_more_metrics_than_are_kept(platform: Platform) -> None:
    born(platform)
    large = [{"name": f"{n:04}", "alias": n, "datatype": 3} for n in range(3_000)]
    most = LARGEST_SESSION // 500_000
    heard = [platform.say(f"g/DBIRTH/node-1/{n}", *large, seq=1) for n in range(most)]
    assert isinstance(heard[0], Message)
    assert isinstance(heard[-1], Unusable)
    assert heard[-1].reason is Reason.TOO_LARGE


def test_a_device_without_metrics_takes_room_too(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    born(platform)
    monkeypatch.setattr(session, "LARGEST_SESSION", 2_000)
    heard = [platform.say(f"g/DBIRTH/node-1/{n}", seq=1) for n in range(30)]
    assert isinstance(heard[0], Message)
    assert isinstance(heard[-1], Unusable)


def test_deaths_of_devices_that_were_never_born_are_not_kept(
    platform: Platform,
) -> None:
    born(platform)
    assert isinstance(platform.say("g/DDEATH/node-1/never-born", seq=1), Death)
    assert platform.format._nodes._nodes["node-1"].dead == set()


@pytest.mark.parametrize("field", [b"\x0a", b"\x7a"])  # name and string_value
@pytest.mark.parametrize("kind", ["NBIRTH", "NDATA", "DBIRTH", "DDATA", "DDEATH"])
def test_strings_that_are_not_utf8(kind: str, field: bytes, platform: Platform) -> None:
    born(platform)
    metric = b"\x20\x0c" + field + b"\x02\xc3\x28"
    topic = f"g/{kind}/node-1" + ("/a" if kind.startswith("D") else "")
    heard = platform.hear(topic, b"\x12" + bytes([len(metric)]) + metric)
    assert isinstance(heard, Unusable)
    assert heard.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ({"datatype": 1, "int_value": 0xFF}, -1),
        ({"datatype": 1, "int_value": 0xFFFFFFFF}, -1),
        ({"datatype": 2, "int_value": 0x8000}, -32768),
        ({"datatype": 3, "int_value": 0xFFFFFFFE}, -2),
        ({"datatype": 4, "long_value": (1 << 64) - 3}, -3),
        ({"datatype": 5, "int_value": 200}, 200),
        ({"datatype": 7, "long_value": 0xFFFFFFFF}, 0xFFFFFFFF),
        ({"datatype": 8, "long_value": (1 << 64) - 1}, (1 << 64) - 1),
        ({"datatype": 9, "float_value": 230.4}, 230.4),
        ({"datatype": 9, "float_value": float("nan")}, 1 << 60),
        ({"datatype": 10, "double_value": 0.1}, 0.1),
        ({"datatype": 11, "boolean_value": True}, True),
        ({"datatype": 12, "string_value": "open"}, "open"),
        ({"datatype": 13, "long_value": NOW_MS}, NOW_MS),
    ],
)
def test_data_types(platform: Platform, metric: dict[str, Any], value: object) -> None:
    born(platform)
    heard = platform.say("g/NDATA/node-1", {"name": "a", **metric}, seq=1)
    assert values(heard) == {"a": value}


@pytest.mark.parametrize("datatype", [16, 17, 18, 19, 20, 22, 34, 99])
def test_data_types_that_no_channel_takes(platform: Platform, datatype: int) -> None:
    born(platform)
    heard = platform.say("g/NDATA/node-1", {"name": "a", "datatype": datatype}, seq=1)
    assert reasons(heard) == {Reason.WRONG_TYPE}


def test_a_null_is_missing(platform: Platform) -> None:
    born(platform)
    null = {"name": "a", "datatype": 10, "is_null": True}
    assert platform.say("g/NDATA/node-1", null, seq=1) == Message([])


def test_state(platform: Platform) -> None:
    standing = platform.format.standing()
    assert standing.topic == "spBv1.0/STATE/alatau"
    assert json.loads(standing.online) == {"online": True, "timestamp": NOW_MS}
    assert json.loads(standing.offline) == {"online": False, "timestamp": NOW_MS}


@pytest.mark.parametrize(
    ("said", "contradicted"),
    [
        (b'{"online": true, "timestamp": 5}', False),
        (b'{"online": false, "timestamp": 5}', True),
        (b"OFFLINE", True),
        (b"[" * 20_000, True),
    ],
)
def test_who_says_that_the_host_is_offline_is_contradicted(
    platform: Platform, said: bytes, contradicted: bool
) -> None:
    assert platform.hear("STATE/alatau", said) == Message(())
    assert platform.format.take_contradicted() is contradicted
    assert platform.format.take_contradicted() is False


@pytest.mark.parametrize(
    "topic",
    ["g/NCMD/node-1", "g/NDATA", "g/NDATA/node-1/x", "g/DDATA/node-1", "g/NDATA/Node", "g/DDATA/node-1/x/y"],
)  # fmt: skip
def test_topics_of_others(platform: Platform, topic: str) -> None:
    assert platform.format.route(f"spBv1.0/{topic}") is None


KINDS = ("NBIRTH", "NDATA", "NDEATH", "DBIRTH/d", "DDATA/d", "DDEATH/d")
METRIC = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["bdSeq", "a", "b/a", ""]),
        "alias": st.integers(0, 2) | st.integers(0, (1 << 64) - 1),
        "timestamp": st.integers(0, (1 << 64) - 1),
        "datatype": st.integers(0, 35),
        "is_null": st.booleans(),
        "int_value": st.integers(0, (1 << 32) - 1),
        "long_value": st.integers(0, (1 << 64) - 1),
        "float_value": st.floats(width=32),
        "double_value": st.floats(),
        "boolean_value": st.booleans(),
        "string_value": st.text(max_size=3),
        "quality": st.sampled_from([0, 192, 500]),
    },
)
SAID = st.fixed_dictionaries(
    {"metrics": st.lists(METRIC, max_size=4)},
    optional={
        "timestamp": st.integers(0, (1 << 64) - 1),
        "seq": st.integers(0, 3) | st.integers(0, (1 << 64) - 1),
    },
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.binary(max_size=60) | SAID.map(payload_of),
            st.integers(0, 1),
        ),
        max_size=6,
    )
)
@settings(max_examples=200)
def test_no_bytes_make_the_decoder_raise(said: list[tuple[str, bytes, int]]) -> None:
    decoder = Decoder([SparkplugB(Host("alatau", Hands()))])  # type: ignore[arg-type] # what it uses of a clock
    for words, payload, qos in said:
        kind, _, device = words.partition("/")
        topic = "/".join(filter(None, ("spBv1.0/g", kind, "node-1", device)))
        content = decoder.decode(Publication(topic, payload, 1, qos, 1)).content
        assert isinstance(content, Message | Birth | Death | Unusable)
        for _, _, body in decoder.take_memories():
            Platform().format.remember({"node-1": body})
