"""Units: conversion by the table only."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.city.units import UNITS, conversion

ALIKE = [
    (one, other)
    for one in UNITS
    for other in UNITS
    if UNITS[one].dimension == UNITS[other].dimension
]


@pytest.mark.parametrize(
    ("sent", "value", "canonical", "expected"),
    [
        ("kV", 10.5, "V", 10_500.0),
        ("L/s", 1.0, "m3/h", 3.6),
        ("kPa", 350.0, "bar", 3.5),
        ("Cel", 0.0, "K", 273.15),
        ("[degF]", 212.0, "Cel", 100.0),
        ("Cel", 37.0, "[degF]", 98.6),
        ("km/h", 36.0, "m/s", 10.0),
        ("mm[Hg]", 1000.0, "kPa", 133.3220),
        ("kW.h", 1.0, "MJ", 3.6),
        ("mg/m3", 1.0, "ug/m3", 1000.0),
        ("%", 50.0, "1", 0.5),
        ("S/m", 0.1, "uS/cm", 1000.0),
        ("kg/m3", 1.25e-8, "ug/m3", 12.5),
        ("kg/m3", 0.002, "mg/m3", 2000.0),
        ("rad", math.pi, "deg", 180.0),
        ("m/s", 1e-6, "mm/h", 3.6),
        ("m/h", 0.0036, "mm/h", 3.6),
        ("V.A{reactive}.s", 7.2e6, "kV.A{reactive}.h", 2.0),
        ("kV.A.h", 2.0, "V.A.h", 2000.0),
    ],
)
def test_published_conversions(
    sent: str, value: float, canonical: str, expected: float
) -> None:
    to_canonical = conversion(sent, canonical)
    assert value * to_canonical.factor + to_canonical.addend == pytest.approx(
        expected, rel=1e-9
    )


@given(st.sampled_from(ALIKE), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same(pair: tuple[str, str], value: float) -> None:
    there, back = conversion(*pair), conversion(*reversed(pair))
    moved = value * there.factor + there.addend
    scale = max(abs(moved), abs(there.addend), 1e-300)
    assert moved * back.factor + back.addend == pytest.approx(
        value, rel=1e-9, abs=scale * abs(back.factor) * 1e-9
    )


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_into_itself_changes_no_bit(unit: str) -> None:
    itself = conversion(unit, unit)
    assert (itself.factor, itself.addend) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("sent", "canonical", "reason"),
    [
        ("kg", "m", "kg is a mass, m a length"),
        ("kV.A", "kW", "apparent power"),
        ("kV.A{reactive}.h", "kW.h", "reactive energy"),
        ("furlong", "m", "'furlong' is not one"),
        ("m", "celsius", "'celsius' is not one"),
    ],
)
def test_nonsense_is_refused(sent: str, canonical: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        conversion(sent, canonical)


def test_every_factor_is_finite_and_positive() -> None:
    assert all(
        unit.factor > 0 and math.isfinite(unit.factor) for unit in UNITS.values()
    )
