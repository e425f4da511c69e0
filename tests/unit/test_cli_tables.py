"""What commands print: values and units as people write them, tables that fit."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from services.cli.key_table import fitted, key_table
from services.cli.unit_signs import quantity, unit_sign
from services.core.city.units import UNITS


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (2.7716000000000003, "bar", "2.772 bar"),
        (-39.96, "Cel", "-39.96 °C"),
        (12345.6, "m3/h", "12,346 m³/h"),
        (9007199254740991, "kW.h", "9,007,199,254,740,991 kWh"),
        (0.012345, "ug/m3", "0.01235 µg/m³"),
        (50.0, "%{LEL}", "50 % LEL"),
        (7.0, "[pH]", "7 pH"),
        (120.0, "{vehicles}", "120 vehicles"),
        (0.0, "1", "0"),
        (1e-20, "1", "0"),
    ],
)
def test_quantities(value: float, unit: str, told: str) -> None:
    assert quantity(value, unit) == told


def test_no_unit_shows_ucums_own_brackets() -> None:
    assert not [code for code in UNITS if set(unit_sign(code)) & set("[]{}.")]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(24, 100))
def test_widths_fit_and_the_short_keep_theirs(natural: list[int], room: int) -> None:
    widths = fitted(natural, room)
    assert sum(widths) <= max(room, 6 * len(natural))
    assert all(width <= was for width, was in zip(widths, natural, strict=True))
    if sum(natural) <= room:
        assert widths == natural


@pytest.mark.parametrize("width", [60, 80, 140])
def test_figures_are_never_cut(width: int) -> None:
    figures = ["1,234,567", "89,012,345"]
    rows = [["a-very-long-key" * 5, *figures], ["total", "1", "2"]]
    out = io.StringIO()
    Console(file=out, width=width).print(
        key_table(["publisher"], ["received", "rejected\nvalues"], rows, width)
    )
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    assert any(all(figure in line for figure in figures) for line in lines)
