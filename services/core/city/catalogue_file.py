"""PURE: the catalogue, sensors and device types of a city file."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from services.core.city.catalogue import (
    Aggregation,
    Checks,
    Domain,
    Kind,
    ObservedProperty,
    Privacy,
    StateCode,
)
from services.core.city.entities import Channel, DeviceType, Sampling, Sensor
from services.core.city.fields import Entry, Fields, Notes
from services.core.city.ids import KEY
from services.core.city.units import UNITS, conversion

_USUAL_AGGREGATIONS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.MEASUREMENT: ("avg", "min", "max"),
    Kind.COUNTER: ("delta", "last"),
    Kind.STATE: ("last", "duration"),
    Kind.BITS: ("last",),
}
_LARGEST_CODE: Final = 2**53  # exact as float8
_LONGEST_PERIOD: Final = dt.timedelta(days=24)  # kept as milliseconds in 32 bits
_COUNTED: Final = (Kind.STATE, Kind.BITS)


def read_property(key: str, raw: Any, notes: Notes) -> ObservedProperty | None:
    fields = Fields(raw, key, notes)
    kind = fields.choice("kind", Kind)
    unit = fields.text("unit")
    if unit and unit not in UNITS:
        fields.wrong(f"{unit!r} is not one of UCUM's that we know", "unit")
    hard, plausible = fields.span("hard"), fields.span("plausible")
    for bound in (plausible.minimum, plausible.maximum):
        if bound is not None and not hard.contains(bound):
            fields.wrong(f"{bound} lies outside the hard range", "plausible")
    checks = _read_checks(fields, key, notes)
    codes = _read_codes(fields, kind, notes)
    aggregations = _read_aggregations(fields, kind)
    domain, name = fields.choice("domain", Domain), fields.names("name")
    privacy, definition = (
        fields.choice("privacy", Privacy, Privacy.INTERNAL),
        fields.optional_text("definition"),
    )
    return fields.build(
        lambda: ObservedProperty(
            key=key,
            domain=domain,
            kind=kind,
            unit=unit,
            name=name,
            aggregations=aggregations,
            hard=hard,
            plausible=plausible,
            checks=checks,
            codes=codes,
            privacy=privacy,
            definition=definition,
        )
    )


def _read_checks(owner: Fields, key: str, notes: Notes) -> Checks:
    """`checks: {rate, spike, flat_line}`, each of them optional."""
    fields = Fields(owner.take("checks", Entry()), f"{key}: checks", notes)
    rate, spike = fields.optional_number("rate"), fields.optional_number("spike")
    for name, limit in (("rate", rate), ("spike", spike)):
        if limit is not None and limit <= 0:
            fields.wrong(f"{limit} is not above zero", name)
    flat_line = fields.duration("flat_line", "")
    checks = fields.build(lambda: Checks(rate, spike, flat_line or None))
    return checks or Checks()


def _read_aggregations(fields: Fields, kind: Kind) -> tuple[Aggregation, ...]:
    words = fields.texts("aggregations") or _USUAL_AGGREGATIONS[kind]
    for word in set(words) - set(Aggregation):
        fields.wrong(f"{word!r} is not one of {', '.join(Aggregation)}", "aggregations")
    return tuple(Aggregation(word) for word in words if word in set(Aggregation))


def _read_codes(fields: Fields, kind: Kind, notes: Notes) -> tuple[StateCode, ...]:
    raw = fields.take("codes", ())
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        fields.wrong(f"needs a list, is {raw!r}", "codes")
        return ()
    codes = tuple(
        code for entry in raw if (code := _read_code(entry, fields.name, kind, notes))
    )
    if len({code.key for code in codes}) != len(codes):
        fields.wrong("two codes have the same key", "codes")
    if len(codes) < len(raw):
        fields.wrong("a code cannot be used", "codes")
    return codes


def _read_code(raw: Any, owner: str, kind: Kind, notes: Notes) -> StateCode | None:
    fields = Fields(raw, f"{owner}: code", notes)
    value, key = fields.integer("value"), fields.text("key")
    if abs(value) >= _LARGEST_CODE:
        fields.wrong(f"{value} is too large", "value")
    if kind is Kind.BITS and (value <= 0 or value & (value - 1)):
        fields.wrong(f"{value} is not a bit's weight (1, 2, 4, …)", "value")
    if key and not KEY.match(key):
        fields.wrong(f"{key!r} is not a key", "key")
    name, abnormal = fields.names("name"), fields.flag("abnormal", default=False)
    return fields.build(lambda: StateCode(value, key, name, abnormal))


def read_sensor(key: str, raw: Any, notes: Notes) -> Sensor | None:
    fields = Fields(raw, key, notes)
    name = fields.names("name")
    manufacturer, model = (
        fields.optional_text("manufacturer"),
        fields.optional_text("model"),
    )
    datasheet = fields.optional_text("datasheet")
    return fields.build(lambda: Sensor(key, name, manufacturer, model, datasheet))


def read_device_type(
    key: str, raw: Any, catalogue: Mapping[str, ObservedProperty | None], notes: Notes
) -> DeviceType | None:
    """catalogue: what is None is in the file and cannot be used, which has been noted already."""
    fields = Fields(raw, key, notes)
    name, sensor, period = (
        fields.names("name"),
        fields.text("sensor"),
        fields.duration("period"),
    )
    if period > _LONGEST_PERIOD:
        fields.wrong(f"is longer than {_LONGEST_PERIOD.days} days", "period")
    max_age, max_ahead = (
        fields.duration("max_age", "35d"),
        fields.duration("max_ahead", "5min"),
    )
    clock_tolerance = fields.duration("clock_tolerance", "10s")
    server_time = fields.flag("server_time", default=False)
    raw_channels = fields.mapping("channels")
    if not raw_channels:
        fields.wrong(
            "has none; a gateway that measures nothing needs no type", "channels"
        )
    channels = [
        _read_channel(str(name), raw, catalogue, fields, notes)
        for name, raw in raw_channels.items()
    ]
    return fields.build(
        lambda: DeviceType(
            key=key,
            name=name,
            sensor=sensor,
            channels=tuple(channel for channel in channels if channel),
            period=period,
            max_age=max_age,
            max_ahead=max_ahead,
            clock_tolerance=clock_tolerance,
            server_time=server_time,
        )
    )


def _read_channel(
    name: str,
    raw: Any,
    catalogue: Mapping[str, ObservedProperty | None],
    owner: Fields,
    notes: Notes,
) -> Channel | None:
    """`name: property`, or `name: {property, unit, sampling, sampling_period, rolls_over_at}`."""
    if isinstance(raw, str):
        raw = Entry(property=raw)
        raw.place = owner.line
    fields = Fields(raw, f"{owner.name}: {name}", notes)
    key = fields.text("property")
    observed = catalogue.get(key)
    if key and key not in catalogue:
        fields.wrong(f"{key!r} is not in the catalogue", "property")
    unit = fields.text("unit", observed.unit if observed else "1")
    sampling, sampling_period = (
        fields.choice("sampling", Sampling, Sampling.INSTANT),
        fields.duration("sampling_period", ""),
    )
    if sampling_period > _LONGEST_PERIOD:
        fields.wrong(f"is longer than {_LONGEST_PERIOD.days} days", "sampling_period")
    if (sampling is Sampling.INSTANT) == bool(sampling_period):
        fields.wrong(
            "belongs to a value over a period, and that needs it", "sampling_period"
        )
    rolls_over_at = fields.optional_number("rolls_over_at")
    if observed is None:
        return None
    if rolls_over_at is not None and (
        observed.kind is not Kind.COUNTER or rolls_over_at <= 0
    ):
        fields.wrong("belongs to a counter, and is above zero", "rolls_over_at")
    if observed.kind in _COUNTED and unit != observed.unit:
        fields.wrong(f"a {observed.kind} has no other unit", "unit")
    return fields.build(
        lambda: replace(
            _channel(name, observed, unit, sampling, sampling_period),
            rolls_over_at=rolls_over_at,
        )
    )


def _channel(
    name: str,
    observed: ObservedProperty,
    unit: str,
    sampling: Sampling,
    sampling_period: dt.timedelta,
) -> Channel:
    to_canonical = conversion(unit, observed.unit)
    return Channel(
        name=name,
        observed_property=observed.key,
        unit=unit,
        factor=to_canonical.factor,
        addend=to_canonical.addend,
        sampling=sampling,
        sampling_period=sampling_period,
    )
