"""Examples that hypothesis draws of every format's shape, as payloads; the same seed draws the same ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import cbor2
import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.ingest.decoders.sparkplug.payload import Payload
from tests.fuzz_ingest.twists import ABSURD

T = TypeVar("T")
CHANNELS: Final = ("voltage", "current", "energy", "breaker", "alarms")
_LABELS: Final = {"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6,
                  "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8}  # fmt: skip
_U32: Final = st.integers(0, (1 << 32) - 1)
_U64: Final = st.integers(0, (1 << 64) - 1)

_text = st.text(max_size=20)
_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | _text | st.sampled_from(ABSURD)
)  # fmt: skip
_trees = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4)
    ),
    max_leaves=8,
)
_plain_names = st.sampled_from(CHANNELS) | _text
# Half a surrogate pair and NUL, which JSON can say and UTF-8 or PostgreSQL cannot.
_names = st.sampled_from((*CHANNELS, "\ud800", "a\udfff", "a\x00b")) | _text
_numbers = st.booleans().flatmap(lambda fits: st.integers(0, 50) if fits else _scalars)
_values = st.dictionaries(_names, _scalars | _trees, max_size=6) | _trees


def _shape(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these members, and perhaps one that has no business there."""
    known = st.fixed_dictionaries({}, optional=members)
    return known | st.builds(
        lambda one, more: {**more, **one},
        known,
        st.dictionaries(_names, _trees, max_size=2),
    )


_ITEM: Final = {
    "time": _scalars,
    "values": _values,
    "quality": st.dictionaries(_names, _scalars, max_size=3) | _trees,
    "time_quality": _scalars,
    "device": _names | _scalars,
    "revises": _scalars,
}
_data = _shape(
    **_ITEM, seq=_numbers, epoch=_numbers,
    items=st.lists(_shape(**_ITEM) | _trees, max_size=5) | _trees,
)  # fmt: skip
_notice = _shape(
    time=_scalars, epoch=_numbers, oldest_seq=_numbers, firmware=_names | _scalars,
    device=_names | _scalars, channels=_trees, id=_scalars, ok=_scalars, detail=_scalars,
)  # fmt: skip
_record = _shape(
    bver=st.sampled_from([10, 11, 26]) | _scalars,
    bn=st.sampled_from(["urn:dev:ow:1:", ""]) | _scalars,
    **dict.fromkeys(("bt", "bu", "bv", "bs", "t", "ut", "s", "v", "vb", "vs", "vd"), _scalars),
    n=_names | _scalars,
    u=st.sampled_from(["V", "mV", "A", "kWh", "/"]) | _scalars,
)  # fmt: skip
_pack = st.lists(_record | _trees, max_size=5) | _trees
_event = _shape(
    deviceInfo=_shape(devEui=_scalars) | _trees,
    time=_scalars,
    data=_scalars,
    object=_trees,
    rxInfo=st.lists(_shape(rssi=_scalars, snr=_scalars), max_size=3) | _trees,
    margin=_scalars,
    batteryLevel=_scalars,
    batteryLevelUnavailable=_scalars,
    externalPowerSource=_scalars,
)
_property = st.fixed_dictionaries(
    {}, optional={"type": _U32, "is_null": st.booleans(), "int_value": _U32}
)
_metric = st.fixed_dictionaries(
    {},
    optional={
        "name": _plain_names,
        "alias": st.integers(0, 9) | _U64,
        "timestamp": _U64,
        "datatype": st.integers(0, 35) | _U32,
        "is_historical": st.booleans(),
        "is_null": st.booleans(),
        "int_value": _U32,
        "long_value": _U64,
        "float_value": st.floats(width=32),
        "double_value": st.floats(),
        "boolean_value": st.booleans(),
        "string_value": _text,
        "properties": st.fixed_dictionaries(
            {
                "keys": st.lists(st.just("Quality") | _text, max_size=2),
                "values": st.lists(_property, max_size=2),
            }
        ),
    },
)
_spoken = st.fixed_dictionaries(
    {"metrics": st.lists(_metric, max_size=5)},
    optional={"timestamp": _U64, "seq": st.integers(0, 255) | _U64},
)
# What no broker takes in a topic: NUL and other controls, surrogates, what is not assigned.
_level = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="/+#"),
    max_size=60,
)  # fmt: skip


def draw(strategy: st.SearchStrategy[T], count: int, seed: int) -> list[T]:
    found: list[T] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


@dataclass(frozen=True)
class Drawn:
    """payloads: by the sort of payload. levels: of topics."""

    payloads: Mapping[str, list[bytes]]
    levels: list[str]


def draw_all(count: int, seed: int) -> Drawn:
    """count: of each sort."""
    json_of = {"data": _data, "notice": _notice, "pack": _pack, "event": _event}
    payloads = {
        sort: [as_json(tree) for tree in draw(strategy, count, seed)]
        for sort, strategy in json_of.items()
    }
    payloads["cbor"] = [as_cbor(pack) for pack in draw(_pack, count, seed + 1)]
    payloads["spoken"] = [as_protobuf(said) for said in draw(_spoken, count, seed)]
    payloads["bytes"] = draw(st.binary(max_size=200), count, seed)
    return Drawn(payloads, draw(_level, count, seed))


def as_json(tree: object) -> bytes:
    """What UTF-8 cannot say is escaped."""
    try:
        return json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(tree).encode()


def as_cbor(pack: object) -> bytes:
    """With the numbers for labels that SenML has; what CBOR cannot say is sent as JSON."""
    try:
        return cbor2.dumps(_labelled(pack))
    except (UnicodeEncodeError, cbor2.CBOREncodeError):
        return as_json(pack)


def _labelled(pack: object) -> object:
    if not isinstance(pack, list):
        return pack
    return [
        {_LABELS.get(label, label): value for label, value in record.items()}
        if isinstance(record, dict)
        else record
        for record in pack
    ]


def as_protobuf(said: Mapping[str, Any]) -> bytes:
    return bytes(Payload(**said).SerializeToString())
