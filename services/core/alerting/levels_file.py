"""PURE: the levels of a rule file: conditions in the property's canonical unit, checked against its catalogue entry."""

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.core.alerting.alert import Severity
from services.core.alerting.duration import parse_duration
from services.core.alerting.rule import (
    AnyBit,
    InCodes,
    Length,
    Level,
    Operator,
    ReadingCondition,
    RuleKind,
    SilentFor,
    Threshold,
)
from services.core.city.catalogue import Kind, ObservedProperty, Span
from services.core.city.fields import Fields, Notes, duration
from services.core.city.near import near
from services.core.city.quality import Quality
from services.core.city.units import Conversion, conversion

Condition = ReadingCondition | SilentFor
ConditionReader = Callable[[Fields], Condition | None]

_PERIODS: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) periods?", re.ASCII)
_AS_IS: Final = Conversion(1.0, 0.0)


def read_length(fields: Fields, field: str) -> Length | None:
    """30s, 15min, 2h, PT30S, or 3 periods; None where it is absent or wrong (noted)."""
    text = fields.optional_text(field)
    if text is None:
        return None
    if found := _PERIODS.fullmatch(text):
        return Length(periods=float(found[1]))
    try:
        length = parse_duration(text) if text.startswith("P") else duration(text)
    except ValueError as error:
        fields.wrong(f"{error}, nor a number of periods (3 periods)", field)
        return None
    return Length(milliseconds=round(length.total_seconds() * 1000))


def read_milliseconds(fields: Fields, field: str, default: int = 0) -> int:
    """A length that is the same for every device."""
    length = read_length(fields, field)
    if length is not None and length.periods:
        fields.wrong("cannot be counted in periods", field)
    return default if length is None else length.milliseconds


def read_levels(
    fields: Fields,
    kind: RuleKind,
    observed: ObservedProperty | None,
    accept: Quality,
    notes: Notes,
) -> tuple[Level, ...]:
    """The levels by rising severity, of `levels` and what they share: operator, unit, hold_for."""
    read_condition = _condition_reader(fields, kind, observed, accept)
    hold_for_ms = read_milliseconds(fields, "hold_for")
    raw = fields.take("levels")
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not raw:
        fields.wrong("needs a list of levels, at least one", "levels")
        return ()
    levels = []
    for place, entry in enumerate(raw, 1):
        level = Fields(entry, f"{fields.name}: level {place}", notes)
        read = _read_level(level, read_condition, hold_for_ms)
        levels += [read] if read else []
    levels.sort(key=lambda level: level.severity.rank)
    _check_order(fields, levels)
    return tuple(levels)


def _read_level(
    level: Fields, read_condition: ConditionReader, hold_for_ms: int
) -> Level | None:
    severity, condition = level.choice("severity", Severity), read_condition(level)
    own_hold_ms = read_milliseconds(level, "hold_for", hold_for_ms)
    if isinstance(condition, SilentFor) and own_hold_ms:
        level.wrong("a dead-man rule has silent_for instead", "hold_for")
    return level.build(
        lambda: Level(severity, condition, own_hold_ms) if condition else None
    )


def _check_order(fields: Fields, levels: Sequence[Level]) -> None:
    """A worse severity has to be harder to reach, or it hides the milder one."""
    for milder, worse in itertools.pairwise(levels):
        if milder.severity is worse.severity:
            fields.wrong(f"two levels are {worse.severity}", "levels")
        match milder.condition, worse.condition:
            case Threshold() as low, Threshold() as high:
                further = high.value > low.value
                if high.value == low.value or further != low.operator.upward:
                    fields.wrong(
                        f"{worse.severity} is not beyond {milder.severity}", "levels"
                    )
            case InCodes() as low, InCodes() as high if low.values & high.values:
                fields.wrong(
                    f"{worse.severity} and {milder.severity} share a code", "levels"
                )
            case AnyBit() as low, AnyBit() as high if low.mask & high.mask:
                fields.wrong(
                    f"{worse.severity} and {milder.severity} share a code", "levels"
                )


def _condition_reader(
    fields: Fields, kind: RuleKind, observed: ObservedProperty | None, accept: Quality
) -> ConditionReader:
    match kind:
        case RuleKind.DEAD_MAN:
            return _read_silent_for
        case RuleKind.STATE:
            return lambda level: _read_codes(level, observed)
        case RuleKind.THRESHOLD:
            operator = fields.choice("operator", Operator)
            to_canonical = _conversion(fields, observed)
            reach = _reach(observed, accept)
            return lambda level: _read_threshold(level, operator, to_canonical, reach)


def _read_silent_for(level: Fields) -> SilentFor | None:
    if not level.has("silent_for"):
        level.take("silent_for")
    length = read_length(level, "silent_for")
    if length is not None and not length.milliseconds and not length.periods:
        level.wrong("must be more than nothing", "silent_for")
    return None if length is None else SilentFor(length)


def _read_codes(level: Fields, observed: ObservedProperty | None) -> Condition | None:
    words = list(level.texts("codes"))
    abnormal = level.flag("abnormal", default=False)
    if bool(words) == abnormal:
        level.wrong("needs either codes or abnormal: true")
    if observed is None:
        return None
    values = {code.key: code.value for code in observed.codes}
    for word in (word for word in words if word not in values):
        level.wrong(
            f"{word!r} is not a code of {observed.key}{near(word, values)}", "codes"
        )
    if abnormal:
        words = [code.key for code in observed.codes if code.abnormal]
        if not words:
            level.wrong(f"{observed.key} has no abnormal code", "abnormal")
    return _in_codes(observed.kind, [values[word] for word in words if word in values])


def _in_codes(kind: Kind, values: Sequence[int]) -> Condition:
    if kind is Kind.STATE:
        return InCodes(frozenset(values))
    mask = 0
    for weight in values:
        mask |= weight
    return AnyBit(mask)


def _read_threshold(
    level: Fields,
    operator: Operator,
    to_canonical: Conversion,
    reach: Mapping[str, Span],
) -> Threshold | None:
    value = _number(level, "value")
    clear = _number(level, "clear") if level.has("clear") else value
    level.take("clear", None)
    if value is None or clear is None:
        return None
    canonical, canonical_clear = map(to_canonical.convert, (value, clear))
    for consequence, span in reach.items():
        bound = span.maximum if operator.upward else span.minimum
        if bound is not None and not Threshold(
            operator, canonical, canonical
        ).is_raised(bound):
            level.wrong(
                f"can never be true: a reading beyond {bound:g} {consequence}", "value"
            )
    try:
        return Threshold(operator, canonical, canonical_clear)
    except ValueError as error:
        level.wrong(str(error), "clear")
        return None


def _number(fields: Fields, field: str) -> float | None:
    raw = fields.take(field)
    if (
        isinstance(raw, int | float)
        and not isinstance(raw, bool)
        and math.isfinite(raw)
    ):
        return float(raw)
    if raw is not None:
        fields.wrong(f"needs a number, is {raw!r}", field)
    return None


def _conversion(fields: Fields, observed: ObservedProperty | None) -> Conversion:
    unit = fields.optional_text("unit")
    if unit is None or observed is None:
        return _AS_IS
    try:
        return conversion(unit, observed.unit)
    except ValueError as error:
        fields.wrong(str(error), "unit")
        return _AS_IS


def _reach(observed: ObservedProperty | None, accept: Quality) -> dict[str, Span]:
    """The ranges in which a reading of the property is evaluated, by what becomes of one outside."""
    if observed is None:
        return {}
    reach = {"is refused": observed.hard}
    if accept < Quality.SUSPECT:
        reach["is flagged suspect (say `accept: suspect`)"] = observed.plausible
    return reach
