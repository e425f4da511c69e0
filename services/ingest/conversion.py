"""PURE: sent values to canonical ones, whole columns at a time; the same as Conversion.convert() of each."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.city.units import DECADES, rounding_scales

Floats = NDArray[np.float64]

_DECADES: Final = np.array(DECADES)
_SCALES: Final = np.array([rounding_scales(adds=adds) for adds in (False, True)])


def canonical(values: Floats, factor: Floats, addend: Floats) -> Floats:
    """values: [n, slots], NaN where missing; factor, addend: [slots]. Beyond float64 it is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values * factor
        results = scaled + addend
        place = np.searchsorted(
            _DECADES, np.maximum(np.abs(scaled), np.abs(addend)), side="right"
        )
        scale = _SCALES[(addend != 0).astype(np.intp), place]
        rounds = scale != 0
        np.divide(np.rint(results * scale), scale, out=results, where=rounds)
    return results
