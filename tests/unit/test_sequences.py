from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.sequences import MOST_RANGES, PublisherSequences

numbers = st.lists(st.integers(0, 60), max_size=80)


def members(ranges: tuple[tuple[int, int], ...]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(numbers)
def test_settled_is_the_set_of_what_was_added(added: list[int]) -> None:
    sequences = PublisherSequences()
    seen: set[int] = set()
    for number in added:
        assert sequences.add(number) is (number not in seen)
        seen.add(number)
    assert members(sequences.settled) == seen
    for (_, last), (first, _) in zip(
        sequences.settled, sequences.settled[1:], strict=False
    ):
        assert first > last + 1


@given(numbers, st.integers(0, 70))
def test_stored_through_never_passes_an_open_gap(added: list[int], oldest: int) -> None:
    sequences = PublisherSequences()
    sequences.begin_at(oldest)
    for number in added:
        sequences.add(number)
    for covered in range(oldest, sequences.stored_through + 1):
        assert covered in added
    assert sequences.stored_through + 1 not in added


@given(numbers, st.integers(0, 70))
def test_what_is_given_up_is_exactly_what_was_missing_below(
    added: list[int], oldest: int
) -> None:
    sequences = PublisherSequences()
    for number in added:
        sequences.add(number)
    lost = members(sequences.begin_at(oldest))
    lowest = min([*added, oldest])
    assert lost == set(range(lowest, oldest)) - set(added)
    assert sequences.stored_through >= oldest - 1
    held = set(added) | set(range(lowest, oldest))
    assert members(sequences.settled) == held
    assert (
        members(sequences.open_gaps())
        == set(range(lowest, max(held, default=lowest - 1) + 1)) - held
    )


def test_an_epoch_without_a_birth_covers_only_what_was_seen() -> None:
    sequences = PublisherSequences()
    sequences.add(1042)
    assert sequences.stored_through == 0
    assert sequences.also == ((1042, 1042),)


def test_a_gap_closes_when_the_missing_message_comes() -> None:
    sequences = PublisherSequences()
    for number in (1, 2, 4):
        sequences.add(number)
    assert (sequences.stored_through, sequences.also, sequences.open_gaps()) == (
        2,
        ((4, 4),),
        ((3, 3),),
    )
    sequences.add(3)
    assert (sequences.stored_through, sequences.also, sequences.open_gaps()) == (
        4,
        (),
        (),
    )


def test_memory_stays_bounded_when_every_other_number_comes() -> None:
    sequences = PublisherSequences()
    for number in range(1, 4 * MOST_RANGES, 2):
        sequences.add(number)
    assert len(sequences.settled) == MOST_RANGES
    assert sequences.stored_through == 1


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 8)), max_size=12))
def test_a_run_is_the_same_as_its_numbers(runs: list[tuple[int, int]]) -> None:
    at_once, one_by_one = PublisherSequences(), PublisherSequences()
    for first, more in runs:
        at_once.add_run(first, first + more)
        for seq in range(first, first + more + 1):
            one_by_one.add(seq)
    assert at_once.settled == one_by_one.settled
    assert at_once.is_whole == (not one_by_one.also)
