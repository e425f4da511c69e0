"""Who speaks: calm probes that number what they send, wild publishers that say anything, and one that is not registered."""

import random
from typing import Final

from services.core.city.entities import City, Device
from tests.faults.publishers import Identity, Publisher, World
from tests.faults.truth import Made, instrument_of
from tests.ingest_city import ingest_city

CALM: Final = tuple(f"probe-{number}" for number in range(1, 9))
# The first say only `data`, and at QoS 1, so that the count of their items is known.
COUNTED: Final = tuple(f"wild-{number}" for number in range(8))
WILD: Final = tuple(f"wild-{number}" for number in range(39))
STRANGER: Final = "stranger"  # has credentials, and is not in the registry
PUBLISHERS: Final = (*WILD, STRANGER)
SPARKPLUG_GROUP: Final = "city"
SPARKPLUG_DEVICE: Final = "pump"
_PATIENCE: Final = 60.0


def fuzz_city() -> City:
    return ingest_city(len(CALM), *(device for name in WILD for device in _pair(name)))


def _pair(name: str) -> tuple[Device, Device]:
    """A publisher, and a device that it hosts, which every format has a name for."""
    names = (
        {"scheme": "dev_eui", "value": dev_eui(name)},
        {"scheme": "urn", "value": f"dev:ow:{dev_eui(name)}"},
        {"scheme": "sparkplug", "value": f"{SPARKPLUG_GROUP}/{name}/{SPARKPLUG_DEVICE}"},
    )  # fmt: skip
    return (
        Device(name, "meter", f"post-of-{name}", publishes=True),
        Device(hosted(name), "probe", f"yard-of-{name}", False, (name,), {}, names),
    )


def hosted(publisher: str) -> str:
    return f"of-{publisher}"


def dev_eui(publisher: str) -> str:
    return publisher.encode().hex()[-16:].rjust(16, "0")


def calm_publishers(
    city: City, secrets: dict[str, str], world: World
) -> list[Publisher]:
    """Each speaks only when it is told to, and keeps its messages until their receipts."""
    return [
        Publisher(
            Identity(key, secrets[key], rate=0, patience=_PATIENCE),
            [_made(city, key)],
            world,
            random.Random(key),
        )
        for key in CALM
    ]


def _made(city: City, key: str) -> Made:
    instrument = instrument_of(city, city.devices[key], salt=1)
    assert instrument is not None
    return Made(instrument)
