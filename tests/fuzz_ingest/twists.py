"""PURE: what makes a well-formed message wrong: in its tree, in its bytes, in its size."""

import copy
import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

LARGEST: Final = 65_536
MOST_BYTES: Final = LARGEST + 400  # the broker ends who sends more, the topic included
_DEEP: Final = 20_000
_NUMBER: Final = re.compile(rb"\d+")

ABSURD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 255, 256, 1 << 31, (1 << 53) - 1, 1 << 53, (1 << 53) + 1,
    1 << 60, (1 << 63) - 1, 1 << 63, -(1 << 63), 1 << 64, 10**30, 10**400, -(10**30),
    1.5, -0.0, 5e-324, 1e308, -1e308, math.nan, math.inf, -math.inf,
    "", " ", "NaN", "0", "true", "voltage", "open", "good", "stale", "x" * 300, "\x00", "\ud800", "\u202e", "é",
    "2026-11-22T04:00:00Z", "2026-11-22T04:00:00", "9999-12-31T23:59:59.999999+14:00",
    "0001-01-01T00:00:00-23:59", "2026-02-30T00:00:00Z", "probe-1", "wild-1", "dev_eui:0", "sparkplug:city/wild-1/",
    (), [], {}, [[]], [None], {"": None}, {"values": {}},
)  # fmt: skip


def twist_tree(tree: Any, chance: random.Random) -> Any:
    """A copy with one member made absurd, taken out, moved, or put in twice."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    if not places:
        return chance.choice(ABSURD)
    inside, key = chance.choice(places)
    how = chance.randrange(4)
    if how == 0:
        del inside[key]
    elif how == 1:
        other, place = chance.choice(places)
        if place in other if isinstance(other, dict) else place < len(other):
            inside[key] = copy.deepcopy(other[place])
    elif how == 2 and isinstance(inside, dict):
        inside[str(chance.choice(ABSURD))[:400]] = inside[key]
    else:
        inside[key] = chance.choice(ABSURD)
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    members = (
        list(tree.items()) if isinstance(tree, dict)
        else list(enumerate(tree)) if isinstance(tree, list) else []
    )  # fmt: skip
    for key, value in members:
        yield tree, key
        yield from _places(value)


def twist_bytes(payload: bytes, chance: random.Random) -> bytes:
    return chance.choice(_BYTE_TWISTS)(payload, chance)


def _flip(payload: bytes, chance: random.Random) -> bytes:
    changed = bytearray(payload or b"\x00")
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(payload: bytes, chance: random.Random) -> bytes:
    return payload[: chance.randint(0, len(payload))]


def _begin_later(payload: bytes, chance: random.Random) -> bytes:
    return payload[chance.randint(0, len(payload)) :]


def _repeat(payload: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randint(0, len(payload)) for _ in range(2))
    return payload[:end] + payload[start:]


def _insert(payload: bytes, chance: random.Random) -> bytes:
    place = chance.randint(0, len(payload))
    return payload[:place] + chance.choice(_TOKENS) + payload[place:]


def _grow_a_number(payload: bytes, chance: random.Random) -> bytes:
    numbers = list(_NUMBER.finditer(payload))
    if not numbers:
        return payload
    found = chance.choice(numbers)
    return payload[: found.start()] + chance.choice(_NUMBERS) + payload[found.end() :]


_BYTE_TWISTS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _flip, _cut, _begin_later, _repeat, _insert, _grow_a_number,
)  # fmt: skip
_TOKENS: Final = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"-Infinity", b"null", b"[", b"{", b'"', b"\\u0000",
    b'"values":{"voltage":1},', b'"seq":1,"epoch":1,', b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x9f", b"\xc4",
)  # fmt: skip
_NUMBERS: Final = (
    b"9" * 20, b"9" * 400, b"1e999", b"-1e999", b"1e-999", b"0.1", b"-1", b"9007199254740993", b"18446744073709551616",
)  # fmt: skip


def monster(chance: random.Random) -> bytes:
    """What is wrong by its size or depth."""
    return chance.choice(_MONSTERS)(chance)


_MONSTERS: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    lambda _: b"",
    lambda chance: bytes(chance.randint(1, LARGEST)),
    lambda chance: chance.randbytes(chance.randint(1, LARGEST)),
    lambda _: b'{"values":{"voltage":230}}'.ljust(LARGEST),
    lambda _: b'{"seq":9,"epoch":1,"values":{"voltage":230}}'.ljust(LARGEST + 1),
    lambda chance: b"{}".ljust(LARGEST + chance.randint(0, MOST_BYTES - LARGEST)),
    lambda chance: b"[" * chance.randint(100, LARGEST),
    lambda chance: b'{"values":' * chance.randint(100, LARGEST // 10),
    lambda chance: _nested(chance, b"[", b"]"),
    lambda chance: b'{"values":{"voltage":' + _nested(chance, b"[", b"]") + b"}}",
    lambda chance: b'{"deviceInfo":{"devEui":"00"},"object":' + _nested(chance, b'{"a":', b"}", b"1") + b"}",
    lambda chance: b'{"values":{"voltage":%s}}' % (b"9" * chance.randint(300, LARGEST - 30)),
    lambda chance: b'{"time":%s}' % (b"9" * chance.randint(300, LARGEST - 30)),
    lambda chance: b'{"%s":1}' % (b"k" * chance.randint(300, LARGEST - 30)),
    lambda chance: _many(chance, b'{"seq":7,"epoch":1,"items":[', b"]}", b"{},", b"0,", b'{"values":{}},'),
    lambda chance: _many(chance, b'{"items":[', b"]}", b'{"values":{"voltage":1}},', b'{"time":1,"values":{"current":2}},'),
    lambda chance: _many(chance, b'{"time":1795320000000,"values":{', b"}}", b'"a%d":1,', b'"b%d":"x",'),
    lambda chance: _many(chance, b'[{"bn":"a"},', b"]", b'{"n":"b:c%d","v":1},', b"{},"),
    lambda chance: b"\x81" * chance.randint(10, LARGEST),  # CBOR: arrays in arrays
    lambda chance: b"\x9f" * chance.randint(10, LARGEST),  # the same without lengths
    lambda chance: chance.choice((b"\x9b", b"\xbb", b"\x5b", b"\x7b")) + b"\xff" * 8,  # of 2^64 − 1 members
    lambda chance: b"\x81" + bytes([0xC0 + chance.randrange(24)]) * chance.randint(1, 1_000) + b"\x00",
    lambda _: b"\x12" + b"\xff" * 9 + b"\x01",  # protobuf: a metric of 2^64 bytes
    lambda chance: b"\x12\x00" * chance.randint(1, LARGEST // 200),  # metrics that say nothing
)  # fmt: skip


def _nested(
    chance: random.Random, begin: bytes, end: bytes, middle: bytes = b""
) -> bytes:
    depth = chance.randint(2, _DEEP // len(begin))
    return begin * depth + middle + end * depth


def _many(chance: random.Random, begin: bytes, end: bytes, *members: bytes) -> bytes:
    """A member tens to thousands of times; numbered, where it has a place for that."""
    member = chance.choice(members)
    most = LARGEST // (len(member) + 4)
    times = min(most, int(10 ** chance.uniform(1, 4.5)))
    said = (member.replace(b"%d", b"%d" % number) for number in range(times))
    return begin + b"".join(said).rstrip(b",") + end
