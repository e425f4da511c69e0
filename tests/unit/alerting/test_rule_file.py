"""Rule files: what they become, and that every problem is named with its place."""

from typing import Any

import pytest

from services.core.alerting.alert import Severity
from services.core.alerting.rule import (
    AnyBit,
    InCodes,
    Length,
    Rule,
    SilentFor,
    Threshold,
)
from services.core.alerting.rule_file import RuleReading, Vocabulary, read_rules
from services.core.city.entities import City
from services.core.city.quality import Quality
from tests.rule_stories import rule_document, silence_document
from tests.unit.city.small_city import small_city

_NAME = {"kk": "К", "ru": "Р", "en": "E"}


def with_pump_codes(file: dict[str, Any]) -> None:
    codes = file["catalogue"]["pump"]["codes"]
    codes.append({"value": 3, "key": "tripped", "name": _NAME, "abnormal": True})
    file["catalogue"]["alarms"] = {
        "domain": "water", "kind": "bits", "unit": "1", "name": _NAME,
        "codes": [{"value": 1, "key": "door", "name": _NAME},
                  {"value": 4, "key": "flood", "name": _NAME, "abnormal": True}],
    }  # fmt: skip


CITY: City = small_city(with_pump_codes)


def read(**documents: Any) -> RuleReading:
    return read_rules([{"rules": documents}], Vocabulary.of_city(CITY))


def rule(**changes: Any) -> Rule:
    reading = read(it=rule_document(**changes))
    assert reading.problems == ()
    return reading.rules[0].rule


def problems(**changes: Any) -> str:
    reading = read(it=rule_document(**changes))
    assert reading.rules == ()
    return "\n".join(reading.problems)


class TestWhatARuleBecomes:
    def test_levels_rise_whatever_their_order(self) -> None:
        made = rule(levels=list(reversed(rule_document()["levels"])))
        assert [level.severity for level in made.levels] == [
            Severity.MEDIUM,
            Severity.CRITICAL,
        ]

    def test_a_level_has_its_own_hold_or_the_rules(self) -> None:
        levels = rule_document()["levels"]
        levels[1]["hold_for"] = "PT1M"
        assert [level.hold_for_ms for level in rule(levels=levels).levels] == [
            10_000,
            60_000,
        ]

    def test_a_threshold_in_another_unit_is_converted(self) -> None:
        made = rule(
            target={"observed_property": "flow"},
            operator=">",
            unit="L/s",
            levels=[{"severity": "high", "value": 100, "clear": 90}],
        )
        condition = made.levels[0].condition
        assert isinstance(condition, Threshold)
        assert (condition.value, condition.clear) == pytest.approx((360, 324))

    def test_without_a_clear_value_there_is_no_hysteresis(self) -> None:
        condition = rule(levels=[{"severity": "low", "value": 3}]).levels[0].condition
        assert isinstance(condition, Threshold)
        assert condition.clear == condition.value == 3

    def test_codes_of_a_state(self) -> None:
        assert state_condition("pump", codes=["stopped", "running"]) == InCodes(
            frozenset({0, 1})
        )
        assert state_condition("pump", abnormal=True) == InCodes(frozenset({3}))

    def test_codes_of_bits_are_a_mask(self) -> None:
        assert state_condition("alarms", codes=["door", "flood"]) == AnyBit(5)
        assert state_condition("alarms", abnormal=True) == AnyBit(4)

    def test_a_silence_in_periods_follows_the_device(self) -> None:
        reading = read(it=silence_document())
        condition = reading.rules[0].rule.levels[0].condition
        assert condition == SilentFor(Length(periods=3.0))
        assert isinstance(condition, SilentFor)
        assert condition.length.of(5_000) == 15_000

    def test_evidence_has_sensible_bounds(self) -> None:
        usual = rule().evidence
        assert usual.accept is Quality.UNKNOWN
        assert [usual.valid_for_ms(period) for period in (1_000, 10_000)] == [
            5_000,
            25_000,
        ]
        assert [usual.max_age_ms(period) for period in (1_000, 900_000)] == [
            300_000,
            2_700_000,
        ]
        own = rule(accept="suspect", valid_for="2 periods", max_age="26h").evidence
        assert own.valid_for_ms(60_000) == 120_000
        assert own.max_age_ms(60_000) == 26 * 3_600_000


def state_condition(prop: str, **level: Any) -> Any:
    document = rule_document(
        kind="state",
        target={"observed_property": prop},
        levels=[{"severity": "high", **level}],
    )
    del document["operator"]
    reading = read(it=document)
    assert reading.problems == ()
    return reading.rules[0].rule.levels[0].condition


class TestProblems:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"target": {"observed_property": "levle"}}, "it: target: observed_property: 'levle' is not in the catalogue; did you mean 'level'?"),
            ({"target": {"observed_property": "level", "thing_kinds": ["resevoir"]}}, "it: target: thing_kinds: 'resevoir' is not there; did you mean 'reservoir'?"),
            ({"target": {"observed_property": "level", "districts": ["south"]}}, "it: target: districts: 'south' is not there"),
            ({"target": {"observed_property": "level", "domains": ["gas"]}}, "level belongs to water"),
            ({"target": {"observed_property": "level", "match": ['thign="x"']}}, "'thign' is not a label; did you mean 'thing'?"),
            ({"target": {"observed_property": "level", "match": ["thing"]}}, "match: 'thing' is not like"),
            ({"target": {"observed_property": "pump"}}, "pump is a state: not for a threshold rule"),
            ({"severty": "high"}, "severty: is not a field here"),
            ({"unit": "bar"}, "it: unit: bar is a pressure, m a length"),
            ({"class": "procces"}, "it: class: 'procces' is not one of process, equipment, platform"),
            ({"operator": "=>"}, "it: operator: '=>' is not one of"),
            ({"hold_for": "10 seconds"}, "it: hold_for: '10 seconds' is not a duration"),
            ({"hold_for": "3 periods"}, "hold_for: cannot be counted in periods"),
            ({"accept": "anything"}, "'anything' is not one of good, unknown, suspect"),
            ({"cause": {"kk": "К", "ru": "Р"}}, "it: cause: needs exactly kk, ru, en"),
            ({"respond_within": None}, "it: respond_within: is missing"),
            ({"levels": []}, "levels: needs a list of levels"),
            ({"levels": [{"severity": "high", "value": "low"}]}, "it: level 1: value: needs a number, is 'low'"),
            ({"levels": [{"severity": "high", "value": float("nan")}]}, "value: needs a number"),
            ({"levels": [{"severity": "high", "value": 2, "clear": 1}]}, "level 1: clear: clear 1 lies on the wrong side of < 2"),
            ({"levels": [{"severity": "low", "value": 2}, {"severity": "high", "value": 3}]}, "high is not beyond low"),
            ({"levels": [{"severity": "low", "value": 2}, {"severity": "low", "value": 1.5}]}, "two levels are low"),
            ({"levels": [{"severity": "high", "value": -1}]}, "can never be true: a reading beyond 0 is refused"),
            ({"levels": [{"severity": "high", "value": 0.5}]}, "a reading beyond 1 is flagged suspect (say `accept: suspect`)"),
            ({"kind": "dead_man"}, "it: of: is missing"),
        ],
    )  # fmt: skip
    def test_each_is_told_with_its_place(
        self, changes: dict[str, Any], told: str
    ) -> None:
        assert told in problems(**changes)

    def test_all_are_told_at_once(self) -> None:
        told = problems(operator="~", accept="x", target={"observed_property": "no"})
        assert len(told.splitlines()) >= 3

    def test_a_sound_rule_beside_a_wrong_one_is_kept(self) -> None:
        reading = read(good=rule_document(), bad=rule_document(kind="magic"))
        assert [checked.rule.key for checked in reading.rules] == ["good"]
        assert reading.problems

    def test_a_rule_in_two_files_is_there_twice(self) -> None:
        files = [{"rules": {"it": rule_document()}}] * 2
        told = read_rules(files, Vocabulary.of_city(CITY)).problems
        assert told == ("it: is there twice",)

    def test_a_word_that_is_no_code(self) -> None:
        document = rule_document(
            kind="state",
            target={"observed_property": "pump"},
            levels=[{"severity": "high", "codes": ["triped"]}],
        )
        del document["operator"]
        assert read(it=document).problems == (
            "it: level 1: codes: 'triped' is not a code of pump; did you mean 'tripped'?",
        )

    def test_rules_of_no_shape_at_all(self) -> None:
        shapes: list[Any] = [
            None, [], "x", 3, {"kind": []}, {"target": 7, "levels": {"a": 1}},
        ]  # fmt: skip
        for raw in shapes:
            reading = read(it=raw)
            assert reading.rules == ()
            assert reading.problems
