"""Publishers that are the fault themselves: storms of repeats, poison, floods, data of last month; and clocks that jump."""

import glob
import random
from typing import Any, Final

from services.core.reasons import Reason
from tests.faults.ground import Ground
from tests.faults.publishers import Publisher
from tests.faults.scene import Recovery, Scene, fault

_COPIES: Final = 5
_APART: Final = 10_000  # deliveries
_STORM: Final = 2_000
_POISONED: Final = 1_000
_EVERY: Final = 100  # one in a hundred is poison
_FLOOD: Final = 4_000
_LATE: Final = 300
_FORTY_DAYS_MS: Final = 40 * 86_400_000
_HOUR: Final = 3_600
_JUMPS: Final = (_HOUR, -_HOUR, 24 * _HOUR, -24 * _HOUR)
_MALFORMED: Final = (b"", b"\x00\xff\xfe", b"{", b'{"values": {}} x', b"[1, 2")


@fault("storm of repeats", in_slice=True)
async def storm(scene: Scene, chance: random.Random) -> list[Recovery]:
    """Every message is delivered five times, shuffled over ten thousand deliveries."""
    publisher = scene.fleet.storm
    payloads = [
        publisher.outbox[publisher.make(1, ago_ms=4 * _STORM)].payload
        for _ in range(_STORM)
    ]
    publisher.hold_back()
    places = [
        (place + chance.uniform(0, _APART), place // _COPIES)
        for place in range(_STORM * _COPIES)
    ]
    for _, number in sorted(places):
        publisher.send_raw(payloads[number])
    await _until_done(scene, publisher)
    return [await scene.stores_again("storm of repeats", scene.now())]


@fault("one percent poison", in_slice=True)
async def poison(scene: Scene, chance: random.Random) -> list[Recovery]:
    """What can be read gets its reason in a receipt, what cannot is kept raw; the good ones among it are stored."""
    publisher = scene.fleet.poison
    for number in range(_POISONED):
        publisher.make(1, ago_ms=2 * _POISONED)
        if number % _EVERY == 0:
            send_poison(publisher, chance)
    await _until_done(scene, publisher)
    return [await scene.stores_again("one percent poison", scene.now())]


def send_poison(publisher: Publisher, chance: random.Random) -> None:
    """A message that is refused, and one that cannot be read."""
    now_ms = publisher.world.clock.now_ms()
    instrument = publisher.made[0].instrument
    gauge = instrument.gauges[0]
    kinds: list[tuple[dict[str, Any], Reason]] = [
        ({"time": now_ms, "values": {"no_such": 1.0}}, Reason.UNKNOWN_CHANNEL),
        ({"time": now_ms, "values": {gauge.channel: "high"}}, Reason.WRONG_TYPE),
        ({"time": now_ms, "values": {gauge.channel: 2**60}}, Reason.NOT_FINITE),
        ({"time": "yesterday", "values": {gauge.channel: 1}}, Reason.BAD_TIME),
        (
            {"time": now_ms + 86_400_000, "values": {gauge.channel: gauge.low}},
            Reason.IN_FUTURE,
        ),
        (
            {"device": "no-such-meter", "time": now_ms, "values": {gauge.channel: 1}},
            Reason.UNKNOWN_DEVICE,
        ),
    ]
    message, reason = chance.choice(kinds)
    publisher.send(message, reason)
    raw = chance.choice([*_MALFORMED, chance.randbytes(chance.randrange(1, 2_000))])
    publisher.send_unreadable(raw + b"#" + chance.randbytes(8))


@fault("data of forty days ago", in_slice=True)
async def late(scene: Scene, _chance: random.Random) -> list[Recovery]:
    publisher = scene.fleet.late
    instrument = publisher.made[0].instrument
    begin = publisher.world.clock.now_ms() - _FORTY_DAYS_MS
    for place in range(_LATE):
        time_ms = begin + place
        message = {"time": time_ms, "values": instrument.values(time_ms)}
        publisher.send(message, Reason.TOO_OLD)
    await _until_done(scene, publisher)
    return [await scene.stores_again("data of forty days ago", scene.now())]


@fault("flood from one device", in_slice=True)
async def flood(scene: Scene, _chance: random.Random) -> list[Recovery]:
    """A thousand times what it is there for, as fast as it can."""
    publisher = scene.fleet.flood
    since = scene.now()
    for _ in range(_FLOOD):
        publisher.make(1, ago_ms=2 * _FLOOD)
    beside = await scene.stores_again("flood from one device", since)
    await _until_done(scene, publisher)
    return [beside]


async def _until_done(scene: Scene, publisher: Publisher) -> None:
    await scene.ground.until(
        f"all that {publisher.key} sent has its receipt", lambda: publisher.is_done
    )


def _faketime() -> str:
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), "")  # noqa: PTH207 # one call


def _no_faketime(_ground: Ground) -> str:
    return "" if _faketime() else "there is no libfaketime"


@fault("ingest's clock jumps", impossible=_no_faketime)
async def jump(scene: Scene, chance: random.Random) -> list[Recovery]:
    """By an hour and a day, to and fro. What is then too far ahead is refused, and said so."""
    offset = scene.ground.home.logs / "faketime"
    offset.write_text("+0", encoding="utf-8")
    settings = {
        "LD_PRELOAD": _faketime(),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    scene.fleet.forgiven |= {Reason.IN_FUTURE}
    async with scene.ground.second_ingest("nowhere", "1", **settings):
        await scene.stores_again("a second ingest", scene.now())
        for seconds in chance.sample(_JUMPS, len(_JUMPS)):
            offset.write_text(f"{seconds:+d}", encoding="utf-8")
            await scene.stores_again("the clock's jump", scene.now())
            await scene.rest(1.0)
        offset.write_text("+0", encoding="utf-8")
        recovery = await scene.stores_again("ingest's clock jumps", scene.now())
    await scene.stores_again("ingest", scene.now())
    return [recovery]
