"""Fitting: foreign names and units to a device type's channels."""

from typing import Any

import pytest

from services.core.city.catalogue import Kind
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile
from services.ingest.check import Checker
from services.ingest.fit import channel_of, fit
from services.ingest.messages import ForeignReading, Quantity, Unusable
from tests.unit.ingest.profiles import NOW_MS, observed, profile

UNITS = ("V", "Cel", "{vehicles}")


def metered(*channels: str) -> Profile:
    kinds = [Kind.MEASUREMENT] * len(channels)
    names = {channel: slot for slot, channel in enumerate(channels)}
    return profile(*kinds, channels=names, units=UNITS[: len(channels)])


def foreign(**rest: Any) -> ForeignReading:
    return ForeignReading(time=NOW_MS, **rest)


def fitted(reading: ForeignReading, *channels: str) -> ForeignReading:
    found = fit(reading, metered(*channels))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "channels", "channel"),
    [
        ("voltage", ["voltage"], "voltage"),
        ("Phase A/voltage", ["voltage", "Phase_A.voltage"], "Phase_A.voltage"),
        ("Phase A/voltage", ["voltage", "Phase_A_voltage"], "Phase_A_voltage"),
        ("Phase A/voltage", ["voltage"], "voltage"),
        ("voltage/Phase A", ["voltage"], None),
        ("Voltage", ["voltage"], None),
        ("", ["voltage"], "voltage"),
        ("", ["voltage", "current"], None),
        ("a/" * 10_000 + "voltage", ["voltage"], None),
    ],
)
def test_the_channel_that_a_name_means(
    name: str, channels: list[str], channel: str | None
) -> None:
    assert channel_of(name, metered(*channels)) == channel


@pytest.mark.parametrize(
    ("sent", "channel", "result"),
    [
        (Quantity(0.4, "kV"), "a", 400.0),
        (Quantity(300, "K"), "b", 26.85),
        (Quantity(7, "1"), "c", 7),
        (Quantity(None, "kV"), "a", None),
        (Quantity("on", "kV"), "a", "on"),
        (5, "b", 5),
        (Quantity(1 << 60, "kV"), "a", 1 << 60),
    ],
)
def test_units_are_converted_by_the_table(
    sent: Any, channel: str, result: object
) -> None:
    values = fitted(foreign(values={channel: sent}), "a", "b", "c").values
    assert values == {channel: result}


@pytest.mark.parametrize("unit", ["kg", "Cel", "nonsense"])
def test_a_unit_that_measures_something_else_is_refused(unit: str) -> None:
    value = fitted(foreign(values={"a": Quantity(1, unit)}), "a").values["a"]
    assert isinstance(value, Unusable)
    assert value.reason is Reason.WRONG_UNIT


def test_of_two_names_of_one_channel_the_exact_one_counts() -> None:
    values = fitted(foreign(values={"x/a": 1.0, "a": 2.0, "y/a": 3.0}), "a").values
    assert values.pop("a") == 2.0
    assert all(isinstance(value, Unusable) for value in values.values())
    assert set(values) == {"x/a", "y/a"}


def test_what_is_optional_is_dropped_where_there_is_no_such_channel() -> None:
    reading = foreign(
        values={"a": 1.0, "rssi": -90.0, "snr": 5.0},
        optional=frozenset({"rssi", "snr"}),
    )
    assert fitted(reading, "a", "snr").values == {"snr": 5.0, "a": 1.0}


def test_an_item_of_which_nothing_is_wanted_is_no_item() -> None:
    reading = foreign(values={"margin": 7}, optional=frozenset({"margin"}))
    assert fit(reading, metered("a")) is None


def test_quality_follows_its_value_to_the_channel() -> None:
    reading = foreign(values={"x/a": 1.0}, quality={"x/a": "stale"})
    assert fitted(reading, "a").quality == {"a": "stale"}


def test_a_value_that_its_decoder_refused_is_refused_with_its_own_reason() -> None:
    bad = Unusable(Reason.WRONG_UNIT, "because")
    reading = foreign(values={"a": 1.0, "b": bad, "nope": bad})
    checked = Checker().check(observed(metered("a", "b"), reading), NOW_MS)
    assert [(r.scope, r.channel, r.reason, r.detail) for r in checked.refused] == [
        ("value", "b", Reason.WRONG_UNIT, "because"),
        ("value", "nope", Reason.WRONG_UNIT, "because"),
    ]


def test_a_relative_time_is_ours_and_flagged() -> None:
    """And only where the device type does without a time."""
    reading = ForeignReading(values={"a": 1.0}, relative_ms=-500)
    kind = profile(Kind.MEASUREMENT, server_time=True, units=("V",))
    (block,) = Checker().check(observed(kind, reading, reading), NOW_MS).blocks
    assert block.times_ms.tolist() == [NOW_MS - 500] * 2
    assert {quality & 15 for quality in (block.quality.ravel() >> 4)} == {2}
    refused = Checker().check(observed(metered("a"), reading), NOW_MS).refused
    assert [refusal.reason for refusal in refused] == [Reason.TIME_MISSING]
    late = ForeignReading(values={"a": 1.0}, relative_ms=-(1 << 40))
    refused = Checker().check(observed(kind, late), NOW_MS).refused
    assert [refusal.reason for refusal in refused] == [Reason.TOO_OLD]
