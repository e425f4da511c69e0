"""PURE: the units a city file may use (UCUM codes) and the one table that converts between them.

Source: UCUM 2.2, https://ucum.org/ucum.
"""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Unit:
    """base value = value * factor + addend, in the base unit of the dimension."""

    dimension: str
    factor: Fraction
    addend: Fraction = Fraction(0)


# A sent value, a factor and their product are each off by up to half a unit in the 16th digit. Results are therefore
# rounded to 15 digits (14 where something is added), so that decimals stay the decimals they are.
DECADES: Final = tuple(float(f"1e{exponent}") for exponent in range(-8, 16))
_MOST_DECIMALS: Final = 23  # and powers of ten are exact up to 22


def rounding_scales(*, adds: bool) -> tuple[float, ...]:
    """By place among the DECADES: what to multiply with before rounding to an integer; 0 where not to round."""
    decimals = range(_MOST_DECIMALS - 1, -1, -1)
    lost = 1 if adds else 0
    return (0.0, *(float(10 ** max(0, places - lost)) for places in decimals), 0.0)


@dataclass(frozen=True, slots=True)
class Conversion:
    """canonical value = sent value * factor + addend."""

    factor: float
    addend: float

    def convert(self, value: float) -> float:
        """The double nearest to the decimal result; ingest does the same to whole columns."""
        if (self.factor, self.addend) == (1.0, 0.0):
            return value
        scaled = value * self.factor
        result = scaled + self.addend
        place = bisect_right(DECADES, max(abs(scaled), abs(self.addend)))
        scale = rounding_scales(adds=self.addend != 0)[place]
        return round(result * scale) / scale if scale else result


# Each dimension's units and their exact factors to its base unit.
_FACTORS: Final[dict[str, str]] = {
    "voltage": "mV 1/1000  V 1  kV 1000",
    "current": "mA 1/1000  A 1  kA 1000",
    "power": "W 1  kW 1000  MW 1000000",
    "apparent power": "V.A 1  kV.A 1000  MV.A 1000000",
    "reactive power": "V.A{reactive} 1  kV.A{reactive} 1000  MV.A{reactive} 1000000",
    "apparent energy": "V.A.s 1  V.A.h 3600  kV.A.h 3600000",
    "reactive energy": "V.A{reactive}.s 1  V.A{reactive}.h 3600  kV.A{reactive}.h 3600000",
    "energy": "J 1  MJ 1000000  GJ 1000000000  W.h 3600  kW.h 3600000  MW.h 3600000000",
    "frequency": "mHz 1/1000  Hz 1",
    "length": "mm 1/1000  cm 1/100  m 1  km 1000",
    "area": "m2 1  har 10000  km2 1000000",
    "volume": "mL 1/1000000  L 1/1000  m3 1",
    "mass": "g 1/1000  kg 1  t 1000",
    "time": "ms 1/1000  s 1  min 60  h 3600  d 86400",
    "volume flow": "L/s 1/1000  L/min 1/60000  L/h 1/3600000  m3/s 1  m3/min 1/60  m3/h 1/3600  m3/d 1/86400",
    "speed": "mm/s 1/1000  cm/s 1/100  m/s 1  km/h 10/36  mm/h 1/3600000  mm/min 1/60000  m/h 1/3600",
    "pressure": "Pa 1  hPa 100  kPa 1000  MPa 1000000  mbar 100  bar 100000  mm[Hg] 133322/1000",
    "mass concentration": "ng/m3 1/1000000000  ug/m3 1/1000000  mg/m3 1/1000  g/m3 1  kg/m3 1000  ug/L 1/1000  mg/L 1  g/L 1000",
    "conductivity": "uS/cm 1  mS/cm 1000  S/m 10000",
    "irradiance": "W/m2 1  kW/m2 1000",
    "ratio": "1 1  % 1/100  [ppth] 1/1000  [ppm] 1/1000000",
    "angle": "deg 1  rad 57.29577951308232087679815",
    "illuminance": "lx 1",
    "acidity": "[pH] 1",
    "turbidity, nephelometric": "[NTU] 1",
    "turbidity, formazin": "[FNU] 1",
    "share of the lower explosive limit": "%{LEL} 1",
    "number of vehicles": "{vehicles} 1",
    "number of persons": "{persons} 1",
    "sound level": "dB{A} 1",
}
UNITS: Final[dict[str, Unit]] = {
    code: Unit(dimension, Fraction(factor))
    for dimension, row in _FACTORS.items()
    for code, factor in (entry.split() for entry in row.split("  "))
} | {
    "K": Unit("temperature", Fraction(1)),
    "Cel": Unit("temperature", Fraction(1), Fraction("273.15")),
    "[degF]": Unit("temperature", Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}


def conversion(sent: str, canonical: str) -> Conversion:
    """How a value in the sent unit becomes one in the canonical unit.

    Raises:
        ValueError: a unit is not in the table, or the two measure different things.
    """
    source, target = _unit(sent), _unit(canonical)
    if source.dimension != target.dimension:
        raise ValueError(
            f"{sent} is a {source.dimension}, {canonical} a {target.dimension}"
        )
    return Conversion(
        factor=float(source.factor / target.factor),
        addend=float((source.addend - target.addend) / target.factor),
    )


def _unit(code: str) -> Unit:
    if code not in UNITS:
        raise ValueError(f"the unit {code!r} is not one of UCUM's that we know")
    return UNITS[code]
