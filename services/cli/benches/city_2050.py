"""The city of 2050 as a city file says it, of the shipped catalogue, and what its devices send."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.cli.benches.city_plan import (
    HOUSEHOLDS_OF_A_GATEWAY,
    CityPlan,
    Kind,
    hosted_prefix,
)
from services.core.alerting.rule import AnyBit, InCodes, Rule, Threshold
from services.core.city.catalogue import Kind as PropertyKind
from services.core.city.catalogue import ObservedProperty
from services.core.city.city_file import read_city
from services.core.city.entities import Channel, City
from services.core.city_folder import parse_file
from services.core.errors import CityFileError

SHIPPED: Final = Path(__file__).parents[3] / "deploy" / "city"
RULES: Final = SHIPPED / "rules"
VARIANTS: Final = 4  # messages whose values differ a little
TRIPPED: Final = "alarms"  # of a bay: what raises an alert at once
_DESCRIBED: Final = ("catalogue.yaml", "device_types.yaml", "districts.geojson")
_TRIALS: Final = (0.5, 0.25, 0.1, 0.75, 0.9, 0.02, 0.98)
_WIDEST: Final = 1_000.0  # of a range that is open
_DOMAINS: Final = {
    "feeder_bay": "power",
    "distribution_transformer": "power",
    "main_logger": "water",
    "works_inlet": "wastewater",
    "gas_regulator": "gas",
    "intersection_controller": "traffic",
    "air_station": "environment",
}


def city_2050(plan: CityPlan) -> City:
    """Households as a fleet, everything else by name."""
    root = parse_file(SHIPPED / "alatau.yaml")
    described = [parse_file(SHIPPED / name) for name in _DESCRIBED]
    types = next(file for file in described if "device_types" in file)
    head = {name: root[name] for name in ("city", "districts")}
    shipped = [
        {name: value for name, value in file.items() if name != "device_types"}
        for file in described
    ]
    reading = read_city([head, *shipped, _generated(plan, types["device_types"])])
    if reading.city is None:
        raise CityFileError(list(reading.problems))
    return reading.city


def _generated(plan: CityPlan, shipped: Mapping[str, Any]) -> dict[str, Any]:
    types = {**shipped, "water_meter": _meter("water"), "gas_meter": _meter("gas")}
    return {
        "catalogue": {**_metered("water", "water"), **_metered("gas", "gas")},
        # The shipped rules name all of the shipped types.
        "device_types": {
            **shipped,
            **{kind.key: _device_type(kind, types[kind.like]) for kind in plan.kinds},
        },
        "things": dict(_thing(kind) for kind in plan.direct),
        "devices": {"gateway-{g:04}": {"repeat": {"g": plan.gateways}}},
        "fleets": {"households": _households(plan)},
    }


def _metered(what: str, domain: str) -> dict[str, Any]:
    """What no shipped device measures at households yet."""
    described = {"domain": domain, "name": _names(what), "privacy": "household"}
    return {
        f"household_{what}": {**described, "kind": "counter", "unit": "m3"},
        f"household_{what}_flow": {**described, "kind": "measurement", "unit": "m3/h"},
    }


def _meter(what: str) -> dict[str, Any]:
    channels = {
        f"{what}_volume": f"household_{what}",
        f"{what}_flow": f"household_{what}_flow",
    }
    return {"sensor": "electricity_meter", "channels": channels}


def _device_type(kind: Kind, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """The shipped type's channels, cut or repeated to the number of values."""
    known = list(shipped["channels"].items())
    channels = {}
    for place in range(kind.values):
        turn, (name, channel) = place // len(known), known[place % len(known)]
        channels[f"{name}_{turn + 1}" if turn else name] = channel
    return {
        "name": _names(kind.key),
        "sensor": shipped["sensor"],
        "period": f"{round(kind.period_s * 1000)}ms",
        "channels": channels,
    }


def _thing(kind: Kind) -> tuple[str, dict[str, Any]]:
    key = hosted_prefix(kind)
    return f"{key}-site-{{n:04}}", {
        "repeat": {"n": kind.count},
        "kind": kind.key,
        "domain": _DOMAINS[kind.key],
        "name": _names(f"{kind.key} {{n}}"),
        "place": {"within": "growing"},
        "devices": {f"{key}-{{n:04}}": {"type": kind.key}},
    }


def _households(plan: CityPlan) -> dict[str, Any]:
    return {
        "home-{g:04}-{h:03}": {
            "repeat": {"g": plan.gateways, "h": HOUSEHOLDS_OF_A_GATEWAY},
            "kind": "household",
            "domain": "power",
            "name": _names("{g}-{h}"),
            "place": {"within": "gate"},
            "devices": {
                f"{hosted_prefix(kind)}-{{g:04}}-{{h:03}}": {
                    "type": kind.key,
                    "hosted_by": ["gateway-{g:04}"],
                }
                for kind in plan.hosted
            },
        }
    }


def _names(text: str) -> dict[str, str]:
    return {"kk": text, "ru": text, "en": text}


@dataclass(frozen=True, slots=True)
class Sent:
    """values: what a device of a kind sends when all is well, some variants. tripped: of a bay, and something is not."""

    values: Mapping[str, Sequence[Mapping[str, float]]]
    tripped: Mapping[str, float]


def what_is_sent(plan: CityPlan, city: City, rules: Sequence[Rule]) -> Sent:
    """Values that no rule minds, in the units they are sent in."""
    calm = {
        kind.key: [_calm_values(kind, city, rules, turn) for turn in range(VARIANTS)]
        for kind in plan.kinds
    }
    bay = city.device_types["feeder_bay"]
    alarm = next(channel for channel in bay.channels if channel.name == TRIPPED)
    code = next(
        code.value
        for code in city.catalogue[alarm.observed_property].codes
        if code.key == "protection_trip"
    )
    return Sent(calm, {**calm["feeder_bay"][0], TRIPPED: code})


def _calm_values(
    kind: Kind, city: City, rules: Sequence[Rule], turn: int
) -> dict[str, float]:
    return {
        channel.name: _sent(channel, city.catalogue, rules, turn)
        for channel in city.device_types[kind.key].channels
    }


def _sent(
    channel: Channel,
    catalogue: Mapping[str, ObservedProperty],
    rules: Sequence[Rule],
    turn: int,
) -> float:
    observed = catalogue[channel.observed_property]
    if observed.kind in (PropertyKind.STATE, PropertyKind.BITS):
        return _calm_code(observed, rules)
    steady = observed.kind is PropertyKind.COUNTER
    value = _calm_value(observed, rules) * (1 if steady else 1 + turn / 1000)
    return round((value - channel.addend) / channel.factor, 3)


def _calm_value(observed: ObservedProperty, rules: Sequence[Rule]) -> float:
    raised = [
        condition.is_raised
        for condition in _conditions(observed.key, rules)
        if isinstance(condition, Threshold)
    ]
    low = _first(observed.plausible.minimum, observed.hard.minimum, 0.0)
    high = _first(observed.plausible.maximum, observed.hard.maximum, low + _WIDEST)
    trials = [low + share * (high - low) for share in _TRIALS]
    return next(value for value in trials if not any(test(value) for test in raised))


def _calm_code(observed: ObservedProperty, rules: Sequence[Rule]) -> float:
    if observed.kind is PropertyKind.BITS:
        return 0
    minded = {
        code
        for condition in _conditions(observed.key, rules)
        if isinstance(condition, InCodes)
        for code in condition.values
    }
    return next(
        code.value
        for code in observed.codes
        if not code.abnormal and code.value not in minded
    )


def _conditions(
    key: str, rules: Sequence[Rule]
) -> Iterator[Threshold | AnyBit | InCodes]:
    for rule in rules:
        if rule.selector.observed_property == key:
            for level in rule.levels:
                if isinstance(level.condition, Threshold | AnyBit | InCodes):
                    yield level.condition


def _first(*bounds: float | None) -> float:
    return next(bound for bound in bounds if bound is not None)
