"""Merging: what one time stamp may hold, and that neither batching nor repetition changes it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.storage.log_batch import ItemFlag
from services.ingest.merge import (
    Fate,
    Key,
    Known,
    LateItem,
    Merged,
    Place,
    Row,
    RowsNeededError,
    merge,
)

NAN = math.nan
GOOD, DOUBTED, ESTIMATED, MISSING = 17, 49, 19, 153  # doubted: by our checks
SLOTS = 3  # two measurements and a state


def item(
    entry: int,
    *results: float,
    time_ms: int = 0,
    revises: bool = False,
    quality: int = GOOD,
    newest_ms: int | None = None,
    by_person: bool = False,
) -> LateItem:
    """by_person: a revision, as all that people say."""
    values = [*results, *[NAN] * (SLOTS - len(results))]
    return LateItem(
        entry=entry,
        frame_id=1,
        time_ms=time_ms,
        results=values,
        quality=[MISSING if math.isnan(value) else quality for value in values],
        states=frozenset({2}),
        publisher="user:dana" if by_person else "p",
        revises=revises or by_person,
        newest_ms=newest_ms,
        by_person=by_person,
    )


class Table:
    """What the database would hold: merges batch after batch, as the writer does."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.past: dict[Place, Known] = {}
        self.questions = 0  # of past

    def merge(self, *items: LateItem) -> Merged:
        known: dict[Key, Row | None] = {}
        past: dict[Place, Known] = {}
        while True:
            try:
                return merge(known, items, past)
            except RowsNeededError as error:
                known |= {key: self.rows.get(key) for key in error.keys}
                past |= {place: self.past.get(place, {}) for place in error.past}
                self.questions += bool(error.past)

    def store(self, *items: LateItem) -> Merged:
        merged = self.merge(*items)
        self.rows |= {key: row for key, row in merged.rows.items() if row.changed}
        for change in merged.changes:
            place = (change.frame_id, change.time_ms, change.slot)
            known = self.past.setdefault(place, {})
            if change.old is not None:
                known.setdefault(change.old, []).append(change.old_quality)
            known.setdefault(change.new, []).append(change.new_quality)
        return merged

    def results(self) -> dict[int, list[float | None]]:
        return {
            time_ms: [None if math.isnan(value) else value for value in row.results]
            for (_, time_ms), row in sorted(self.rows.items())
        }


def test_an_empty_slot_is_filled_and_the_filling_is_remembered() -> None:
    table = Table()
    assert table.store(item(0, 1)).fates == {0: Fate.STORED}
    merged = table.store(item(0, NAN, 2))
    assert merged.fates == {0: Fate.MERGED}
    assert table.results() == {0: [1, 2, None]}
    (change,) = merged.changes
    assert (change.slot, change.old, change.new, change.why) == (1, None, 2, "merged")
    assert (change.old_quality, change.new_quality) == (None, GOOD)
    (effect,) = merged.effects
    assert effect.flags == ItemFlag.MERGED
    assert math.isnan(effect.results[0])
    assert effect.results[1] == 2


def test_the_first_value_stays_unless_it_is_revised() -> None:
    table = Table()
    table.store(item(0, 1, 5))
    merged = table.store(item(0, 2, 5), item(1, 3), item(2, 4, revises=True))
    assert merged.fates == {0: Fate.DUPLICATE, 1: Fate.REJECTED, 2: Fate.MERGED}
    assert [(c.entry, c.slot, c.sent, c.stored) for c in merged.conflicts] == [
        (0, 0, 2, 1),
        (1, 0, 3, 1),
    ]
    assert table.results() == {0: [4, 5, None]}
    assert [(c.old, c.new, c.why) for c in merged.changes] == [(1, 4, "corrected")]


def test_a_revision_may_change_the_quality_alone() -> None:
    table = Table()
    table.store(item(0, 1, quality=ESTIMATED))
    assert table.store(item(0, 1)).fates == {0: Fate.DUPLICATE}
    merged = table.store(item(0, 1, revises=True))
    assert merged.effects[0].flags == ItemFlag.CORRECTED
    assert table.rows[1, 0].quality[0] == GOOD
    (change,) = merged.changes
    assert (change.old, change.old_quality) == (1, ESTIMATED)
    assert (change.new, change.new_quality) == (1, GOOD)


def test_what_our_checks_found_of_a_value_stays_as_long_as_the_value() -> None:
    table = Table()
    table.store(item(0, 1, quality=DOUBTED))
    repeated = table.store(item(0, 1, revises=True))
    assert repeated.fates == {0: Fate.DUPLICATE}
    validated = table.store(item(0, 1, revises=True, quality=ESTIMATED))
    estimated_and_doubted = ESTIMATED + DOUBTED - GOOD
    assert table.rows[1, 0].quality[0] == estimated_and_doubted
    assert validated.effects[0].quality[0] == estimated_and_doubted
    table.store(item(0, 2, revises=True))
    assert table.rows[1, 0].quality[0] == GOOD


def test_an_old_delivery_does_not_undo_a_correction() -> None:
    table = Table()
    first, revised = item(0, 5), item(0, 6, revises=True)
    table.store(first)
    table.store(revised)
    table.store(item(0, 7, by_person=True))
    for repeated in (table.store(revised), table.store(first)):
        assert repeated.fates == {0: Fate.DUPLICATE}
        assert not repeated.conflicts
    assert table.results() == {0: [7, None, None]}
    assert table.store(item(0, 8, revises=True)).fates == {0: Fate.MERGED}


def test_an_old_delivery_of_a_corrected_state_is_no_transition() -> None:
    table = Table()
    transitions = [item(place, NAN, NAN, code) for place, code in enumerate((0, 1))]
    table.store(*transitions)
    table.store(item(0, NAN, NAN, 2, by_person=True))
    table.store(item(0, NAN, NAN, 2, time_ms=1, by_person=True))
    assert set(table.store(*transitions).fates.values()) == {Fate.DUPLICATE}
    assert table.results() == {0: [None, None, 2], 1: [None, None, 2]}


def test_a_person_may_set_back_what_was_known_before() -> None:
    table = Table()
    table.store(item(0, 5), item(1, 6, by_person=True))
    assert table.store(item(0, 5, by_person=True)).fates == {0: Fate.MERGED}
    assert table.results() == {0: [5, None, None]}


def test_a_change_of_before_qualities_were_kept_counts_by_its_value() -> None:
    table = Table()
    table.store(item(0, 6))
    table.past[1, 0, 0] = {5: [None], 6: [None]}
    repeated = table.store(item(0, 5, revises=True, quality=ESTIMATED))
    assert repeated.fates == {0: Fate.DUPLICATE}


def test_the_past_is_asked_for_once_and_only_where_something_else_is_stored() -> None:
    table = Table()
    table.store(item(0, 1), *(item(place, NAN, 2, place) for place in (1, 2, 3)))
    table.store(item(0, 1), item(1, NAN, 2), item(2, 9, time_ms=9, revises=True))
    assert table.questions == 0
    table.store(item(0, 2), item(1, NAN, 7), item(2, 8, time_ms=9, revises=True))
    assert table.questions == 1


def test_a_transition_moves_on_and_its_repetition_does_not() -> None:
    table = Table()
    transitions = [item(place, 7, NAN, code) for place, code in enumerate((0, 1, 2))]
    assert table.store(*transitions).fates == dict.fromkeys(range(3), Fate.STORED)
    assert table.results() == {0: [7, None, 0], 1: [None, None, 1], 2: [None, None, 2]}
    repeated = table.store(*transitions)
    assert set(repeated.fates.values()) == {Fate.DUPLICATE}
    assert not repeated.effects
    assert not repeated.changes


def test_too_many_transitions_at_one_time_are_a_conflict() -> None:
    table = Table()
    for place in range(1000):
        table.store(item(0, NAN, NAN, place % 2, time_ms=place))
    merged = table.store(item(0, NAN, NAN, 7))
    assert merged.fates == {0: Fate.REJECTED}
    assert merged.conflicts[-1].stored is None


def test_late_means_older_than_the_newest_known() -> None:
    table = Table()
    merged = table.store(
        item(0, 1, time_ms=5, newest_ms=9),
        item(1, 1, time_ms=10, newest_ms=9),
        item(2, 1, time_ms=3),
    )
    flags = [effect.flags for effect in merged.effects]
    assert flags == [ItemFlag.NEW | ItemFlag.LATE, ItemFlag.NEW, ItemFlag.NEW]


def test_a_row_from_before_the_type_had_a_slot_is_widened() -> None:
    table = Table()
    table.rows[1, 0] = Row([1.0], [GOOD])
    assert table.store(item(0, 1, 2)).fates == {0: Fate.MERGED}
    assert table.results() == {0: [1, 2, None]}


def test_stored_rows_are_not_touched_before_the_commit() -> None:
    row = Row([1.0, NAN, NAN], [GOOD, MISSING, MISSING])
    merge({(1, 0): row}, [item(0, NAN, 2)], {})
    assert math.isnan(row.results[1])


Drawn = tuple[float, float, float, int, bool, int]
VALUES = st.sampled_from([NAN, 0.0, 1.0, 2.0])
DRAWN: st.SearchStrategy[Drawn] = st.tuples(
    VALUES,
    VALUES,
    VALUES,
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([GOOD, DOUBTED, ESTIMATED]),
).filter(lambda drawn: not all(map(math.isnan, drawn[:3])))


def late_items(drawn: list[Drawn], *, by_person: bool = False) -> list[LateItem]:
    return [
        item(
            place,
            a,
            b,
            state,
            time_ms=time_ms,
            revises=revises,
            quality=quality,
            by_person=by_person,
        )
        for place, (a, b, state, time_ms, revises, quality) in enumerate(drawn)
    ]


@given(st.lists(DRAWN, max_size=12), st.data())
def test_how_items_fall_into_batches_changes_nothing(
    drawn: list[Drawn], data: st.DataObject
) -> None:
    items = late_items(drawn)
    cut = data.draw(st.integers(0, len(items)))
    whole, parts = Table(), Table()
    together = whole.store(*items)
    first = parts.store(*items[:cut])
    second = parts.store(*items[cut:])
    assert parts.results() == whole.results()
    assert {**first.fates, **second.fates} == together.fates
    assert first.changes + second.changes == together.changes
    assert repr(first.effects + second.effects) == repr(together.effects)


@given(st.lists(DRAWN, max_size=12))
def test_every_item_has_one_fate_and_every_value_one_place(
    drawn: list[Drawn],
) -> None:
    items = late_items(drawn)
    table = Table()
    merged = table.store(*items)
    assert merged.fates.keys() == {late.entry for late in items}
    stored = sum(fate is Fate.STORED for fate in merged.fates.values())
    new_rows = sum(bool(effect.flags & ItemFlag.NEW) for effect in merged.effects)
    assert len(table.rows) == new_rows
    assert stored <= new_rows


@given(st.lists(DRAWN, min_size=1, max_size=8), st.lists(DRAWN, max_size=4), st.data())
def test_repetition_changes_nothing_whoever_corrected_meanwhile(
    drawn: list[Drawn], corrections: list[Drawn], data: st.DataObject
) -> None:
    """In any order, of revisions and transitions, too."""
    items, table = late_items(drawn), Table()
    cut = data.draw(st.integers(0, len(items)))
    table.store(*items[:cut])
    for correction in late_items(corrections, by_person=True):
        table.store(correction)
    table.store(*items[cut:])
    before = repr(table.rows)
    repeated = table.store(*data.draw(st.permutations(items)))
    assert not repeated.effects
    assert not repeated.changes
    assert repr(table.rows) == before


def test_missing_rows_are_asked_for() -> None:
    with pytest.raises(RowsNeededError) as needed:
        merge({}, [item(0, 1), item(1, 1, time_ms=9)], {})
    assert needed.value.keys == {(1, 0), (1, 9)}
    assert not needed.value.past
