"""PURE: what a refusal says to the device's maker: one sentence of bounded length."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from services.core.city.catalogue import Kind
from services.core.city.near import near
from services.core.clock import from_milliseconds
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile

_LONGEST_VALUE: Final = 80
_LONGEST_INTEGER: Final = 64  # bits
_LONGEST_LIST: Final = 160
# What a datetime can be: from the year 1 to before the year 10000.
_FIRST_TIME_MS: Final = -62_135_596_800_000
_LARGEST_TIME_MS: Final = 1 << 47
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))


def spell(value: object) -> str:
    """Python refuses to write out integers of thousands of digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        return "an integer beyond 2^64"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def unknown_channel(device: str, profile: Profile, channel: str) -> str:
    names = tuple(profile.channels)
    return f"{device} has no channel {spell(channel)}; its type {profile.key} has {_offer(channel, names, names)}"


def refused_value(profile: Profile, channel: str, reason: Reason, value: object) -> str:
    """Why a known channel, or another name of one, does not take a value."""
    slot = {**profile.aliases, **profile.channels}[channel]
    kind = profile.kinds[slot]
    if reason is Reason.NOT_FINITE:
        return f"{channel} is no finite number up to ±2^53; send null where there is no value"
    if reason is Reason.RANGE:
        return f"{channel} is {spell(value)}, and bits are the sum of the weights of what is on"
    if kind is Kind.STATE:
        codes = profile.codes[slot] or {}
        numbered = tuple(f"{key} ({number})" for key, number in codes.items())
        word = value if isinstance(value, str) else ""
        return f"{channel} is {spell(value)}, and takes {_offer(word, tuple(codes), numbered)}"
    wanted = "a whole number" if kind is Kind.BITS else "a number"
    return f"{channel} is {spell(value)}, and takes {wanted}"


def outside_hard_range(
    profile: Profile, channel: str, sent: float, result: float
) -> str:
    slot = profile.channels[channel]
    low, high = profile.hard_min[slot], profile.hard_max[slot]
    converted = "" if sent == result else f", {result:g} in the platform's unit"
    return f"{channel} is {sent:g}{converted}, not in {low:g} to {high:g}: check sensor, unit and scale"


def too_old(time_ms: int, profile: Profile) -> str:
    limit = _duration(profile.max_age_ms)
    return f"the time {_moment(time_ms)} is more than {limit} ago; the operator can raise max_age and have it read again"


def in_future(time_ms: int, profile: Profile) -> str:
    limit = _duration(profile.max_ahead_ms)
    return f"the time {_moment(time_ms)} is more than {limit} ahead of ours; set the device's clock"


@lru_cache(maxsize=1024)
def _offer(word: str, known: tuple[str, ...], shown: tuple[str, ...]) -> str:
    """A misconfigured device says the same wrong word with every message; to look for near ones is dear."""
    suggested = near(word, known) if 0 < len(word) <= _LONGEST_VALUE else ""
    return f"{_listed(shown)}{suggested}"


def _listed(names: Iterable[str]) -> str:
    shown: list[str] = []
    for name in names:
        if sum(len(one) + 2 for one in shown) + len(name) > _LONGEST_LIST:
            return ", ".join([*shown, "…"])
        shown.append(name)
    return ", ".join(shown)


def _moment(time_ms: int) -> str:
    if not _FIRST_TIME_MS <= time_ms < _LARGEST_TIME_MS:
        return spell(time_ms)
    return from_milliseconds(time_ms).isoformat(timespec="milliseconds")


def _duration(milliseconds: int) -> str:
    for unit, size in _UNITS:
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"
