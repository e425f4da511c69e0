"""PURE: a metric's value as a number, a boolean or a code of a state.

Source: Sparkplug 3.0.0, section 6.4.16 (data types) and 6.4.14 (the property Quality).
"""

import math
from typing import Any, Final

import numpy as np

from services.core.reasons import Reason
from services.ingest.messages import NOT_FINITE, Unusable, Value

_SIGNED: Final = {1: 8, 2: 16, 3: 32, 4: 64}  # Int8 … Int64: bits
_UNSIGNED: Final = {5: 8, 6: 16, 7: 32, 8: 64, 13: 64}  # UInt8 … UInt64, DateTime
_FLOAT: Final = 9
_DOUBLE: Final = 10
_BOOLEAN: Final = 11
_STRINGS: Final = frozenset({12, 14, 15})  # String, Text, UUID
_INTEGER_FIELDS: Final = ("long_value", "int_value")
_NUMBER_FIELDS: Final = ("double_value", "float_value", *_INTEGER_FIELDS)
_QUALITIES: Final = {0: "fail", 500: "stale"}  # 192 is good

_NO_VALUE: Final = Unusable(
    Reason.WRONG_TYPE, "the metric has no value of the data type that it names"
)


def value_of(metric: Any, datatype: int) -> Value | Unusable:
    """datatype: the metric's own, or its birth's. Data sets, templates, bytes and arrays are refused."""
    if metric.is_null:
        return None
    if (bits := _SIGNED.get(datatype)) or (bits := _UNSIGNED.get(datatype)):
        return _integer(metric, bits, signed=datatype in _SIGNED)
    if datatype in {_FLOAT, _DOUBLE}:
        return _number(metric)
    if datatype == _BOOLEAN and metric.HasField("boolean_value"):
        return bool(metric.boolean_value)
    if datatype in _STRINGS and metric.HasField("string_value"):
        return str(metric.string_value)
    if datatype in {_BOOLEAN, *_STRINGS}:
        return _NO_VALUE
    return Unusable(
        Reason.WRONG_TYPE, f"data type {datatype} is none that a channel can take"
    )


def quality_of(metric: Any) -> str | None:
    """What the property Quality says, in the platform's words; None: good, or nothing."""
    if not metric.HasField("properties"):
        return None
    pairs = zip(metric.properties.keys, metric.properties.values, strict=False)
    said = next((value for key, value in pairs if key == "Quality"), None)
    name = next(
        (name for name in _INTEGER_FIELDS if said and said.HasField(name)), None
    )
    return None if name is None else _QUALITIES.get(getattr(said, name))


def _integer(metric: Any, bits: int, *, signed: bool) -> int | Unusable:
    """Two's complement in as many bits; encoders differ in how far they extend the sign."""
    name = next((name for name in _INTEGER_FIELDS if metric.HasField(name)), None)
    if name is None:
        return _NO_VALUE
    value = getattr(metric, name) & ((1 << bits) - 1)
    return int(value - (1 << bits) if signed and value >> (bits - 1) else value)


def _number(metric: Any) -> float | Unusable:
    name = next((name for name in _NUMBER_FIELDS if metric.HasField(name)), None)
    if name is None:
        return _NO_VALUE
    value: float = getattr(metric, name)
    if not math.isfinite(value):
        return NOT_FINITE
    # The shortest decimal that is the same Float: 230.4, not 230.39999389648438.
    return float(str(np.float32(value))) if name == "float_value" else value
