"""Units of devices become canonical ones without a trace of binary fractions."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.core.city.units import UNITS, Conversion, Unit, conversion
from services.ingest.conversion import canonical

ALIKE = [
    (one, other)
    for one in UNITS
    for other in UNITS
    if UNITS[one].dimension == UNITS[other].dimension
]
DIGITS = 12  # more than any instrument has


def decimals(places: int = 9) -> st.SearchStrategy[Decimal]:
    return st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(-exponent),
        st.integers(-(10**DIGITS) + 1, 10**DIGITS - 1),
        st.integers(0, places),
    )


def exact(value: Decimal, sent: Unit, target: Unit) -> Fraction:
    base = Fraction(value) * sent.factor + sent.addend
    return (base - target.addend) / target.factor


def column(value: float, one: Conversion) -> float:
    factor, addend = np.array([one.factor]), np.array([one.addend])
    return float(canonical(np.array([[value]]), factor, addend)[0, 0])


def is_short(result: Fraction) -> bool:
    """Whether it is a decimal of at most 14 digits, not below 1e-8, none beyond the 12th place."""
    whole = result * 10**12
    return whole.denominator == 1 and 10**4 <= abs(whole.numerator) < 10**14


@given(st.sampled_from(ALIKE), decimals())
@example(("kPa", "bar"), Decimal("277.16"))
@example(("K", "Cel"), Decimal("273.16"))
def test_a_decimal_becomes_the_double_nearest_to_the_decimal_result(
    pair: tuple[str, str], value: Decimal
) -> None:
    sent, target = (UNITS[code] for code in pair)
    result = exact(value, sent, target)
    if is_short(result):
        assert conversion(*pair).convert(float(value)) == float(result)


@given(st.sampled_from(ALIKE), st.floats(allow_nan=False, allow_infinity=False))
def test_no_more_than_the_last_digits_change(
    pair: tuple[str, str], value: float
) -> None:
    one = conversion(*pair)
    plain = value * one.factor + one.addend
    largest = max(abs(value * one.factor), abs(one.addend))
    if math.isfinite(plain):
        assert one.convert(value) == pytest.approx(plain, rel=0, abs=largest * 5.1e-14)


@given(
    st.sampled_from(ALIKE),
    st.floats(-1e17, 1e17) | st.floats(-1e-6, 1e-6) | decimals().map(float),
)
def test_columns_are_converted_as_single_values_are(
    pair: tuple[str, str], value: float
) -> None:
    one = conversion(*pair)
    if (one.factor, one.addend) != (1.0, 0.0):
        assert column(value, one) == one.convert(value)


def test_missing_stays_missing_and_too_large_becomes_infinite() -> None:
    values = np.array([[math.nan, 1e300]])
    results = canonical(values, np.array([10.0, 1e10]), np.array([0.0, 0.0]))
    assert math.isnan(results[0, 0])
    assert results[0, 1] == math.inf
