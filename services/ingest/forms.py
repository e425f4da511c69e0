"""PURE: how the values of one device type are read: by slot, as numbers."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from services.core.city.catalogue import Kind
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile
from services.ingest.messages import LARGEST_INTEGER

Reader = Callable[[object], float | Reason]
_NUMBERS: Final = frozenset({Kind.MEASUREMENT, Kind.COUNTER})


class Form:
    """A profile, made ready for reading many items.

    plain: every slot is a live channel that takes any number, so an item that names them all, in order and
    as JSON fractions, needs no look at each value.
    """

    __slots__ = (
        "checked",
        "known_bits",
        "limits",
        "names",
        "plain",
        "profile",
        "readers",
        "scaled",
        "slots",
        "states",
        "width",
    )

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        # A slot's own name comes last: it is the one that refusals speak of.
        self.slots = {**profile.aliases, **profile.channels}
        self.width = len(profile.kinds)
        self.names = tuple(
            sorted(profile.channels, key=lambda name: profile.channels[name])
        )
        self.plain = len(self.names) == self.width and _NUMBERS.issuperset(
            profile.kinds
        )
        self.readers = tuple(_reader(profile, slot) for slot in range(self.width))
        self.scaled = np.flatnonzero((profile.factor != 1) | (profile.addend != 0))
        # Of rate, spike and flat line; a slot with none of them is not looked at.
        self.limits = np.vstack(
            (profile.max_rate, profile.max_spike, profile.flat_line_ms)
        )
        self.checked = np.flatnonzero(np.isfinite(self.limits).any(axis=0))
        self.states = frozenset(
            slot for slot, kind in enumerate(profile.kinds) if kind is Kind.STATE
        )
        self.known_bits = {
            slot: sum(profile.code_values[slot] or ())
            for slot, kind in enumerate(profile.kinds)
            if kind is Kind.BITS
        }


class Forms:
    """The forms in use; a profile that the registry has replaced gets a new one."""

    def __init__(self) -> None:
        self._forms: dict[int, Form] = {}

    def of(self, profile: Profile) -> Form:
        form = self._forms.get(profile.device_type_id)
        if form is None or form.profile is not profile:
            form = self._forms[profile.device_type_id] = Form(profile)
        return form


def _reader(profile: Profile, slot: int) -> Reader:
    kind = profile.kinds[slot]
    if kind is Kind.STATE:
        return _state_reader(
            profile.codes[slot] or {}, profile.code_values[slot] or frozenset()
        )
    return _read_bits if kind is Kind.BITS else _read_number


def _read_number(value: object) -> float | Reason:
    if type(value) is float:
        return value
    if type(value) is int:
        return (
            float(value)
            if -LARGEST_INTEGER <= value <= LARGEST_INTEGER
            else Reason.NOT_FINITE
        )
    return Reason.WRONG_TYPE


def _state_reader(codes: Mapping[str, int], values: frozenset[int]) -> Reader:
    def read(value: object) -> float | Reason:
        if isinstance(value, str):
            code = codes.get(value)
            return Reason.UNKNOWN_CODE if code is None else float(code)
        number = float(value) if type(value) is bool else _read_number(value)
        if isinstance(number, Reason):
            return number
        if not number.is_integer():
            return Reason.WRONG_TYPE
        return number if int(number) in values else Reason.UNKNOWN_CODE

    return read


def _read_bits(value: object) -> float | Reason:
    """Any set of bits; those that the catalogue does not know make it suspect, not refused."""
    number = _read_number(value)
    if isinstance(number, Reason):
        return number
    if not number.is_integer():
        return Reason.WRONG_TYPE
    return number if number >= 0 else Reason.RANGE
