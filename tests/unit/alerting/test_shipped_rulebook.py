"""The rulebook that ships fits the city that ships, in all three languages."""

from pathlib import Path

import pytest

from services.core.alerting.rule_file import CheckedRule, Vocabulary
from services.core.alerting.selection import count_targets
from services.core.city.catalogue import Domain
from services.core.city.entities import City
from services.core.city_folder import load_city
from services.core.rule_folder import load_rules

SHIPPED = Path(__file__).parents[3] / "deploy" / "city"
CYRILLIC_KAZAKH = set("әғқңөұүһі")


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(SHIPPED / "alatau.yaml")


@pytest.fixture(scope="module")
def rules(city: City) -> tuple[CheckedRule, ...]:
    return load_rules([SHIPPED / "rules"], Vocabulary.of_city(city))


def test_every_rule_looks_at_something(
    city: City, rules: tuple[CheckedRule, ...]
) -> None:
    counts = count_targets(city, [checked.rule for checked in rules])
    assert [key for key, count in counts.items() if not count] == []


def test_every_domain_has_rules(city: City, rules: tuple[CheckedRule, ...]) -> None:
    properties = {checked.rule.selector.observed_property for checked in rules}
    domains = {city.catalogue[key].domain for key in properties if key}
    assert domains == set(Domain)
    assert len(rules) >= 12


def test_texts_are_written_in_their_languages(rules: tuple[CheckedRule, ...]) -> None:
    for checked in rules:
        notes = checked.rule.annotations
        for text in (notes.cause, notes.consequence, notes.action):
            assert len({text.kk, text.ru, text.en}) == 3, checked.rule.key
            assert CYRILLIC_KAZAKH & set(text.kk.lower()), text.kk
            assert not CYRILLIC_KAZAKH & set(text.ru.lower()), text.ru
            assert text.en.isascii() or "−" in text.en, text.en
        assert notes.respond_within.total_seconds() > 0


def test_every_condition_clears_with_a_margin_of_its_own(
    rules: tuple[CheckedRule, ...],
) -> None:
    """Without one, a value that hovers at its threshold would ring all day."""
    for checked in rules:
        for level in checked.rule.levels:
            bounds = [
                getattr(level.condition, name, None) for name in ("value", "clear")
            ]
            assert bounds == [None, None] or bounds[0] != bounds[1], checked.rule.key
