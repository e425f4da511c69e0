"""PURE: what goes wrong with publishers and devices, as data; a plan is made by one place and applied by others."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class FaultKind(StrEnum):
    DROP_CONNECTION = "drop_connection"  # a publisher goes, its will is sent, and comes back at the end
    SILENCE = "silence"  # a device stops measuring; its publisher stays connected
    OUT_OF_ORDER = "out_of_order"  # a publisher swaps neighbouring messages
    DUPLICATE = "duplicate"  # a publisher sends every message twice


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """on: a device id. Seconds since the simulator's start."""

    kind: FaultKind
    on: str
    start: float = 0.0
    duration: float = 60.0


class FaultPlan:
    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._by_place: dict[tuple[FaultKind, str], list[Fault]] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        self._by_place.setdefault((fault.kind, fault.on), []).append(fault)

    def is_on(self, kind: FaultKind, device: str, elapsed: float) -> bool:
        return any(
            fault.start <= elapsed < fault.start + fault.duration
            for fault in self._by_place.get((kind, device), ())
        )
