"""PURE: from a SenML pack, JSON or CBOR, to items: one for each device and time.

Source: RFC 8428; sections in the comments are its. Names of devices: RFC 9039.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from services.core.reasons import Reason
from services.ingest.decoders.native_json import LARGEST_PAYLOAD
from services.ingest.decoders.senml.reading import read_pack
from services.ingest.decoders.senml.units import UCUM
from services.ingest.messages import (
    LARGEST_INTEGER,
    NOT_FINITE,
    ForeignReading,
    ForeignValue,
    Message,
    Quantity,
    Unusable,
)

_LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip # CBOR, section 6
_VERSIONS: Final = (*range(1, 11), 26)  # 26: 10 with secondary units (RFC 9100)
_FIRST_ABSOLUTE: Final = 1 << 28  # seconds; below, times are relative to now (4.5.3)
_TYPES: Final = {"v": (int, float), "vb": (bool,), "vs": (str,)}


def decode_pack(payload: bytes) -> Message | Unusable:
    """Never raises."""
    if len(payload) > LARGEST_PAYLOAD:
        return Unusable(Reason.TOO_LARGE, f"it has {len(payload)} bytes")
    try:
        records = read_pack(payload)
    except (ValueError, RecursionError) as error:
        return Unusable(Reason.MALFORMED, f"not SenML: {error}")
    if not isinstance(records, list) or not records:
        return _NO_PACK
    pack = _Pack()
    for record in records:
        if (fault := pack.take(record)) is not None:
            return fault
    return Message(pack.items or [_NO_VALUES])


_NO_PACK: Final = Unusable(Reason.MALFORMED, "a SenML pack is an array of records")
_NO_VALUES: Final = Unusable(Reason.EMPTY, "no record of the pack has a value")
_BAD_VERSION: Final = Unusable(
    Reason.MALFORMED, "bver is neither up to 10 nor 26: what it means is not known"
)
_BAD_BASE: Final = Unusable(Reason.MALFORMED, "a base field is of the wrong type")
_NO_RECORD: Final = Unusable(Reason.MALFORMED, "the record is not an object")
_NO_NAME: Final = Unusable(Reason.MALFORMED, "the record has no name")
_BAD_TIME: Final = Unusable(Reason.BAD_TIME, '"t" is not a number of seconds')


@dataclass(slots=True)
class _Base:
    """Base fields, in force from their record on (4.1)."""

    name: str = ""
    time: float = 0
    unit: str | None = None
    value: float = 0
    is_timed: bool = False

    def take(self, record: Mapping[Any, Any]) -> bool:
        """Whether they are all of their types."""
        for label, kinds, attribute in (
            ("bn", (str,), "name"),
            ("bt", (int, float), "time"),
            ("bu", (str,), "unit"),
            ("bv", (int, float), "value"),
        ):
            said = _plain(record.get(label))
            if said is None:
                continue
            if not _is_one_of(said, kinds):
                return False
            setattr(self, attribute, said)
        self.is_timed = self.is_timed or record.get("bt") is not None
        return True


@dataclass(slots=True)
class _Pack:
    items: list[ForeignReading | Unusable] = field(default_factory=list)
    _base: _Base = field(default_factory=_Base)
    _open: dict[tuple[str | None, "_When"], ForeignReading] = field(
        default_factory=dict
    )

    def take(self, record: object) -> Unusable | None:
        """Add what the record says; what makes all of the pack unusable is returned."""
        if not isinstance(record, dict):
            self.items.append(_NO_RECORD)
            return None
        named = {
            _LABELS.get(k, k) if type(k) is int else k: v for k, v in record.items()
        }
        if named.get("bver", 10) not in _VERSIONS:
            return _BAD_VERSION
        if not self._base.take(named):
            return _BAD_BASE
        if any(label in _OWN_LABELS or _is_binding(label) for label in named):
            self._add(named)
        return None

    def _add(self, record: Mapping[Any, Any]) -> None:
        unknown = [label for label in record if _is_binding(label)]
        if unknown:
            detail = f"{unknown[0][:40]!r} must be understood, and is not"
            self.items.append(Unusable(Reason.MALFORMED, detail))
            return
        name = record.get("n", "")
        if not isinstance(name, str) or not self._base.name + name:
            self.items.append(_NO_NAME)
            return
        when = self._when(record)
        if isinstance(when, Unusable):
            self.items.append(when)
            return
        device, channel = split_name(self._base.name + name)
        for path, value in self._values(channel, record):
            self._put((device, when), path, value)

    def _put(
        self, key: tuple[str | None, "_When"], path: str, value: ForeignValue
    ) -> None:
        """A name that comes again at its time begins another item: the merge decides between them."""
        item = self._open.get(key)
        if item is None or path in item.values:
            device, (time, relative_ms) = key
            item = self._open[key] = ForeignReading(
                values={}, time=time, device=device, relative_ms=relative_ms
            )
            self.items.append(item)
        item.values[path] = value

    def _values(
        self, channel: str, record: Mapping[Any, Any]
    ) -> Iterator[tuple[str, ForeignValue]]:
        said = [
            label for label in ("v", "vb", "vs", "vd") if record.get(label) is not None
        ]
        if len(said) > 1:
            yield channel, Unusable(Reason.MALFORMED, f"{channel} has two values")
        elif said:
            yield channel, self._value(channel, said[0], record)
        if record.get("s") is not None:
            yield f"{channel}/s", _SUM
        elif not said:
            yield channel, Unusable(Reason.EMPTY, f"{channel} has no value")

    def _value(
        self, channel: str, label: str, record: Mapping[Any, Any]
    ) -> ForeignValue:
        value = _plain(record[label])
        if label not in _TYPES or not _is_one_of(value, _TYPES[label]):
            return Unusable(Reason.WRONG_TYPE, f"{channel} cannot be taken as {label}")
        if label != "v":
            return value  # type: ignore[no-any-return] # a boolean or a string, just seen
        number = _sum(value, self._base.value)
        unit = record.get("u", self._base.unit)
        if unit is None:
            return number
        code = UCUM.get(unit) if isinstance(unit, str) else None
        if code is None:
            return Unusable(Reason.WRONG_UNIT, f"SenML has no unit {str(unit)[:40]!r}")
        return Quantity(number, code)

    def _when(self, record: Mapping[Any, Any]) -> "_When | Unusable":
        said = _plain(record.get("t"))
        if said is None:
            if not self._base.is_timed:
                return None, 0
            said = 0
        if not _is_one_of(said, (int, float)):
            return _BAD_TIME
        seconds = _sum(said, self._base.time)
        if abs(seconds) >= LARGEST_INTEGER / 1000:
            return _BAD_TIME
        milliseconds = round(seconds * 1000)
        if seconds < _FIRST_ABSOLUTE:
            return None, milliseconds
        return milliseconds, 0


_DEVICE_URN: Final = re.compile(
    r"(?P<device>urn:dev:(?:mac|ow|org|os|ops|example):[^:_]+)(?:_(?P<component>[^:]+))?"
)
_When = tuple[int | None, int]  # Unix milliseconds; else milliseconds after now
_OWN_LABELS: Final = frozenset(
    {"n", "u", "v", "vs", "vb", "vd", "s", "t"}
)  # without them a record has base fields alone
_SUM: Final = Unusable(
    Reason.WRONG_TYPE, "sums over time are not taken; send a counter as a value"
)


def split_name(name: str) -> tuple[str | None, str]:
    """(device, channel) of a resolved name; no device: the publisher itself.

    The device stands before the first slash or, without a slash, before the last colon. A device URN has a colon within
    and is the device up to its component, which follows the first underscore (RFC 9039 section 3.2); no channel: it has none.
    """
    before, slash, channel = name.partition("/")
    if not slash:
        if (urn := _DEVICE_URN.fullmatch(name)) is not None:
            return urn["device"], urn["component"] or ""
        before, _, channel = name.rpartition(":")
    return before or None, channel


def _is_binding(label: object) -> bool:
    """Whether who does not understand it must not take the record (4.4)."""
    return isinstance(label, str) and label.endswith("_")


def _plain(value: object) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _is_one_of(value: object, kinds: Iterable[type]) -> bool:
    return type(value) in kinds


def _sum(value: float, base: float) -> float:
    """What is no finite number is a number that is refused as such."""
    if NOT_FINITE in (value, base):
        return NOT_FINITE
    try:
        total = value + base
    except OverflowError:
        return NOT_FINITE
    return total if isinstance(total, int) or math.isfinite(total) else NOT_FINITE
