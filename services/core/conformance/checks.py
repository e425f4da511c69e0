"""PURE: the checklist of the device protocol, judged from watched messages: passed, failed, or not seen."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Any, Final

Told = Mapping[str, Any]
Number = int | float | str | list[str] | None

_CLOCK_MS: Final = (
    1_000  # ahead of ours by more: the clock is wrong, whatever the way takes
)
_PERIOD_SHARE: Final = 0.5  # off the declared period by more
_FEWEST_PERIODS: Final = 3
_LARGEST_MESSAGE: Final = 65_536
_MOST_DUPLICATES: Final = 0.01
_MOST_LISTED: Final = 20
_TIME: Final = frozenset({"time_missing", "bad_time", "too_old", "in_future"})
_SHAPE: Final = frozenset(
    {"malformed", "too_large", "unknown_topic", "empty", "bad_sequence"}
)
_NAMES: Final = frozenset(
    {"unknown_channel", "unknown_device", "retired_device", "not_hosted", "no_channels"}
)
_OTHERS: Final = frozenset({"conflict", "unknown_command", "no_birth", "over_budget"})


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. numbers: what was measured, by name."""

    key: str
    verdict: Verdict
    numbers: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the registry says of a device. period_ms, channels: of its type; none for a gateway that measures nothing."""

    device: str
    device_type: str | None = None
    period_ms: int | None = None
    channels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The watched messages of a device, apart by what they are, in the order they came."""

    device: str
    messages: Sequence[Told]
    receipts: Sequence[Told]

    @property
    def data(self) -> list[Told]:
        return [m for m in self.messages if m["decoded"]["as"] == "data"]

    @property
    def births(self) -> list[Told]:
        return [m for m in self.messages if m["decoded"]["as"] == "birth"]

    @property
    def numbered(self) -> list[tuple[int, int, int]]:
        """(epoch, seq, when it came)."""
        return [
            (m["decoded"]["epoch"] or 0, m["decoded"]["seq"], m["received"]["at_ms"])
            for m in self.data
            if m["decoded"]["seq"] is not None
        ]

    @property
    def reasons(self) -> Counter[str]:
        return Counter(one["reason"] for m in self.messages for one in m["refused"])


def judge(declared: Declared, reports: Iterable[Told]) -> list[Check]:
    """reports: as ingest tells them to watchers."""
    told = list(reports)
    seen = _Seen(
        declared.device,
        [one for one in told if one["kind"] == "message"],
        [one for one in told if one["kind"] == "receipt"],
    )
    return [check(declared, seen) for check in _CHECKS]


def _birth(_declared: Declared, seen: _Seen) -> Check:
    if not seen.births:
        return Check("birth", Verdict.NOT_SEEN)
    needed = ("epoch", "oldest_seq") if seen.numbered else ("epoch",)
    missing = sorted(
        {
            name
            for birth in seen.births
            for name in needed
            if birth["decoded"][name] is None
        }
    )
    numbers: dict[str, Number] = {"births": len(seen.births), "missing": missing}
    return _check("birth", missing, numbers)


def _sequence(_declared: Declared, seen: _Seen) -> Check:
    """Within what was seen: numbers rise by one, in each epoch."""
    if not seen.numbered:
        return Check("sequence", Verdict.NOT_SEEN)
    by_epoch: dict[int, set[int]] = {}
    for epoch, seq, _ in seen.numbered:
        by_epoch.setdefault(epoch, set()).add(seq)
    missing = sum(max(s) - min(s) + 1 - len(s) for s in by_epoch.values())
    newest = by_epoch[max(by_epoch)]
    numbers: dict[str, Number] = {
        "first": min(newest),
        "last": max(newest),
        "missing": missing,
    }
    return _check("sequence", missing, numbers)


def _epoch(_declared: Declared, seen: _Seen) -> Check:
    epochs = [epoch for epoch, _, _ in seen.numbered]
    if not epochs:
        return Check("epoch", Verdict.NOT_SEEN)
    falls = sum(later < before for before, later in pairwise(epochs))
    return _check("epoch", falls, {"epochs": len({*epochs}), "falls": falls})


def _receipts(_declared: Declared, seen: _Seen) -> Check:
    """A message that a receipt covers is not sent again."""
    if not seen.receipts or not seen.numbered:
        return Check("receipts", Verdict.NOT_SEEN, {"receipts": len(seen.receipts)})
    first: dict[tuple[int, int], int] = {}
    resent = covered = 0
    for epoch, seq, at_ms in seen.numbered:
        if (epoch, seq) in first:
            resent += 1
            covered += any(_covers(one, epoch, seq, at_ms) for one in seen.receipts)
        first.setdefault((epoch, seq), at_ms)
    numbers: dict[str, Number] = {
        "receipts": len(seen.receipts),
        "resent": resent,
        "resent_after_receipt": covered,
    }
    return _check("receipts", covered, numbers)


def _covers(receipt: Told, epoch: int, seq: int, before_ms: int) -> bool:
    body = receipt["receipt"]
    if receipt["at_ms"] >= before_ms or body["epoch"] != epoch:
        return False
    through = body.get("stored_through")
    return (through is not None and seq <= through) or any(
        first <= seq <= last for first, last in body.get("also", ())
    )


def _times(_declared: Declared, seen: _Seen) -> Check:
    refused = {r: n for r, n in seen.reasons.items() if r in _TIME}
    without = sum(m["checked"]["without_time"] for m in seen.data)
    if not seen.data:
        return Check("times", Verdict.NOT_SEEN)
    return _check("times", refused, {**refused, "without_time": without})


def _clock(_declared: Declared, seen: _Seen) -> Check:
    """How old an item is when it comes; what is still to happen tells of a clock that is ahead."""
    ages = sorted(age for m in seen.data for age in m["checked"]["age_ms"])
    if not ages:
        return Check("clock", Verdict.NOT_SEEN)
    ahead = max(0, -ages[0])
    unsynced = sum(m["checked"].get("unsynced", 0) for m in seen.data)
    numbers: dict[str, Number] = {
        "age_p50_ms": int(median(ages)),
        "age_p99_ms": _p99(ages),
        "ahead_ms": ahead,
        "unsynced": unsynced,
    }
    return _check("clock", ahead > _CLOCK_MS, numbers)


def _period(declared: Declared, seen: _Seen) -> Check:
    times = sorted(
        {
            m["received"]["at_ms"] - age
            for m in seen.data
            if declared.device in m["checked"]["channels"]
            for age in m["checked"]["age_ms"]
        }
    )
    steps = [later - before for before, later in pairwise(times)]
    if declared.period_ms is None or len(steps) < _FEWEST_PERIODS:
        return Check("period", Verdict.NOT_SEEN, {"declared_ms": declared.period_ms})
    found = int(median(steps))
    off = abs(found - declared.period_ms) / declared.period_ms
    return _check(
        "period",
        off > _PERIOD_SHARE,
        {"declared_ms": declared.period_ms, "seen_p50_ms": found},
    )


def _channels(declared: Declared, seen: _Seen) -> Check:
    sent = {
        name
        for m in seen.data
        for name in m["checked"]["channels"].get(declared.device, ())
    }
    strangers = sorted(
        {
            str(one["channel"] or one["device"])
            for m in seen.messages
            for one in m["refused"]
            if one["reason"] in _NAMES
        }
    )
    missing = sorted({*declared.channels} - sent) if sent else []
    if not sent and not strangers:
        return Check("channels", Verdict.NOT_SEEN)
    numbers: dict[str, Number] = {
        "declared": len(declared.channels),
        "sent": len(sent & {*declared.channels}),
        "missing": missing[:_MOST_LISTED],
        "unknown": strangers[:_MOST_LISTED],
    }
    return _check("channels", missing or strangers, numbers)


def _values(_declared: Declared, seen: _Seen) -> Check:
    if not seen.data:
        return Check("values", Verdict.NOT_SEEN)
    known = _TIME | _SHAPE | _NAMES | _OTHERS
    refused = {r: n for r, n in seen.reasons.items() if r not in known}
    return _check("values", refused, refused)


def _shape(_declared: Declared, seen: _Seen) -> Check:
    if not seen.messages:
        return Check("shape", Verdict.NOT_SEEN)
    refused = {r: n for r, n in seen.reasons.items() if r in _SHAPE}
    share = round(100 * sum(refused.values()) / len(seen.messages), 2)
    return _check("shape", refused, {**refused, "percent": share})


def _size(_declared: Declared, seen: _Seen) -> Check:
    sizes = sorted(m["received"]["bytes"] for m in seen.messages)
    if not sizes:
        return Check("size", Verdict.NOT_SEEN)
    numbers: dict[str, Number] = {
        "messages": len(sizes),
        "p50_bytes": int(median(sizes)),
        "largest_bytes": sizes[-1],
    }
    return _check("size", sizes[-1] > _LARGEST_MESSAGE, numbers)


def _duplicates(_declared: Declared, seen: _Seen) -> Check:
    fates: Counter[str] = Counter()
    for message in seen.data:
        done = message.get("committed", {})
        for fate in ("stored", "merged", "duplicate", "rejected"):
            fates[fate] += done.get(fate, 0)
    total = fates.total()
    if not total:
        return Check("duplicates", Verdict.NOT_SEEN)
    share = fates["duplicate"] / total
    numbers: dict[str, Number] = {**fates, "percent": round(100 * share, 2)}
    return _check("duplicates", share > _MOST_DUPLICATES, numbers)


def _qos(_declared: Declared, seen: _Seen) -> Check:
    if not seen.messages:
        return Check("qos", Verdict.NOT_SEEN)
    kinds = Counter(m["received"]["qos"] for m in seen.messages)
    return _check("qos", kinds[0], {"qos_0": kinds[0], "qos_1": kinds[1]})


def _latency(_declared: Declared, seen: _Seen) -> Check:
    """Ours: from the message's arrival to the commit."""
    took = sorted(
        m["committed"]["latency_ms"] for m in seen.messages if "committed" in m
    )
    if not took:
        return Check("latency", Verdict.NOT_SEEN)
    numbers: dict[str, Number] = {"p50_ms": int(median(took)), "p99_ms": _p99(took)}
    return Check("latency", Verdict.PASSED, numbers)


def _check(key: str, fault: object, numbers: Mapping[str, Number]) -> Check:
    return Check(key, Verdict.FAILED if fault else Verdict.PASSED, numbers)


def _p99(ordered: Sequence[int]) -> int:
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


_CHECKS: Final[tuple[Callable[[Declared, _Seen], Check], ...]] = (
    _birth,
    _sequence,
    _epoch,
    _receipts,
    _times,
    _clock,
    _period,
    _channels,
    _values,
    _shape,
    _size,
    _duplicates,
    _qos,
    _latency,
)
