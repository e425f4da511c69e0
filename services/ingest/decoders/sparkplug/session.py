"""PURE: what an edge node has told with its births: metrics by name and alias; and its order of messages."""

from array import array
from typing import Any, Final, Literal

import msgspec

_NUMBERS: Final = 256  # of seq, which wraps
_NEVER: Final = -1
_LARGEST: Final = (1 << 63) - 1
_ENTRY_BYTES: Final = 100
_MOST_UNREADABLE: Final = 1_000  # remembered
LARGEST_SESSION: Final = 16_000_000  # bytes, about: 100,000 metrics

Metrics = dict[int | str, tuple[str, int]]  # alias or name → name, data type
Order = Literal["next", "repeated", "gap"]


class Session(msgspec.Struct):
    """From one NBIRTH to the next. bd_seq: ties the death to its birth."""

    group: str
    bd_seq: int | None
    node: Metrics
    devices: dict[str, Metrics]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Session)


def metrics_of(payload: Any) -> Metrics:
    """What a birth explains."""
    metrics: Metrics = {}
    for metric in payload.metrics:
        if not metric.name:
            continue
        known = (metric.name, metric.datatype)
        metrics[metric.name] = known
        if metric.HasField("alias"):
            metrics[metric.alias] = known
    return metrics


class EdgeNode:
    """doubtful: what was said at QoS 0 since its birth may not have been heard, another birth with other aliases neither.

    dead, unreadable: devices; None stands for the node itself. birth_due: from a gap to the next birth.
    """

    def __init__(self, session: Session, *, doubtful: bool = False) -> None:
        self.session = session
        self.doubtful = doubtful
        self.birth_due = False
        self.dead: set[str | None] = set()
        self.unreadable: set[str | None] = set()
        self._weights = {
            name: weight(metrics, name) for name, metrics in session.devices.items()
        }
        self._weight = weight(session.node) + sum(self._weights.values())
        self._next: int | None = None
        self._connection: int | None = None
        self._said_at = array("q", [_NEVER]) * _NUMBERS

    @classmethod
    def recall(cls, body: bytes) -> "EdgeNode":
        """Raises msgspec.DecodeError when it is of another version."""
        return cls(_decoder.decode(body), doubtful=True)

    def body(self) -> bytes:
        return _encoder.encode(self.session)

    def explains(self, device: str | None) -> Metrics | None:
        """What is known of a device's metrics, or of the node's own; None: it is not born."""
        if device is None:
            return self.session.node
        return self.session.devices.get(device)

    def is_dead(self, device: str | None) -> bool:
        return not self.dead.isdisjoint({None, device})

    def forget(self, device: str) -> None:
        """Its last birth could not be read, so the one before explains nothing any more."""
        self.session.devices.pop(device, None)
        self._weight -= self._weights.pop(device, 0)
        if len(self.unreadable) < _MOST_UNREADABLE:
            self.unreadable.add(device)

    def take_birth(self, device: str, metrics: Metrics) -> bool:
        """Remember what a device's birth explains; False: the node has more than it may."""
        more = weight(metrics, device)
        rest = self._weight - self._weights.get(device, 0)
        if rest + more > LARGEST_SESSION:
            return False
        self._weight, self._weights[device] = rest + more, more
        self.session.devices[device] = metrics
        self.dead.discard(device)
        self.unreadable.discard(device)
        return True

    def order(self, seq: int, timestamp: int, connection: int) -> Order:
        """Where a message stands: the broker gives out again what was not acknowledged, and that is no gap.

        connection: of ours, that it came by. A gap between two of them may hold a birth.
        """
        before, self._connection = self._connection, connection
        order = self._order(seq, timestamp)
        if order == "gap":
            self.birth_due = True
            self.doubtful |= before != connection
        return order

    def _order(self, seq: int, timestamp: int) -> Order:
        seq, timestamp = seq % _NUMBERS, timestamp & _LARGEST
        if timestamp and self._said_at[seq] == timestamp:
            return "repeated"
        self._said_at[seq] = timestamp
        expected, self._next = self._next, (seq + 1) % _NUMBERS
        return "next" if expected in {None, seq} else "gap"


def weight(metrics: Metrics, device: str = "") -> int:
    """About how many bytes they take; a device without any takes some, too."""
    names = (len(name) for name in metrics if isinstance(name, str))
    return len(device) + sum(names) + _ENTRY_BYTES * (len(metrics) + bool(device))
