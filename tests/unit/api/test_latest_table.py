"""The table of newest values, against a slow and simple one."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.live.latest_table import Cell, LatestTable, Selection
from services.core.city.quality import ALL_GOOD
from services.core.storage.log_batch import ItemFlag, ObservationBatch

FRAMES, SLOTS = 3, 2


def cell(frame: int, slot: int, **changes: object) -> Cell:
    facts: dict[str, object] = {
        "datastream_id": frame * 10 + slot,
        "key": f"thing-{frame}.{slot}",
        "thing": f"thing-{frame}",
        "domain": "water" if frame == 1 else "power",
        "district": "gate",
        "observed_property": f"property-{slot}",
        "household": False,
        "in_service": True,
        "frame_id": frame,
        "slot": slot,
        "valid_from_ms": 0,
        **changes,
    }
    return Cell(**facts)  # type: ignore[arg-type] # as the test says


def table(*cells: Cell) -> LatestTable:
    made = LatestTable()
    made.take_cells(
        cells or [cell(f, s) for f in range(1, FRAMES + 1) for s in range(SLOTS)]
    )
    made.settle([cell.datastream_id for cell in cells])
    return made


@dataclass(frozen=True)
class Item:
    frame: int
    time: int
    values: tuple[float | None, ...]


def batch(*items: Item) -> ObservationBatch:
    values = [value for item in items for value in item.values]
    return ObservationBatch(
        frame_ids=np.array([item.frame for item in items], np.int32),
        times_ms=np.array([item.time for item in items], np.int64),
        flags=np.full(len(items), ItemFlag.NEW, np.uint8),
        offsets=np.cumsum([0, *(len(item.values) for item in items)], dtype=np.int32),
        results=np.array([np.nan if v is None else v for v in values], np.float64),
        quality=np.full(len(values), ALL_GOOD, np.uint8),
    )


ALL = Selection(household=True)

items = st.builds(
    Item,
    st.integers(1, FRAMES),
    st.integers(1, 6),
    st.tuples(*[st.none() | st.integers(0, 99).map(float)] * SLOTS),
)
batches = st.lists(st.lists(items, max_size=6), max_size=8)


@given(batches, st.integers(0, 8))
def test_it_holds_the_newest_of_each_and_knows_what_changed_since(
    said: list[list[Item]], since: int
) -> None:
    made = table()
    newest: dict[int, tuple[int, float]] = {}
    changed: dict[int, int] = {}
    for number, together in enumerate(said, start=1):
        assert made.apply(number, batch(*together))
        for item in sorted(together, key=lambda item: item.time):
            for slot, value in enumerate(item.values):
                place = item.frame * 10 + slot
                held = newest.get(place, (0, 0.0))
                if value is not None and item.time >= held[0]:
                    newest[place] = (item.time, value)
                    changed[place] = number
    cells = made.select(ALL)
    found = {
        v.datastream_id: (v.time_ms, v.result) for v in made.values(made.known(cells))
    }
    assert found == newest
    recent = {v.datastream_id for v in made.values(made.changed_since(cells, since))}
    assert recent == {place for place, number in changed.items() if number > since}


def test_a_value_of_an_unknown_frame_is_told_and_taken_once_it_is_known() -> None:
    made = table(cell(1, 0))
    heard = batch(Item(2, 5, (1.0,)))
    assert not made.apply(1, heard)
    made.take_cells([cell(2, 0)])
    made.settle([])
    assert made.apply(2, heard)
    assert [v.result for v in made.values(made.known(made.select(ALL)))] == [1.0]


def test_missing_values_of_slots_nobody_has_are_no_trouble() -> None:
    assert table(cell(1, 0)).apply(1, batch(Item(1, 5, (1.0, None, None))))


def test_a_datastream_keeps_its_value_when_its_device_is_exchanged() -> None:
    made = table(cell(1, 0))
    made.apply(1, batch(Item(1, 5, (1.0,))))
    made.take_cells([replace(cell(1, 0), frame_id=7, slot=3, valid_from_ms=10)])
    made.settle([])
    made.apply(2, batch(Item(1, 20, (2.0,))))  # the old device is not it any more
    made.apply(3, batch(Item(7, 9, (None, None, None, 3.0))))  # before the exchange
    (value,) = made.values(made.select(ALL))
    assert (value.result, value.time_ms) == (1.0, 5)
    made.apply(4, batch(Item(7, 10, (None, None, None, 4.0))))
    (value,) = made.values(made.select(ALL))
    assert (value.result, value.time_ms) == (4.0, 10)


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (ALL, {10, 11, 20, 30}),
        (Selection(), {10, 11, 20}),
        (Selection(only_public=True), {10}),
        (Selection(domains=["water"]), {10, 11}),
        (Selection(domains=[]), set()),
        (Selection(domains=["gas"]), set()),
        (Selection(districts=["gate"], things=["thing-2"]), {20}),
        (Selection(observed_properties=["property-1"]), {11}),
        (Selection(datastreams=["thing-1.0", "20", "99999999999999999999"]), {10, 20}),
    ],
)
def test_a_selection_is_by_place_kind_name_and_right(
    selection: Selection, found: set[int]
) -> None:
    made = LatestTable()
    made.take_cells(
        [
            cell(1, 0),
            cell(1, 1),
            cell(2, 0),
            cell(3, 0, household=True),
            cell(3, 1, in_service=False),
        ]
    )
    made.settle([10])
    assert {v.datastream_id for v in made.values(made.select(selection))} == found
