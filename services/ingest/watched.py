"""PURE: what became of a message at every stage, told for who watches its device."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.storage.texts import storable, storable_name
from services.ingest.check import Checked
from services.ingest.merge import Fate
from services.ingest.messages import (
    Birth,
    Death,
    Message,
    Reading,
    Received,
    Unusable,
    milliseconds,
)
from services.ingest.plan import Plan
from services.ingest.resolve import Refused, Resolved

Told = dict[str, Any]

_LONGEST_PAYLOAD: Final = 4_000  # characters shown
_MOST_TOLD: Final = 50  # refusals, times
_FATES: Final = {
    Fate.STORED: "stored",
    Fate.MERGED: "merged",
    Fate.DUPLICATE: "duplicate",
    Fate.REJECTED: "rejected",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A message on its way. devices: as watched; entries: of its items in their batch; told: the stages so far."""

    devices: frozenset[str]
    received: Received
    received_ms: int
    entries: frozenset[int]
    told: Told


def look(
    watched: frozenset[str],
    messages: Iterable[Received],
    resolved: Resolved,
    checked: Checked,
    now_ms: int,
) -> list[Watched]:
    """The messages that somebody watches, as far as they have come."""
    found = []
    for received in messages:
        if devices := watched & _devices(received):
            refused = [
                refusal
                for refusal in (*resolved.refused, *checked.refused)
                if refusal.received is received
            ]
            told = {
                "kind": "message",
                "received": _received(received, now_ms),
                "decoded": _decoded(received),
                "refused": [_refusal(one) for one in refused[:_MOST_TOLD]],
            }
            observed = [o for o in resolved.observed if o.received is received]
            told["resolved"] = {"items": len(observed)}
            told["checked"] = _checked(received, now_ms)
            entries = frozenset(
                [item.entry for item in observed] + [one.entry for one in refused]
            )
            found.append(Watched(devices, received, now_ms, entries, told))
    return found


def committed(
    watched: Watched, plans: Sequence[Plan], log_batch: int, now_ms: int
) -> Told:
    """The whole story. log_batch: the number of the event log's batch."""
    fates: Counter[str] = Counter()
    late: list[Refused] = []
    for plan in plans:
        places = [entry - plan.first for entry in watched.entries]
        within = [place for place in places if 0 <= place < len(plan.fates)]
        fates.update(_FATES[Fate(fate)] for fate in plan.fates[within].tolist())
        late += [
            refusal
            for refusal in plan.refused
            if refusal.received is watched.received and refusal.reason == "conflict"
        ]
    refused = [*watched.told["refused"], *map(_refusal, late)][:_MOST_TOLD]
    done = {
        "at_ms": now_ms,
        "latency_ms": now_ms - watched.received_ms,
        "batch": log_batch,
        **fates,
    }
    return {**watched.told, "refused": refused, "committed": done}


def _devices(received: Received) -> frozenset[str]:
    """The publisher, and every device it speaks of."""
    content = received.content
    if isinstance(content, Message):
        named = {item.device for item in content.items if isinstance(item, Reading)}
    else:
        named = {getattr(content, "device", None)}
    return frozenset(device for device in named if device) | {received.publisher}


def _received(received: Received, now_ms: int) -> Told:
    publication = received.publication
    text = publication.payload[:_LONGEST_PAYLOAD].decode("utf-8", "replace")
    return {
        "at_ms": now_ms,
        "publisher": received.publisher,
        "topic": publication.topic,
        "message": received.kind,
        "bytes": len(publication.payload),
        "qos": publication.qos,
        "payload": text.replace("\x00", "\N{SYMBOL FOR NULL}"),
    }


def _decoded(received: Received) -> Told:
    content = received.content
    if isinstance(content, Unusable):
        return {"as": "unusable", "reason": content.reason.value}
    if isinstance(content, Message):
        return {
            "as": "data",
            "seq": content.seq,
            "epoch": content.epoch,
            "items": len(content.items),
        }
    if isinstance(content, Birth):
        return {
            "as": "birth",
            "epoch": content.epoch,
            "oldest_seq": content.oldest_seq,
            "firmware": storable_name(content.firmware),
            "device": storable_name(content.device),
        }
    if isinstance(content, Death):
        return {"as": "death", "device": storable_name(content.device)}
    return {"as": "result"}


def _checked(received: Received, now_ms: int) -> Told:
    """age_ms: how long before its arrival each item was measured; fields: what was sent, by device and channel."""
    content = received.content
    if not isinstance(content, Message):
        return {"age_ms": [], "without_time": 0, "channels": {}}
    readings = [item for item in content.items if isinstance(item, Reading)]
    times = [item.time for item in readings if item.time is not None]
    channels: dict[str, set[str]] = {}
    for item in readings:
        name = storable(item.device or received.publisher)
        channels.setdefault(name, set()).update(map(storable, item.values))
    return {
        "age_ms": [now_ms - milliseconds(time) for time in times[:_MOST_TOLD]],
        "without_time": len(readings) - len(times),
        "channels": {name: sorted(sent)[:200] for name, sent in channels.items()},
        "unsynced": sum(item.time_quality == "unsynced" for item in readings),
    }


def _refusal(refusal: Refused) -> Told:
    return {
        "scope": refusal.scope,
        "reason": refusal.reason.value,
        "index": refusal.index,
        "device": storable_name(refusal.device),
        "channel": storable_name(refusal.channel),
        "detail": storable(refusal.detail),
    }
