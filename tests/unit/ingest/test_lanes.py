"""Which items may be copied unseen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.lanes import NOTHING_STORED, UNKNOWN, NewestTimes, fast_lane


def lane(
    items: list[tuple[int, int]],
    newest: dict[int, int],
    slow: frozenset[int] = frozenset(),
) -> list[bool]:
    frames = np.array([frame for frame, _ in items], np.int32)
    times = np.array([time for _, time in items], np.int64)
    known = np.array([newest.get(frame, UNKNOWN) for frame, _ in items], np.int64)
    held = np.array([place in slow for place in range(len(items))], np.bool_)
    answer: list[bool] = fast_lane(frames, times, known, held).tolist()
    return answer


def test_only_what_rises_above_the_newest_is_fast() -> None:
    assert lane([(1, 5), (1, 6)], {1: 4}) == [True, True]
    assert lane([(1, 4)], {1: 4}) == [False]
    assert lane([(1, 9)], {}) == [False]
    assert lane([], {}) == []


def test_one_slow_item_takes_its_frame_along_and_no_other() -> None:
    items = [(1, 5), (2, 5), (1, 5), (2, 6)]
    assert lane(items, {1: 0, 2: 0}) == [False, True, False, True]
    assert lane(items[:2], {1: 0, 2: 0}, slow=frozenset({1})) == [True, False]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 12)), max_size=20),
    st.dictionaries(st.integers(1, 4), st.integers(0, 6)),
)
def test_what_is_fast_has_no_row_yet_and_no_twin(
    items: list[tuple[int, int]], newest: dict[int, int]
) -> None:
    fast = [item for item, yes in zip(items, lane(items, newest), strict=True) if yes]
    assert len(set(fast)) == len(fast)
    assert all(time > newest[frame] for frame, time in fast)
    slow_frames = {frame for frame, _ in items} - {frame for frame, _ in fast}
    for frame in slow_frames:
        times = [time for of, time in items if of == frame]
        rising = all(
            a < b for a, b in zip([newest.get(frame, 99), *times], times, strict=False)
        )
        assert not rising


def test_newest_times_only_rise_and_grow_with_the_frames() -> None:
    newest = NewestTimes()
    frames = np.array([1, 5000, 1], np.int32)
    assert newest.of(frames).tolist() == [UNKNOWN] * 3
    newest.advance(frames, np.array([7, 8, 3], np.int64))
    newest.advance(frames[:1], np.array([2], np.int64))
    assert newest.of(np.array([1, 5000, 2], np.int32)).tolist() == [7, 8, UNKNOWN]
    newest.forget_all()
    assert newest.of(frames).tolist() == [UNKNOWN] * 3


def test_once_all_is_told_an_unheard_of_frame_has_nothing_stored() -> None:
    newest = NewestTimes()
    newest.advance(np.array([1], np.int32), np.array([7], np.int64))
    newest.all_told()
    frames = np.array([1, 2, 5000], np.int32)
    assert newest.of(frames).tolist() == [7, NOTHING_STORED, NOTHING_STORED]
    newest.advance(frames[1:2], np.array([-3], np.int64))
    assert newest.of(frames[1:2]).tolist() == [-3]
    newest.forget_all()
    later = np.array([1, 2, 90_000], np.int32)
    assert newest.of(later).tolist() == [UNKNOWN] * 3
