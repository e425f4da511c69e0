"""Merging: what one time stamp may hold, and that neither batching nor repetition changes it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.storage.log_batch import ItemFlag
from services.ingest.merge import (
    Fate,
    Key,
    LateItem,
    Merged,
    Row,
    RowsNeededError,
    merge,
)

NAN = math.nan
GOOD, SUSPECT, MISSING = 17, 49, 153
SLOTS = 3  # two measurements and a state


def item(
    entry: int,
    *results: float,
    time_ms: int = 0,
    revises: bool = False,
    quality: int = GOOD,
    newest_ms: int | None = None,
) -> LateItem:
    values = [*results, *[NAN] * (SLOTS - len(results))]
    return LateItem(
        entry=entry,
        frame_id=1,
        time_ms=time_ms,
        results=values,
        quality=[MISSING if math.isnan(value) else quality for value in values],
        states=frozenset({2}),
        publisher="p",
        revises=revises,
        newest_ms=newest_ms,
    )


class Table:
    """What the database would hold: merges batch after batch, as the writer does."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.merged = Merged()

    def store(self, *items: LateItem) -> Merged:
        known: dict[Key, Row | None] = {}
        while True:
            try:
                self.merged = merge(known, items)
                break
            except RowsNeededError as error:
                known |= {key: self.rows.get(key) for key in error.keys}
        self.rows |= {key: row for key, row in self.merged.rows.items() if row.changed}
        return self.merged

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
    table.store(item(0, 1, quality=SUSPECT))
    assert table.store(item(0, 1)).fates == {0: Fate.DUPLICATE}
    merged = table.store(item(0, 1, revises=True))
    assert merged.effects[0].flags == ItemFlag.CORRECTED
    assert table.rows[1, 0].quality[0] == GOOD


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
    merge({(1, 0): row}, [item(0, NAN, 2)])
    assert math.isnan(row.results[1])


VALUES = st.sampled_from([NAN, 0.0, 1.0, 2.0])
DRAWN = st.builds(
    lambda a, b, state, time_ms, revises: (a, b, state, time_ms, revises),
    VALUES,
    VALUES,
    VALUES,
    st.integers(0, 3),
    st.booleans(),
).filter(lambda drawn: not all(map(math.isnan, drawn[:3])))


def late_items(drawn: list[tuple[float, float, float, int, bool]]) -> list[LateItem]:
    return [
        item(place, a, b, state, time_ms=time_ms, revises=revises)
        for place, (a, b, state, time_ms, revises) in enumerate(drawn)
    ]


@given(st.lists(DRAWN, max_size=12), st.data())
def test_how_items_fall_into_batches_changes_nothing(
    drawn: list[tuple[float, float, float, int, bool]], data: st.DataObject
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
    drawn: list[tuple[float, float, float, int, bool]],
) -> None:
    items = late_items(drawn)
    table = Table()
    merged = table.store(*items)
    assert merged.fates.keys() == {late.entry for late in items}
    stored = sum(fate is Fate.STORED for fate in merged.fates.values())
    new_rows = sum(bool(effect.flags & ItemFlag.NEW) for effect in merged.effects)
    assert len(table.rows) == new_rows
    assert stored <= new_rows


@given(st.lists(DRAWN, min_size=1, max_size=8))
def test_repetition_stores_no_measurement_again(
    drawn: list[tuple[float, float, float, int, bool]],
) -> None:
    """Of first words (no revision, no state) sent twice nothing new is made."""
    items = late_items(
        [
            (a, b, NAN, t, False)
            for a, b, _, t, _ in drawn
            if not (math.isnan(a) and math.isnan(b))
        ]
    )
    table = Table()
    table.store(*items)
    before = table.results()
    repeated = table.store(*items)
    assert not repeated.effects
    assert table.results() == before


def test_missing_rows_are_asked_for() -> None:
    with pytest.raises(RowsNeededError) as needed:
        merge({}, [item(0, 1), item(1, 1, time_ms=9)])
    assert needed.value.keys == {(1, 0), (1, 9)}
