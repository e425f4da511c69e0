"""PURE: THE MAP of reading rules: parsed YAML in, checked rules or every problem with its place out (docs/rules.md)."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.alerting.alert import AlertClass, Annotations
from services.core.alerting.levels_file import (
    read_length,
    read_levels,
    read_milliseconds,
)
from services.core.alerting.matcher import Matcher, parse_matcher
from services.core.alerting.rule import (
    LABELS,
    DeadMan,
    Evidence,
    Length,
    Rule,
    RuleKind,
    Selector,
    Source,
)
from services.core.city.catalogue import Domain, Kind, ObservedProperty
from services.core.city.entities import City
from services.core.city.fields import Fields, Notes
from services.core.city.ids import KEY
from services.core.city.near import near
from services.core.city.quality import Quality

Parsed = Mapping[str, Any]

_KINDS: Final = {
    RuleKind.THRESHOLD: (Kind.MEASUREMENT, Kind.COUNTER),
    RuleKind.STATE: (Kind.STATE, Kind.BITS),
}
_ACCEPTED: Final = {
    "good": Quality.GOOD,
    "unknown": Quality.UNKNOWN,
    "suspect": Quality.SUSPECT,
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that rules may use: a city's. names: by label."""

    catalogue: Mapping[str, ObservedProperty]
    names: Mapping[str, frozenset[str]]

    @classmethod
    def of_city(cls, city: City) -> "Vocabulary":
        channels = (
            channel.name
            for device_type in city.device_types.values()
            for channel in device_type.channels
        )
        return cls(
            city.catalogue,
            {
                "district": frozenset(city.districts),
                "device_type": frozenset(city.device_types),
                "thing": frozenset(city.things),
                "thing_kind": frozenset(thing.kind for thing in city.things.values()),
                "channel": frozenset(channels),
            },
        )


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """document: as the YAML says it; what is stored. enabled: whether it is evaluated."""

    rule: Rule
    document: Parsed
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RuleReading:
    """rules: those without a problem. Each problem names its place."""

    rules: tuple[CheckedRule, ...]
    problems: tuple[str, ...]


def read_rules(files: Sequence[Parsed], vocabulary: Vocabulary) -> RuleReading:
    """The rules of parsed files, each a mapping with `rules`, by key."""
    notes = Notes()
    rules: dict[str, CheckedRule | None] = {}
    for parsed in files:
        document = Fields(parsed, "", notes)
        for key, raw in document.mapping("rules").items():
            if key in rules:
                Fields(raw, str(key), notes).wrong("is there twice")
            rules[key] = read_rule(str(key), raw, vocabulary, notes)
        document.build(tuple)
    return RuleReading(
        tuple(rule for rule in rules.values() if rule), tuple(notes.problems)
    )


def read_rule(
    key: str, raw: object, vocabulary: Vocabulary, notes: Notes
) -> CheckedRule | None:
    """One rule of its mapping; None where it has a problem, which is noted."""
    fields = Fields(raw, key, notes)
    if not KEY.match(key):
        fields.wrong("is not a key (a-z, 0-9, _ . -)")
    name, kind = fields.names("name"), fields.choice("kind", RuleKind)
    alert_class = fields.choice("class", AlertClass)
    enabled = fields.flag("enabled", default=True)
    observed, selector = _read_target(fields, kind, vocabulary, notes)
    evidence = _read_evidence(fields)
    levels = read_levels(fields, kind, observed, evidence.accept, notes)
    clear_for_ms = read_milliseconds(fields, "clear_for")
    dead_man = _read_dead_man(fields) if kind is RuleKind.DEAD_MAN else None
    annotations = _read_annotations(fields)
    rule = fields.build(
        lambda: Rule(
            key=key,
            name=name,
            kind=kind,
            alert_class=alert_class,
            selector=selector,
            levels=levels,
            annotations=annotations,
            clear_for_ms=clear_for_ms,
            evidence=evidence,
            dead_man=dead_man,
        )
    )
    return (
        CheckedRule(rule, dict(raw), enabled)
        if rule and isinstance(raw, Mapping)
        else None
    )


def _read_target(
    fields: Fields, kind: RuleKind, vocabulary: Vocabulary, notes: Notes
) -> tuple[ObservedProperty | None, Selector]:
    target = Fields(fields.take("target", {}), f"{fields.name}: target", notes)
    observed = _read_property(target, kind, vocabulary)
    named = {
        field: _read_names(target, field, vocabulary.names.get(label, frozenset()))
        for field, label in (
            ("channels", "channel"),
            ("device_types", "device_type"),
            ("thing_kinds", "thing_kind"),
            ("districts", "district"),
            ("things", "thing"),
        )
    }
    domains = _read_names(target, "domains", frozenset(Domain))
    if observed and domains and observed.domain not in domains:
        target.wrong(f"{observed.key} belongs to {observed.domain}", "domains")
    matchers = tuple(_read_matchers(target))
    target.build(tuple)
    return observed, Selector(
        observed_property=observed.key if observed else None,
        domains=domains,
        matchers=matchers,
        **named,
    )


def _read_property(
    target: Fields, kind: RuleKind, vocabulary: Vocabulary
) -> ObservedProperty | None:
    if kind is RuleKind.DEAD_MAN and not target.has("observed_property"):
        target.take("observed_property", None)
        return None
    key = target.text("observed_property")
    observed = vocabulary.catalogue.get(key)
    if key and observed is None:
        target.wrong(
            f"{key!r} is not in the catalogue{near(key, vocabulary.catalogue)}",
            "observed_property",
        )
    if observed and observed.kind not in _KINDS.get(kind, tuple(Kind)):
        target.wrong(
            f"{key} is a {observed.kind}: not for a {kind} rule", "observed_property"
        )
        return None
    return observed


def _read_names(target: Fields, field: str, known: frozenset[str]) -> frozenset[str]:
    names = frozenset(target.texts(field))
    for name in sorted(names - known):
        target.wrong(f"{name!r} is not there{near(name, known)}", field)
    return names


def _read_matchers(target: Fields) -> Iterable[Matcher]:
    for text in target.texts("match"):
        try:
            matcher = parse_matcher(text)
        except ValueError as error:
            target.wrong(str(error), "match")
            continue
        if matcher.label not in LABELS:
            target.wrong(
                f"{matcher.label!r} is not a label{near(matcher.label, LABELS)}",
                "match",
            )
        yield matcher


def _read_evidence(fields: Fields) -> Evidence:
    usual = Evidence()
    accept = fields.text("accept", "unknown")
    if accept not in _ACCEPTED:
        fields.wrong(f"{accept!r} is not one of {', '.join(_ACCEPTED)}", "accept")
    return Evidence(
        accept=_ACCEPTED.get(accept, usual.accept),
        valid_for=_positive(fields, "valid_for") or usual.valid_for,
        max_age=_positive(fields, "max_age"),
    )


def _positive(fields: Fields, field: str) -> Length | None:
    length = read_length(fields, field)
    if length == Length():
        fields.wrong("must be more than nothing", field)
    return length


def _read_dead_man(fields: Fields) -> DeadMan:
    after_death = read_length(fields, "after_death")
    if after_death is not None and after_death.periods:
        fields.wrong("cannot be counted in periods", "after_death")
    return DeadMan(
        source=fields.choice("of", Source),
        after_death_ms=after_death.milliseconds if after_death else None,
        only_after_death=fields.flag("only_after_death", default=False),
        never_heard=fields.flag("never_heard", default=False),
    )


def _read_annotations(fields: Fields) -> Annotations:
    cause, consequence, action = (
        fields.names(field) for field in ("cause", "consequence", "action")
    )
    if not fields.has("respond_within"):
        fields.take("respond_within")
    respond_within_ms = read_milliseconds(fields, "respond_within")
    return Annotations(
        cause, consequence, action, dt.timedelta(milliseconds=respond_within_ms)
    )
