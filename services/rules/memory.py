"""PURE: what the rules remember of the stream for every target: its newest reading and when it was heard.

It follows from the log alone, so it is stored now and then and the rest is replayed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.rules.rule_clock import RuleClock
from services.rules.targets import Int32, Int64, Targets

NEVER: Final = -(1 << 62)
_PIECE: Final = 32_000  # targets
_SOURCE_ID: Final = "<i4"
_DTYPES: Final = {
    "newest_ms": "<i8",
    "value": "<f8",
    "heard_ms": "<i8",
    "heard_counted": "<i8",
    "dead": "?",
}


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Columns by target, written in place."""

    newest_ms: Int64  # its own time of the newest reading that counted; NEVER: none
    value: NDArray[np.float64]  # of that reading
    heard_ms: Int64  # rule time at which something was last heard; NEVER: never
    heard_counted: Int64  # of RuleClock.counted_ms then
    dead: NDArray[np.bool_]  # said to be gone, and not heard since

    @classmethod
    def blank(cls, size: int) -> "Memory":
        return cls(
            newest_ms=np.full(size, NEVER, np.int64),
            value=np.full(size, np.nan),
            heard_ms=np.full(size, NEVER, np.int64),
            heard_counted=np.full(size, NEVER, np.int64),
            dead=np.zeros(size, np.bool_),
        )

    def copy(self) -> "Memory":
        return Memory(*(getattr(self, name).copy() for name in _DTYPES))

    def hear(self, targets: Int64, clock: RuleClock) -> None:
        if clock.now_ms is not None:
            self.heard_ms[targets] = clock.now_ms
            self.heard_counted[targets] = clock.counted_ms
            self.dead[targets] = False

    def take_newest(
        self, targets: Int64, times_ms: Int64, values: NDArray[np.float64]
    ) -> None:
        """The newest reading of each target; of several at one time the last."""
        order = np.lexsort((times_ms, targets))
        last = np.flatnonzero(np.diff(targets[order], append=-1))
        newest = order[last]
        self.newest_ms[targets[newest]] = times_ms[newest]
        self.value[targets[newest]] = values[newest]

    def carry_over(self, old: "Targets", theirs: "Memory", new: "Targets") -> None:
        """Take over what is remembered of targets that are still there."""
        for rule in new.rules:
            here, there = new.of_rule(rule.key), old.of_rule(rule.key)
            to, of = _common(new.source_id[here], old.source_id[there])
            for name in _DTYPES:
                getattr(self, name)[here][to] = getattr(theirs, name)[there][of]


def _common(
    here: Int32, there: Int32
) -> tuple[slice | NDArray[np.intp], slice | NDArray[np.intp]]:
    """Where the same sources stand in both; mostly everywhere."""
    if np.array_equal(here, there):
        return slice(None), slice(None)
    _, to, of = np.intersect1d(here, there, assume_unique=True, return_indices=True)
    return to, of


class _Head(msgspec.Struct, frozen=True):
    """The first piece. rules: how many targets each has; their columns follow, source_id first."""

    clock: dict[str, Any]
    rules: dict[str, int]


def encode_memory(
    targets: Targets, memory: Memory, clock: RuleClock
) -> Iterator[bytes]:
    """In pieces, as it can have tens of megabytes."""
    spans = {rule.key: targets.of_rule(rule.key) for rule in targets.rules}
    counts = {key: len(targets.source_id[span]) for key, span in spans.items()}
    yield msgspec.msgpack.encode(_Head(asdict(clock), counts))
    for span in spans.values():
        yield from _pieces(targets.source_id[span], _SOURCE_ID)
        for name, kind in _DTYPES.items():
            yield from _pieces(getattr(memory, name)[span], kind)


def _pieces(column: NDArray[Any], kind: str) -> Iterator[bytes]:
    for first in range(0, len(column), _PIECE):
        yield column[first : first + _PIECE].astype(kind).tobytes()


def decode_memory(
    pieces: Sequence[bytes], targets: Targets
) -> tuple[Memory, RuleClock]:
    """What is remembered of the targets there are now; of others nothing."""
    head = msgspec.msgpack.decode(pieces[0], type=_Head)
    body, at = b"".join(pieces[1:]), 0
    memory = Memory.blank(len(targets))
    for key, count in head.rules.items():
        span = targets.of_rule(key)
        source_ids = np.frombuffer(body, _SOURCE_ID, count, at)
        at += source_ids.nbytes
        to, of = _common(targets.source_id[span], source_ids)
        for name, kind in _DTYPES.items():
            column = np.frombuffer(body, kind, count, at)
            at += column.nbytes
            getattr(memory, name)[span][to] = column[of]
    return memory, RuleClock(**head.clock)
