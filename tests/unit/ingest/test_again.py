"""What a replay makes of the entries of a message: each is mended, refused again, or left as it was settled."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.ingest.again import Entry, Replayed, has_its_own_times, settle
from services.ingest.messages import Message, Reading, Received, Unusable
from services.ingest.resolve import Refused, Scope

CHANNELS = st.sampled_from(["a", "b", "c"])
INDICES = st.integers(0, 3)
RECEIVED = Received(Publication("t", b"", 0, 1, 1), "p", "data", Message([]))


def refusal(scope: Scope, index: int | None, channel: str | None = None) -> Refused:
    return Refused(0, scope, Reason.RANGE, "no", RECEIVED, index, None, channel)


def entry(number: int, scope: str, index: int | None, channel: str | None) -> Entry:
    return Entry(number, scope, index, channel)


REFUSALS = st.lists(
    st.one_of(
        st.builds(refusal, st.just("value"), INDICES, CHANNELS),
        st.builds(refusal, st.just("item"), INDICES),
    ),
    max_size=8,
)
PLACES = st.lists(
    st.tuples(st.sampled_from(["value", "item"]), INDICES, CHANNELS, st.booleans()),
    max_size=8,
)


@given(PLACES, REFUSALS)
def test_every_open_entry_has_one_fate_and_every_refusal_a_place(
    places: list[tuple[str, int, str, bool]], refused: list[Refused]
) -> None:
    entries = [
        Entry(number, scope, index, channel if scope == "value" else None, is_open)
        for number, (scope, index, channel, is_open) in enumerate(places)
    ]
    settlement = settle(entries, refused)
    told = [rejected_id for rejected_id, _ in settlement.again]
    opened = [entry.rejected_id for entry in entries if entry.is_open]
    assert sorted([*settlement.mended, *told]) == opened
    stands_for_one = {id(refusal) for refusal in refused} - {
        id(refusal) for refusal in settlement.new
    }
    assert all(id(refusal) in stands_for_one for _, refusal in settlement.again)


def test_an_item_that_is_stored_now_but_for_a_value_is_mended_and_the_value_is_new() -> (
    None
):
    settlement = settle([entry(1, "item", 0, None)], [refusal("value", 0, "a")])
    assert settlement.mended == [1]
    assert [one.channel for one in settlement.new] == ["a"]


def test_a_whole_message_stands_for_all_in_it() -> None:
    entries = [entry(1, "item", 0, None), entry(2, "value", 1, "a")]
    settlement = settle(entries, [refusal("message", None)])
    assert (settlement.mended, len(settlement.again)) == ([], 2)


def received(*times: int | None) -> Received:
    """With an item of each of these times."""
    items = [Reading(values={"a": 1.0}, time=time) for time in times]
    return Received(RECEIVED.publication, "p", "data", Message(items))


VALUE, ITEM = entry(1, "value", 0, "a"), entry(2, "item", 0, None)


@pytest.mark.parametrize(
    ("message", "entries", "own"),
    [
        (received(5), [VALUE], True),
        (received(None), [VALUE], False),
        (received(None), [ITEM], True),
        (received(None), [ITEM, VALUE], True),  # stored by a replay, but for the value
        (received(None, None), [ITEM], False),
        (received(None, 5), [ITEM], True),
        (received(None, None), [ITEM, entry(3, "item", 1, None)], True),
        (received(None, None), [entry(4, "message", None, None)], True),
    ],
)
def test_a_stored_item_whose_time_was_ours_cannot_be_read_again(
    message: Received, entries: list[Entry], own: bool
) -> None:
    assert has_its_own_times(message, entries) is own


def test_what_cannot_be_read_has_no_items() -> None:
    why = Unusable(Reason.MALFORMED, "")
    unusable = Received(RECEIVED.publication, "p", "data", why)
    assert has_its_own_times(unusable, [VALUE])


def test_messages_that_came_together_are_judged_at_times_of_their_own() -> None:
    moment = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
    judged = {
        Replayed("t", b"", 0, 1, 0, 1, "ann", moment, number, False, ()).judged_ms
        for number in range(1000)
    }
    assert len(judged) == 1000
