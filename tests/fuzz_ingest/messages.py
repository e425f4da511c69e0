"""The n-th message of a run: it follows from the seed, its number and the run's begin alone."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.core.clock import from_milliseconds
from tests.fuzz_ingest.city import (
    COUNTED,
    PUBLISHERS,
    SPARKPLUG_DEVICE,
    SPARKPLUG_GROUP,
    dev_eui,
    hosted,
)
from tests.fuzz_ingest.drawn import (
    CHANNELS,
    Drawn,
    as_cbor,
    as_json,
    as_protobuf,
    draw_all,
)
from tests.fuzz_ingest.twists import MOST_BYTES, monster, twist_bytes, twist_tree

GOLDEN: Final = Path(__file__).parents[1] / "golden"
BATCH: Final = 20_000  # messages between two drawings
_DRAWN: Final = 100  # of each sort, for a whole batch
_LEAST_DRAWN: Final = 25
_SPAN_MS: Final = 3_600_000
_LEVELS: Final = ("event/up", "event/status", "event/join", "event/ack", "event/log", "event/", "event/ up")  # fmt: skip
_NODE_KINDS: Final = ("NBIRTH", "NDATA", "NDEATH")
_DEVICE_KINDS: Final = ("DBIRTH", "DDATA", "DDEATH")
_STATES: Final = ("open", "closed", "intermediate")


@dataclass(frozen=True, slots=True)
class Wild:
    """publisher: its place among PUBLISHERS."""

    number: int
    publisher: int
    topic: str
    payload: bytes
    qos: int
    retain: bool

    @property
    def sender(self) -> str:
        return PUBLISHERS[self.publisher]


class Maker:
    """begin_ms: the moment about which well-formed times lie. count: of the run."""

    def __init__(self, seed: int, count: int, begin_ms: int) -> None:
        self._seed = seed
        self._begin_ms = begin_ms
        self._drawn_for = -1
        self._drawn = Drawn({}, [])
        self._most_drawn = max(_LEAST_DRAWN, min(_DRAWN, count // 100))
        self._corpus = _corpus()

    def make(self, number: int) -> Wild:
        self._draw_for(number // BATCH)
        chance = random.Random(self._seed << 32 | number)
        publisher = chance.randrange(len(PUBLISHERS))
        name = PUBLISHERS[publisher]
        if name in COUNTED:
            payload = self._payload("data", name, number, chance)[:MOST_BYTES]
            return Wild(number, publisher, f"city/v1/{name}/data", payload, 1, False)
        kind, topic = self._topic(name, chance)
        payload = self._payload(kind, name, number, chance)[:MOST_BYTES]
        retain = chance.random() < 0.02
        return Wild(
            number, publisher, topic, payload, int(chance.random() < 0.7), retain
        )

    def _draw_for(self, batch: int) -> None:
        if batch != self._drawn_for:
            self._drawn_for = batch
            self._drawn = draw_all(self._most_drawn, self._seed * 1_009 + batch)

    # Topics

    def _topic(self, name: str, chance: random.Random) -> tuple[str, str]:
        """A sort of payload that belongs there, and the topic."""
        sort = chance.random()
        if sort < 0.45:
            kind = chance.choices(
                ("data", "birth", "death", "result", "senml"), (6, 1, 1, 1, 4)
            )[0]
            return kind, f"city/v1/{name}/{kind}"
        if sort < 0.8:
            return "sparkplug", self._sparkplug_topic(name, chance)
        device = dev_eui(name) if chance.random() < 0.6 else self._level(chance)
        event = (
            chance.choice(_LEVELS)
            if chance.random() < 0.9
            else f"event/{self._level(chance)}"
        )
        return "chirpstack", f"application/{name}/device/{device}/{event}"

    def _sparkplug_topic(self, name: str, chance: random.Random) -> str:
        group = SPARKPLUG_GROUP if chance.random() < 0.85 else self._level(chance)
        if chance.random() < 0.4:
            return f"spBv1.0/{group}/{chance.choice(_NODE_KINDS)}/{name}"
        device = SPARKPLUG_DEVICE if chance.random() < 0.7 else self._level(chance)
        return f"spBv1.0/{group}/{chance.choice(_DEVICE_KINDS)}/{name}/{device}"

    def _level(self, chance: random.Random) -> str:
        """What hypothesis drew, and so often a new one that who remembers them all is found out."""
        level = chance.choice(self._drawn.levels)
        return (
            level
            if chance.random() < 0.3
            else f"{level}{chance.getrandbits(40):x}"[:80]
        )

    # Payloads

    def _payload(
        self, kind: str, name: str, number: int, chance: random.Random
    ) -> bytes:
        how = chance.random()
        if how < 0.002:
            return monster(chance)
        if how < 0.05:
            kind = chance.choice(tuple(_PLAIN))  # another format's
        if how < 0.30:
            payload = chance.choice(
                self._drawn.payloads[chance.choice(_DRAWN_OF[kind])]
            )
            return twist_bytes(payload, chance) if chance.random() < 0.3 else payload
        if how < 0.40:
            return twist_bytes(chance.choice(self._corpus), chance)
        if how < 0.45:
            return chance.randbytes(chance.randrange(300))
        at_ms = self._begin_ms - _SPAN_MS + number
        if chance.random() < 0.2:
            at_ms -= chance.randrange(_SPAN_MS)
        return _PLAIN[kind](name, at_ms, chance)


# Well-formed messages, most of them twisted


def _twisted(tree: Any, chance: random.Random) -> Any:
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        tree = twist_tree(tree, chance)
    return tree


def _json(tree: Any, chance: random.Random) -> bytes:
    payload = as_json(_twisted(tree, chance))
    return twist_bytes(payload, chance) if chance.random() < 0.15 else payload


def _values(chance: random.Random) -> dict[str, Any]:
    said: dict[str, Any] = {
        "voltage": round(chance.uniform(170, 270), 1),
        "current": chance.randrange(20_000),
        "energy": chance.randrange(100_000),
        "breaker": chance.choice(_STATES),
        "alarms": chance.randrange(16),
    }
    return {name: said[name] for name in chance.sample(CHANNELS, chance.randint(1, 5))}


def _item(name: str, at_ms: int, chance: random.Random) -> dict[str, Any]:
    item: dict[str, Any] = {"time": at_ms, "values": _values(chance)}
    if chance.random() < 0.1:
        item["device"] = chance.choice((name, hosted(name), "probe-1", "nobody"))
    if chance.random() < 0.1:
        item["quality"] = {"voltage": chance.choice(("suspect", "fail", "blocked"))}
    if chance.random() < 0.05:
        item["revises"] = True
    return item


def _data(name: str, at_ms: int, chance: random.Random) -> bytes:
    message = _item(name, at_ms, chance)
    if chance.random() < 0.3:
        items = [_item(name, at_ms - place, chance) for place in range(chance.randint(1, 9))]  # fmt: skip
        message = {"items": items}
    if chance.random() < 0.5:
        message |= {"seq": chance.randrange(3_000), "epoch": chance.randrange(1, 4)}
    return _json(message, chance)


def _birth(_name: str, at_ms: int, chance: random.Random) -> bytes:
    numbers = {"epoch": chance.randrange(1, 4), "oldest_seq": chance.randrange(3_000)}
    return _json({"time": at_ms, "firmware": "1.0", **numbers}, chance)


def _death(name: str, at_ms: int, chance: random.Random) -> bytes:
    device = chance.choice((name, hosted(name)))
    return _json({"time": at_ms, "device": device}, chance)


def _result(_name: str, _at_ms: int, chance: random.Random) -> bytes:
    answer = {"id": str(chance.randrange(9)), "ok": True, "detail": "done"}
    return _json(answer, chance)


def _senml(name: str, at_ms: int, chance: random.Random) -> bytes:
    base = {"bn": chance.choice((f"urn:dev:ow:{dev_eui(name)}:", "")), "bt": at_ms / 1000}  # fmt: skip
    records: list[Any] = [
        {"n": "voltage", "u": chance.choice(("V", "mV")), "v": chance.uniform(0, 300)},
        {"n": "current", "u": "A", "v": chance.uniform(0, 9), "t": -chance.random()},
        {"n": "breaker", "vs": chance.choice(_STATES)},
    ]
    records = chance.sample(records, chance.randint(1, 3))
    pack = [{**base, **records[0]}, *records[1:]]
    if chance.random() < 0.6:
        return _json(pack, chance)
    payload = as_cbor(_twisted(pack, chance))
    return twist_bytes(payload, chance) if chance.random() < 0.3 else payload


def _sparkplug(_name: str, at_ms: int, chance: random.Random) -> bytes:
    metrics: list[dict[str, Any]] = [
        {"name": "bdSeq", "datatype": 4, "long_value": chance.randrange(256)},
        {"name": "voltage", "alias": 1, "datatype": 10, "double_value": chance.uniform(170, 270)},
        {"name": "current", "alias": 2, "datatype": 9, "float_value": chance.uniform(0, 20)},
        {"alias": chance.randrange(4), "double_value": chance.uniform(0, 300)},
        {"name": "breaker", "datatype": 12, "string_value": chance.choice(_STATES)},
        {"name": "alarms", "alias": 3, "datatype": chance.randrange(1, 9), "int_value": chance.randrange(99)},
    ]  # fmt: skip
    said = {
        "timestamp": at_ms,
        "seq": chance.randrange(256),
        "metrics": chance.sample(metrics, chance.randint(0, 6)),
    }
    payload = as_protobuf(said)
    return twist_bytes(payload, chance) if chance.random() < 0.4 else payload


def _chirpstack(name: str, at_ms: int, chance: random.Random) -> bytes:
    event = {
        "deviceInfo": {"devEui": dev_eui(name), "tenantName": "city"},
        "time": from_milliseconds(at_ms).isoformat(),
        "data": "AQID",
        "object": _values(chance),
        "rxInfo": [{"rssi": -chance.randrange(130), "snr": chance.uniform(-20, 10)}],
        "margin": chance.randrange(30),
        "batteryLevel": chance.uniform(0, 100),
    }
    return _json(event, chance)


_PLAIN: Final[Mapping[str, Callable[[str, int, random.Random], bytes]]] = {
    "data": _data, "birth": _birth, "death": _death, "result": _result,
    "senml": _senml, "sparkplug": _sparkplug, "chirpstack": _chirpstack,
}  # fmt: skip
_DRAWN_OF: Final = {
    "data": ("data",), "birth": ("notice",), "death": ("notice",), "result": ("notice",),
    "senml": ("pack", "cbor", "bytes"), "sparkplug": ("spoken", "bytes"), "chirpstack": ("event",),
}  # fmt: skip


def _corpus() -> list[bytes]:
    """The golden folders' messages of all formats."""
    found = sorted(path for path in GOLDEN.rglob("*.*") if path.parent.parent.name in _FORMATS)  # fmt: skip
    return [path.read_bytes() for path in found if not path.name.startswith("expected")]


_FORMATS: Final = frozenset({"native_json", "senml", "sparkplug", "chirpstack", "tts"})
