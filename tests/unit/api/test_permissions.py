"""may(): roles, scopes, and that lists ask the database the same question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.auth.permissions import (
    WHOLE_CITY,
    Action,
    Actor,
    Place,
    Role,
    Verdict,
    may,
    scope_of,
)

words = st.sampled_from(["water", "power", "gate"])
scopes = st.none() | st.frozensets(words)
actors = st.builds(
    Actor, st.just(1), st.just("dana"), st.sampled_from(Role), scopes, scopes
)
places = st.builds(Place, st.none() | words, st.none() | words, st.booleans())


@pytest.mark.parametrize(
    ("role", "action", "verdict"),
    [
        (Role.VIEWER, Action.READ, Verdict.ALLOWED),
        (Role.VIEWER, Action.ACKNOWLEDGE, Verdict.ROLE_TOO_LOW),
        (Role.VIEWER, Action.READ_HOUSEHOLD, Verdict.ROLE_TOO_LOW),
        (Role.OPERATOR, Action.ACKNOWLEDGE, Verdict.ALLOWED),
        (Role.OPERATOR, Action.READ_PAYLOAD, Verdict.ROLE_TOO_LOW),
        (Role.ENGINEER, Action.READ_PAYLOAD, Verdict.ALLOWED),
    ],
)
def test_each_role_may_what_it_needs(
    role: Role, action: Action, verdict: Verdict
) -> None:
    assert may(Actor(1, "dana", role), action) is verdict


@given(actors, st.sampled_from(Action), places)
def test_a_higher_role_may_all_that_a_lower_one_may(
    actor: Actor, action: Action, place: Place
) -> None:
    higher = [role for role in Role if role.rank >= actor.role.rank]
    if may(actor, action, place):
        for role in higher:
            assert may(
                Actor(1, "x", role, actor.domains, actor.districts), action, place
            )


def test_outside_its_domains_and_districts_an_actor_may_nothing() -> None:
    actor = Actor(1, "dana", Role.ADMIN, frozenset({"water"}), frozenset({"gate"}))
    assert may(actor, Action.READ, Place("water", "gate"))
    for place in (
        Place("power", "gate"),
        Place("water", "golden"),
        Place("water", None),
        WHOLE_CITY,
    ):
        assert may(actor, Action.READ, place) is Verdict.OUTSIDE_SCOPE


def test_the_whole_city_is_for_who_is_not_limited() -> None:
    assert may(Actor(1, "dana", Role.VIEWER), Action.READ_LEDGER, WHOLE_CITY)


@given(actors, places)
def test_a_scope_lets_through_just_the_places_that_may_does(
    actor: Actor, place: Place
) -> None:
    """As the stores' SQL reads it: NULL is all, a NULL column is in no list."""
    scope = scope_of(actor)
    inside = (
        (scope.domains is None or place.domain in scope.domains)
        and (scope.districts is None or place.district in scope.districts)
        and (scope.household or not place.household)
    )
    assert inside == bool(may(actor, Action.READ, place))
