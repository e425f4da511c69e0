"""Lookups by NumPy give what dictionaries would."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.core.city.quality import ALL_GOOD
from services.core.storage.log_batch import ItemFlag, ObservationBatch
from services.rules.lookup import Layers, Lookup
from services.rules.targets import Targets

places = st.integers(0, 12)


@given(st.lists(places, max_size=30), st.lists(places, max_size=30))
def test_layers_find_every_target_of_every_place(
    held: list[int], wanted: list[int]
) -> None:
    targets = np.arange(len(held))
    layers = Layers.of(np.array(held, np.int64), targets)
    rows, found = layers.find(np.array(wanted, np.int64))
    expected = {
        (row, target)
        for row, place in enumerate(wanted)
        for target, at in enumerate(held)
        if at == place
    }
    assert set(zip(rows.tolist(), found.tolist(), strict=True)) == expected
    assert len(rows) == len(expected)


def watching(slots: list[tuple[int, int]]) -> Targets:
    """A target a (frame, slot)."""
    return Targets(
        rules=(),
        starts=np.zeros(1, np.int64),
        source_id=np.arange(len(slots), dtype=np.int32),
        period_ms=np.zeros(len(slots), np.int32),
        frame_id=np.array([frame for frame, _ in slots], np.int32),
        slot=np.array([slot for _, slot in slots], np.int32),
    )


def batch_of(items: list[tuple[int, int]]) -> ObservationBatch:
    """Items of (frame, number of slots sent), all values different."""
    offsets = np.cumsum([0, *(width for _, width in items)], dtype=np.int32)
    return ObservationBatch(
        frame_ids=np.array([frame for frame, _ in items], np.int32),
        times_ms=np.zeros(len(items), np.int64),
        flags=np.full(len(items), ItemFlag.NEW, np.uint8),
        offsets=offsets,
        results=np.arange(offsets[-1], dtype=np.float64),
        quality=np.full(offsets[-1], ALL_GOOD, np.uint8),
    )


frames = st.integers(1, 6)


@given(
    st.lists(st.tuples(frames, st.integers(0, 3)), max_size=12, unique=True),
    st.lists(st.tuples(frames, st.integers(0, 5)), max_size=12),
)
def test_values_lead_to_the_targets_of_their_frame_and_slot(
    watched: list[tuple[int, int]], items: list[tuple[int, int]]
) -> None:
    """Frames nobody watches, frames that were not known, and items shorter or longer than known are all there."""
    batch = batch_of(items)
    lookup = Lookup.of(watching(watched))
    values, of_items, found_places = lookup.values_of_interest(batch)
    rows, targets = lookup.of_slots.find(found_places)
    found = {
        (int(of_items[row]), target, float(batch.results[values[row]]))
        for row, target in zip(rows.tolist(), targets.tolist(), strict=True)
    }
    expected = {
        (item, watched.index((frame, slot)), float(batch.offsets[item] + slot))
        for item, (frame, width) in enumerate(items)
        for slot in range(width)
        if (frame, slot) in watched
    }
    assert found == expected
