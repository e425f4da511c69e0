"""The table of entity sets, units and paths: what must fit together."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.failures import BadQueryError, NotFoundError, NotOfferedError
from services.api.sensorthings.entities import ENTITY_SETS
from services.api.sensorthings.observation_question import take_apart
from services.api.sensorthings.options import read_options
from services.api.sensorthings.paths import read_path
from services.api.sensorthings.units import NAMES
from services.core.city.units import UNITS

PARTS = st.sampled_from(
    ['Things', 'Things(1)', 'Datastreams(2)', 'Datastreams', 'Observations(3)', 'name', '$value', '$ref', 'Thing', 'properties/key', 'x', '(1)', 'Things()', "''"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["1", "-1", "true", "name", "name desc", "id,name", "Datastreams($top=1)", "Datastreams/Thing", "name eq 'x'"]
)  # fmt: skip
OPTIONS = st.sampled_from(
    ["$top", "$skip", "$count", "$select", "$orderby", "$expand", "$filter", "lang", "x"]
)  # fmt: skip


def test_every_unit_has_a_name() -> None:
    assert set(NAMES) == set(UNITS)


def test_navigations_lead_to_sets_that_are_there_and_back() -> None:
    for entity_set in ENTITY_SETS.values():
        for link in entity_set.links:
            target = ENTITY_SETS[link.target]
            back = [one for one in target.links if one.target == entity_set.name]
            assert back, (entity_set.name, link.name)
            assert (link.own, link.theirs) in {(one.theirs, one.own) for one in back}
            assert link.name in {target.name, target.singular}


@given(st.lists(PARTS, min_size=1, max_size=6).map("/".join))
def test_any_path_is_read_or_refused(text: str) -> None:
    with suppress(BadQueryError, NotFoundError):
        path = read_path(text)
        assert path.hops[0].entity_set.name in ENTITY_SETS


@given(
    st.lists(st.tuples(OPTIONS, st.one_of(TEXTS, st.text(max_size=20))), max_size=4),
    st.sampled_from(sorted(ENTITY_SETS)),
    st.booleans(),
)
def test_any_options_are_read_or_refused(
    pairs: list[tuple[str, str]], name: str, many: bool
) -> None:
    with suppress(BadQueryError, NotOfferedError):
        options = read_options(ENTITY_SETS[name], pairs, many=many)
        take_apart(options.filter)
        assert 0 <= options.page <= 1000


@pytest.mark.parametrize("depth", [2, 4])
def test_expansions_nest(depth: int) -> None:
    way = "/".join(["Datastreams", "Thing", "Locations", "Things"][:depth])
    options = read_options(ENTITY_SETS["Things"], [("$expand", way)], many=True)
    for _ in range(depth):
        (expand,) = options.expands
        options = expand.options
    assert options.expands == ()
