"""What a rulebook looks at, against asking every rule about every place."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.core.alerting.matcher import parse_matcher
from services.core.alerting.rule import Rule, Selector
from services.rules.targets import OWN_LABELS, Places, TargetFinder
from tests.rule_stories import checked_rules, rule_document
from tests.unit.city.small_city import small_city

RULE = checked_rules(small_city(), low=rule_document())[0].rule
SELECTORS = [
    Selector(observed_property="level"),
    Selector(observed_property="level", districts=frozenset({"north"})),
    Selector(things=frozenset({"tank", "main"})),
    Selector(matchers=(parse_matcher('device=~"a.*"'), parse_matcher('kind!="x"'))),
    Selector(observed_property="flow", matchers=(parse_matcher('thing!~"tank|"'),)),
    Selector(),
]
LABELS = {
    "observed_property": ["level", "flow", ""],
    "district": ["north", "south"],
    "thing": ["tank", "main", ""],
    "device": ["a1", "b1", ""],
}
labels = st.fixed_dictionaries(
    {name: st.sampled_from(words) for name, words in LABELS.items()}
)


def rules(chosen: list[Selector]) -> list[Rule]:

    return [
        replace(RULE, key=f"rule-{number}", selector=selector)
        for number, selector in enumerate(chosen)
    ]


def grouped(finder: TargetFinder, places: list[Mapping[str, str]]) -> list[Places]:
    """As the database gives them: those of the same shared labels together; an empty label is none."""
    own = sorted(finder.names_of_datastreams)
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for number, place in enumerate(places):
        shared = {k: v for k, v in place.items() if k not in OWN_LABELS and v}
        groups.setdefault(tuple(shared.items()), []).append(number)
    return [
        _places(dict(shared), members, own, places)
        for shared, members in groups.items()
    ]


def _places(
    shared: Mapping[str, str],
    members: list[int],
    own: list[str],
    places: list[Mapping[str, str]],
) -> Places:
    numbers, periods = (
        np.array(members, np.int32),
        np.full(len(members), 1_000, np.int32),
    )
    named = {name: [places[member][name] or None for member in members] for name in own}
    return Places(shared, numbers, numbers, numbers, periods, named)


@given(
    chosen=st.lists(st.sampled_from(SELECTORS), max_size=4),
    places=st.lists(labels, max_size=12),
)
def test_each_rule_has_the_places_that_its_selector_fits(
    chosen: list[Selector], places: list[Mapping[str, str]]
) -> None:
    book = rules(chosen)
    finder = TargetFinder(book)
    for group in grouped(finder, places):
        finder.add_datastreams(group)
    targets = finder.targets()
    for index, rule in enumerate(book):
        wanted = [
            number
            for number, place in enumerate(places)
            if rule.selector.fits({k: v for k, v in place.items() if v})
        ]
        assert targets.source_id[targets.span(index)].tolist() == wanted
