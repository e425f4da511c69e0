from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.storage.log_batch import (
    Accounts,
    Notice,
    NumberedMessages,
    ObservationBatch,
    Waiting,
    decode,
    encode,
    join,
)

items = st.lists(
    st.tuples(
        st.integers(1, 2**31 - 1),
        st.integers(0, 2**42),
        st.lists(st.floats(allow_infinity=False) | st.just(float("nan")), max_size=5),
    ),
    max_size=20,
)
counts = st.lists(
    st.tuples(st.integers(0, 2**31 - 1), *[st.integers(0, 20_000)] * 6), max_size=5
)
numbered = st.lists(
    st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**53), st.integers(0, 2**53)),
    max_size=5,
)
notices = st.lists(
    st.builds(
        Notice,
        kind=st.sampled_from(["birth", "death"]),
        device_id=st.integers(1, 1000),
        publisher_id=st.integers(1, 1000),
        time_ms=st.integers(0, 2**42),
        firmware=st.none() | st.text(max_size=5),
    ),
    max_size=3,
).map(tuple)


def column(rows: Sequence[tuple[int, ...]], place: int, kind: type) -> Any:
    return np.array([row[place] for row in rows], kind)


@st.composite
def batches(draw: st.DrawFn) -> ObservationBatch:
    rows, messages = draw(items), draw(numbered)
    accounts = draw(counts)
    values = [value for _, _, results in rows for value in results]
    waiting = st.dictionaries(
        st.integers(0, 2**31 - 1), st.integers(1, 20_000), max_size=5
    )
    return ObservationBatch(
        frame_ids=np.array([frame for frame, _, _ in rows], np.int32),
        times_ms=np.array([time for _, time, _ in rows], np.int64),
        flags=np.ones(len(rows), np.uint8),
        offsets=np.cumsum(
            [0, *(len(results) for _, _, results in rows)], dtype=np.int32
        ),
        results=np.array(values, np.float64),
        quality=np.full(len(values), 17, np.uint8),
        accounts=Accounts(*(column(accounts, place, np.int32) for place in range(7))),
        numbered=NumberedMessages(
            column(messages, 0, np.int32),
            column(messages, 1, np.int64),
            column(messages, 2, np.int64),
        ),
        notices=draw(notices),
        waiting=Waiting.of(draw(waiting)),
        unheard=np.array([row[0] for row in accounts if draw(st.booleans())], np.int32),
    )


@given(batches())
def test_what_is_encoded_is_decoded(batch: ObservationBatch) -> None:
    again = decode(encode(batch))
    for name in ("frame_ids", "times_ms", "flags", "offsets", "results", "quality"):
        np.testing.assert_array_equal(getattr(again, name), getattr(batch, name))
    for part in ("accounts", "numbered", "waiting"):
        for name in getattr(batch, part).__slots__:
            np.testing.assert_array_equal(
                getattr(getattr(again, part), name), getattr(getattr(batch, part), name)
            )
    assert again.notices == batch.notices
    assert again.unheard.tolist() == batch.unheard.tolist()


def rows_of(batch: ObservationBatch) -> list[tuple[int, int, str]]:
    """Items as they stand in a batch; NaN is equal to NaN in text."""
    ends = zip(batch.offsets.tolist(), batch.offsets[1:].tolist(), strict=False)
    values = [repr(batch.results[begin:end].tolist()) for begin, end in ends]
    times = batch.times_ms.tolist()
    return list(zip(batch.frame_ids.tolist(), times, values, strict=True))


def totals_of(several: list[ObservationBatch]) -> dict[int, list[int]]:
    totals: dict[int, list[int]] = {}
    for batch in several:
        columns = (getattr(batch.accounts, name) for name in Accounts.__slots__)
        for publisher, *fates in zip(*(each.tolist() for each in columns), strict=True):
            before = totals.get(publisher, [0] * 6)
            totals[publisher] = [a + b for a, b in zip(before, fates, strict=True)]
    return totals


@given(st.lists(batches(), min_size=1, max_size=4))
def test_joined_batches_say_what_each_said(several: list[ObservationBatch]) -> None:
    joined = join(several)
    assert rows_of(joined) == [row for batch in several for row in rows_of(batch)]
    assert joined.quality.tolist() == [q for b in several for q in b.quality.tolist()]
    assert totals_of([joined]) == totals_of(several)
    for name in NumberedMessages.__slots__:
        parts = (getattr(batch.numbered, name).tolist() for batch in several)
        assert getattr(joined.numbered, name).tolist() == list(chain(*parts))
    assert list(joined.notices) == [said for b in several for said in b.notices]
    assert joined.waiting is several[-1].waiting
    heard = {publisher for batch in several for publisher in batch.heard.tolist()}
    assert set(joined.heard.tolist()) == heard


def test_items_and_slots_of_values() -> None:
    batch = ObservationBatch(
        frame_ids=np.array([5, 6], np.int32),
        times_ms=np.array([1, 2], np.int64),
        flags=np.ones(2, np.uint8),
        offsets=np.array([0, 2, 5], np.int32),
        results=np.arange(5.0),
        quality=np.full(5, 17, np.uint8),
    )
    assert batch.item_of_value().tolist() == [0, 0, 1, 1, 1]
    assert batch.slot_of_value().tolist() == [0, 1, 0, 1, 2]


def test_another_version_is_refused() -> None:
    body = bytearray(encode(ObservationBatch.empty()))
    body[0] = 99
    with pytest.raises(ValueError, match="version 99"):
        decode(bytes(body))


def test_a_body_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="buffer"):
        decode(encode(ObservationBatch.empty())[:-2])


@pytest.mark.parametrize("version", [1, 2])
def test_what_the_versions_before_wrote_is_read(version: int) -> None:
    """One item of one value and one account, as they laid it out; version 2 with one publisher that waits."""
    waiting = [[], [8, 5]][version - 1]
    counts = [1, 1, 1, 0, 0, *([1, 0] if waiting else [])]
    body = (
        bytes([version, 0, 0, 0])
        + np.array(counts, "<u4").tobytes()
        + np.array([1_795_320_000_000], "<i8").tobytes()
        + np.array([2.5], "<f8").tobytes()
        + np.array([7, 0, 1, 3, 1, 1, 0, 0, 0, 0, *waiting], "<i4").tobytes()
        + b"\x01\x11"
    )
    batch = decode(body)
    assert (batch.frame_ids.tolist(), batch.results.tolist()) == ([7], [2.5])
    assert batch.accounts.received.tolist() == [1]
    assert batch.waiting.items.tolist() == waiting[1:]
    assert (batch.heard.tolist(), batch.first_hand.tolist()) == ([3], [True])


def test_numbers_that_follow_one_another_are_runs_in_the_order_they_came() -> None:
    messages = [(2, 1, 7), (1, 5, 1), (2, 1, 8), (1, 5, 2), (1, 5, 2), (1, 4, 3)]
    publishers, epochs, seqs = np.array(messages).T
    numbered = NumberedMessages(
        publishers.astype(np.int32), epochs.astype(np.int64), seqs.astype(np.int64)
    )
    assert list(numbered.runs()) == [
        (1, 4, 3, 3),
        (1, 5, 1, 2),
        (1, 5, 2, 2),
        (2, 1, 7, 8),
    ]
    assert not list(ObservationBatch.empty().numbered.runs())
