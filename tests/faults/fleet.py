"""Who publishes: chosen from the shipped city, each with its part in the play."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.core.city.entities import City
from services.core.city_folder import load_city
from services.core.reasons import Reason
from tests.faults.publishers import Identity, Publisher, World
from tests.faults.truth import Made, instrument_of

CITY: Final = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
_STEADY: Final = 16
_GATEWAYS: Final = 4
_SMALL: Final = 3  # with an outbox that is too small for an outage
_PLAIN: Final = 3
_SMALL_OUTBOX: Final = 8


@dataclass
class Fleet:
    """storm, poison, late, burst, flood, poured: speak only when a fault tells them to.

    forgiven: reasons for which a fault may have made good messages be refused.
    """

    steady: list[Publisher]
    small: list[Publisher]
    plain: list[Publisher]
    storm: Publisher
    poison: Publisher
    late: Publisher
    burst: Publisher
    flood: Publisher
    poured: Publisher
    forgiven: set[Reason]

    def all(self) -> list[Publisher]:
        special = [self.storm, self.poison, self.late, self.burst, self.flood]
        return [*self.steady, *self.small, *self.plain, *special, self.poured]

    def waiting(self) -> int:
        """Messages without a receipt, or without PUBACK where there are no receipts."""
        return sum(
            len(one.outbox) + (0 if one.is_done else 1 - bool(one.outbox))
            for one in self.all()
        )


def make_fleet(secrets: Path, world: World, chance: random.Random) -> Fleet:
    """secrets: devices.csv of the installation."""
    city = load_city(CITY)
    with secrets.open(encoding="utf-8") as table:
        secret_of = {row["device"]: row["secret"] for row in csv.DictReader(table)}
    alone = _alone(city)
    chance.shuffle(alone)
    free = iter(alone)

    def enlist(
        *, numbered: bool = True, bound: int | None = None, rate: float = 8.0
    ) -> Publisher:
        made = next(free)
        key = made.instrument.device
        patience = 3.0 if rate else 60.0
        identity = Identity(
            key,
            secret_of[key],
            numbered=numbered,
            bound=bound,
            rate=rate,
            patience=patience,
        )
        return Publisher(identity, [made], world, random.Random(key))

    gateways = [
        Publisher(
            Identity(key, secret_of[key], hosted=True), made, world, random.Random(key)
        )
        for key, made in _gateways(city, chance)
    ]
    return Fleet(
        steady=[*(enlist() for _ in range(_STEADY)), *gateways],
        small=[enlist(bound=_SMALL_OUTBOX) for _ in range(_SMALL)],
        plain=[enlist(numbered=False) for _ in range(_PLAIN)],
        storm=enlist(rate=0),
        poison=enlist(rate=0),
        late=enlist(rate=0),
        burst=enlist(rate=0),
        flood=enlist(numbered=False, rate=0),
        poured=enlist(numbered=False, rate=0),
        forgiven=set(),
    )


def _alone(city: City) -> list[Made]:
    return [
        Made(instrument)
        for salt, device in enumerate(city.devices.values())
        if device.publishes and (instrument := instrument_of(city, device, salt))
    ]


def _gateways(city: City, chance: random.Random) -> Iterator[tuple[str, list[Made]]]:
    """Gateways with the devices that they alone host."""
    hosted: dict[str, list[Made]] = {}
    for salt, device in enumerate(city.devices.values()):
        instrument = instrument_of(city, device, salt)
        if instrument and not device.publishes and len(device.hosted_by) == 1:
            hosted.setdefault(device.hosted_by[0], []).append(Made(instrument))
    for key in chance.sample(sorted(hosted), _GATEWAYS):
        yield key, hosted[key]
