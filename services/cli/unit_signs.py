"""Values and units as people write them: 3.12 bar, 1,204 m³/h, 21.4 °C."""

import math
import re
from typing import Final

_SIGNS: Final = {
    "Cel": "°C",
    "[degF]": "°F",
    "deg": "°",
    "1": "",
    "har": "ha",
    "mm[Hg]": "mmHg",
}
_POWERS: Final = str.maketrans({"2": "²", "3": "³"})
_SIGNIFICANT: Final = 4


def unit_sign(code: str) -> str:
    """A UCUM code as it is written: kW.h → kWh, ug/m3 → µg/m³, %{LEL} → % LEL."""
    if code in _SIGNS:
        return _SIGNS[code]
    text = re.sub(r"\{(\w+)\}", r" \1", code).replace("[", "").replace("]", "")
    text = re.sub(r"(?<=m)[23]", lambda power: power[0].translate(_POWERS), text)
    return text.replace(".", "").replace("ug", "µg").replace("uS", "µS").strip()


def quantity(value: float, unit: str) -> str:
    """To four significant digits; whole numbers are never cut."""
    if value == 0 or not math.isfinite(value):
        decimals = 0
    else:
        exponent = math.floor(math.log10(abs(value)))
        decimals = max(0, min(12, _SIGNIFICANT - 1 - exponent))
    number = f"{value:,.{decimals}f}"
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit_sign(unit)}".strip()
