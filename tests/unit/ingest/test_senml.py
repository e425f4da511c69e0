"""SenML: golden packs, RFC 8428's rules, and whatever bytes may come."""

import json
import math
from pathlib import Path

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.core.broker.link import Publication
from services.core.city.catalogue import Kind
from services.core.city.units import UNITS
from services.core.reasons import Reason
from services.ingest.decoders.senml import Senml
from services.ingest.decoders.senml.pack import decode_pack, split_name
from services.ingest.decoders.senml.units import UCUM
from services.ingest.fit import fit
from services.ingest.messages import ForeignReading, Message, Quantity, Unusable
from tests.unit.ingest.golden import cases, expected, spelled
from tests.unit.ingest.profiles import profile


@pytest.mark.parametrize("case", cases("senml"), ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    (message,) = case.glob("message.*")
    assert spelled(decode_pack(message.read_bytes())) == expected(case)


@pytest.mark.parametrize(
    ("name", "device", "channel"),
    [
        ("voltage", None, "voltage"),
        ("meter-1/voltage", "meter-1", "voltage"),
        ("meter-1:voltage", "meter-1", "voltage"),
        ("dlms:ALT070003/energy", "dlms:ALT070003", "energy"),
        ("urn:dev:ow:10e2073a01080063:voltage", "urn:dev:ow:10e2073a01080063", "voltage"),
        ("urn:dev:mac:0024befffe804ff1/rfid/1", "urn:dev:mac:0024befffe804ff1", "rfid/1"),
        ("/voltage", None, "voltage"),
        ("urn:dev:ow:10e2073a01080063", "urn:dev:ow:10e2073a01080063", ""),
        ("urn:dev:ow:10e2073a01080063:", "urn:dev:ow:10e2073a01080063", ""),
        ("urn:dev:ow:264437f5000000ed_humidity", "urn:dev:ow:264437f5000000ed", "humidity"),
        ("urn:dev:ow:264437f5000000ed_pm2_5", "urn:dev:ow:264437f5000000ed", "pm2_5"),
        ("urn:dev:org:32473-foo_temperature", "urn:dev:org:32473-foo", "temperature"),
        ("urn:dev:os:32473-123456", "urn:dev:os:32473-123456", ""),
        ("urn:dev:ops:32473-pump-1234_speed", "urn:dev:ops:32473-pump-1234", "speed"),
        ("urn:dev:ow:10e2073a01080063:phase_a", "urn:dev:ow:10e2073a01080063", "phase_a"),
        ("urn:dev:mac:0024befffe804ff1_a/rfid", "urn:dev:mac:0024befffe804ff1_a", "rfid"),
        ("urn:other:voltage", "urn:other", "voltage"),
        ("urn:dev:x:voltage", "urn:dev:x", "voltage"),
    ],
)  # fmt: skip
def test_a_name_is_split_into_device_and_channel(
    name: str, device: str | None, channel: str
) -> None:
    assert split_name(name) == (device, channel)


def test_units_of_the_platform_have_their_senml_names() -> None:
    """A code that differs from ours by a slip would refuse what could be converted."""
    ours = {code for code in UCUM.values() if code in UNITS}
    assert ours >= {
        "V",
        "A",
        "W",
        "V.A",
        "V.A{reactive}",
        "W.h",
        "Hz",
        "m3",
        "L/s",
        "m3/s",
    }
    assert ours >= {
        "Cel",
        "K",
        "Pa",
        "hPa",
        "%",
        "1",
        "[ppm]",
        "[pH]",
        "[NTU]",
        "lx",
        "deg",
    }
    assert ours >= {"ug/m3", "mm/h", "km/h", "m/s", "W/m2", "S/m", "kg", "g", "s", "mV"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sent", "unit", "result"),
    [
        ("kg/m3", 1.25e-8, "ug/m3", 12.5),
        ("mg/l", 1, "mg/L", None),
        ("rad", math.pi, "deg", 180.0),
        ("m/s", 1e-6, "mm/h", 3.6),
        ("m/h", 0.0036, "mm/h", 3.6),
        ("vars", 7.2e6, "kV.A{reactive}.h", 2.0),
        ("varh", 2000, "kV.A{reactive}.h", 2.0),
        ("kvarh", 2, "V.A{reactive}.h", 2000.0),
        ("kVAh", 2, "V.A.h", 2000.0),
    ],
)
def test_primary_units_become_those_of_the_channel(
    name: str, sent: float, unit: str, result: float | None
) -> None:
    pack = json.dumps([{"n": "a", "u": name, "v": sent}]).encode()
    decoded = decode_pack(pack)
    assert isinstance(decoded, Message)
    (item,) = decoded.items
    assert isinstance(item, ForeignReading)
    fitted = fit(item, profile(Kind.MEASUREMENT, units=(unit,)))
    assert fitted is not None
    if result is None:
        assert isinstance(fitted.values["a"], Unusable)
    else:
        assert fitted.values["a"] == result


RECORD = st.dictionaries(
    st.sampled_from(
        ["bn", "bt", "bu", "bv", "bver", "bs", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "x_", "x"]
    ),
    st.none()
    | st.booleans()
    | st.integers(-(1 << 80), 1 << 80)
    | st.floats()
    | st.sampled_from(["V", "a", "m/", "urn:dev:x:", ""])
    | st.lists(st.integers(), max_size=2),
    max_size=7,
)  # fmt: skip
NUMBERS = {"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8}  # fmt: skip


@given(
    st.binary(max_size=200)
    | st.lists(RECORD, max_size=4).map(lambda pack: json.dumps(pack).encode())
    | st.lists(RECORD, max_size=4).map(
        lambda pack: cbor2.dumps(
            [{NUMBERS.get(k, k): v for k, v in record.items()} for record in pack]
        )
    )
)
def test_no_bytes_make_the_decoder_raise(payload: bytes) -> None:
    assert isinstance(decode_pack(payload), Message | Unusable)


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 60_000,
        b"\x81" * 60_000,
        b"\xc1" * 60_000,
        b"\x9b\x40" + bytes(7),
        b"\x5b\x40" + bytes(7),
        b"\xc4\x82\x1b\x40" + bytes(7) + b"\x01",
        b"\xc5\x82\x1a\x7f\xff\xff\xff\x01",
        b"\x81\xa1\x02\xc2\x59\xf0\x00" + b"\xff" * 0xF000,
        b"\x81\xd8\x1c\x81\xd8\x1d\x00",
        b"\xd8\x23\x65(a+)+",
    ],
)
def test_bombs(payload: bytes) -> None:
    decoded = decode_pack(payload)
    assert isinstance(decoded, Unusable)
    assert decoded.reason is Reason.MALFORMED


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=900),
    st.binary(min_size=1, max_size=5000),
)
@example([1.0] * 900, b"\x00" * 5000)
def test_what_follows_a_pack_in_cbor_makes_it_malformed(
    values: list[float], more: bytes
) -> None:
    """It may be another pack, or half of one: nothing of it would be stored, and nobody told."""
    pack = cbor2.dumps([{0: f"a{n}", 2: value} for n, value in enumerate(values)])
    assert isinstance(decode_pack(pack), Message)
    followed = decode_pack(pack + more)
    assert isinstance(followed, Unusable)
    assert followed.reason is Reason.MALFORMED


def test_cbor_may_say_that_it_is_cbor() -> None:
    pack = cbor2.dumps([{0: "a", 2: 1.5}])
    assert decode_pack(b"\xd9\xd9\xf7" + pack) == decode_pack(pack)
    assert isinstance(decode_pack(pack), Message)


def test_records_without_anything_are_no_items() -> None:
    decoded = decode_pack(b"[" + b"{}," * 20_000 + b'{"v":1}]')
    assert isinstance(decoded, Message)
    assert len(decoded.items) == 1


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "n": st.sampled_from(["a", "b"]),
                "t": st.integers(1_795_000_000, 1_795_000_002),
                "v": st.floats(-1e6, 1e6),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_value_is_in_one_item_of_its_time(
    records: list[dict[str, float]],
) -> None:
    decoded = decode_pack(json.dumps(records).encode())
    assert isinstance(decoded, Message)
    found = [
        (item.time, name, value)
        for item in decoded.items
        if isinstance(item, ForeignReading)
        for name, value in item.values.items()
    ]
    said = [(int(r["t"]) * 1000, r["n"], r["v"] + 0) for r in records]
    assert sorted(map(str, found)) == sorted(map(str, said))


def test_json_and_cbor_say_the_same() -> None:
    pack = [{"bn": "m/", "bt": 1_795_319_990, "n": "a", "u": "V", "v": 230.5}]
    numbered = [{NUMBERS[k]: v for k, v in record.items()} for record in pack]
    by_json = decode_pack(b" \n" + json.dumps(pack).encode())
    assert by_json == decode_pack(cbor2.dumps(numbered))
    assert isinstance(by_json, Message)
    (item,) = by_json.items
    assert isinstance(item, ForeignReading)
    assert item.values == {"a": Quantity(230.5, "V")}


def test_the_format_has_its_topic_alone() -> None:
    senml = Senml()
    route = senml.route("city/v1/meter-1/senml")
    assert route is not None
    assert route.publisher == "meter-1"
    content = route.decode(Publication(route.kind, b'[{"n":"a","v":1}]', 1, 1, 1))
    assert isinstance(content, Message)
    assert senml.route("city/v1/meter-1/data") is None
    assert senml.route("city/v1/METER/senml") is None
