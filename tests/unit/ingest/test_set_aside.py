"""Messages set aside: in turns between publishers, in order within each, in memory and on disk."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.link import Publication
from services.ingest.set_aside import Bounds, SetAside

ROOM = 10**9


def message(name: str, number: int) -> Publication:
    return Publication(name, str(number).encode(), number, 1, 1)


def numbers(taken: list[tuple[str, int | None, Publication]]) -> list[tuple[str, int]]:
    return [(publisher, int(message.payload)) for publisher, _, message in taken]


def test_publishers_take_turns() -> None:
    aside = SetAside(Bounds(ROOM, ROOM))
    for number in range(500):
        aside.put("a", message("a", number))
    aside.put("b", message("b", 0))
    assert [name for name, _ in numbers(aside.take(201))] == ["a"] * 200 + ["b"]
    assert numbers(aside.take(1)) == [("a", 200)]
    assert len(aside) == 299


def test_the_longest_line_goes_to_disk_when_memory_is_short() -> None:
    aside = SetAside(Bounds(2000, ROOM))
    for number in range(5):
        aside.put("long", message("long", number))
    assert aside.to_write(10) == []
    for number in range(2):
        aside.put("short", message("short", number))
    assert [name for name, _ in aside.to_write(10)] == ["long"] * 5
    aside.written()
    assert aside.to_write(10) == []
    assert numbers(aside.take(10)) == [("short", 0), ("short", 1)]
    assert (len(aside), aside.to_read()) == (5, "long")


def test_the_longest_line_goes_to_disk_before_the_brokers_window_is_full() -> None:
    """What is in memory only is not acknowledged, and the broker has so many messages under way at most."""
    aside = SetAside(Bounds(ROOM, unacknowledged=5))
    for number in range(4):
        aside.put("long", message("long", number))
    aside.put("short", message("short", 0))
    assert aside.to_write(10) == []
    aside.put("short", message("short", 1))
    assert [name for name, _ in aside.to_write(10)] == ["long"] * 4
    aside.written()
    assert aside.to_write(10) == []


def test_what_stands_behind_what_is_on_disk_goes_there_too() -> None:
    aside = SetAside(Bounds(ROOM, ROOM))
    aside.counted({"a": (3, 9)})
    aside.put("a", message("a", 9))
    assert [name for name, _ in aside.to_write(10)] == ["a"]
    assert aside.take(10) == []


def test_there_is_room_for_so_many_bytes_of_one_and_of_all() -> None:
    aside = SetAside(Bounds(0, ROOM, most_bytes=1_000, all_bytes=2_000))
    one = message("a", 1)  # 302 bytes
    for _ in range(2):
        aside.put("a", one)
    assert aside.has_room("a", one)
    aside.to_write(1)
    aside.written()
    aside.put("a", one)
    assert not aside.has_room("a", one)
    assert aside.has_room("b", one)
    aside.counted({"a": (1, 2), "b": (2, 4)})
    assert aside.has_room("c", one)
    aside.put("c", one)
    assert not aside.has_room("c", one)
    aside.was_read("a", [(1, one)])
    aside.was_read("b", [(row, one) for row in (2, 3)])
    assert not aside.has_room("c", one)
    assert len(aside.take(100)) == 6
    assert aside.has_room("a", one)
    assert aside.bytes == 0


def test_what_was_written_late_is_found_when_more_is_read_than_was_counted() -> None:
    """The connection broke, all was written again, and then the first was there, too."""
    aside, disk = SetAside(Bounds(0, ROOM)), Disk()
    for number in range(3):
        aside.put("a", message("a", number))
    late = aside.to_write(10)
    aside.not_written()
    aside.counted({})
    again = aside.to_write(10)
    aside.written()
    for written in (late, again):
        disk.write(written)
    assert aside.was_read("a", disk.read("a", 0, 2))
    assert not aside.was_read("a", disk.read("a", 2, 2))
    assert (len(aside), aside.to_read()) == (4, None)
    aside.counted({"a": (2, 4)})
    assert numbers(aside.take(10)) == [("a", number) for number in (0, 1, 2, 0)]
    assert aside.was_read("a", disk.read("a", 4, 2))
    assert numbers(aside.take(10)) == [("a", 1), ("a", 2)]
    assert (len(aside), aside.bytes) == (0, 0)


def test_what_is_not_there_is_counted_again() -> None:
    aside = SetAside(Bounds(ROOM, ROOM))
    aside.counted({"a": (1, 2)})
    assert not aside.was_read("a", [])
    aside.counted({})
    assert (len(aside), aside.to_read()) == (0, None)


class Disk:
    """As the table has it."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, Publication]] = []

    def write(self, messages: list[tuple[str, Publication]]) -> None:
        for publisher, one in messages:
            self.rows.append((len(self.rows) + 1, publisher, one))

    def read(
        self, publisher: str, after: int, limit: int
    ) -> list[tuple[int, Publication]]:
        rows = [
            (row, one)
            for row, name, one in self.rows
            if name == publisher and row > after
        ]
        return rows[:limit]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abc")),
        st.tuples(st.just("take"), st.integers(1, 5)),
        st.tuples(st.just("write"), st.integers(1, 4)),
        st.tuples(st.just("fail"), st.integers(1, 4)),
        st.tuples(st.just("read"), st.integers(1, 3)),
    ),
    max_size=80,
)


@given(steps, st.integers(300, 3000))
def test_nothing_is_lost_and_each_publishers_order_is_kept(
    played: list[tuple[str, str | int]], most_bytes: int
) -> None:
    aside, disk = SetAside(Bounds(most_bytes, ROOM)), Disk()
    came: dict[str, int] = defaultdict(int)
    given_out: dict[str, list[int]] = defaultdict(list)

    def take(limit: int) -> None:
        for publisher, number in numbers(aside.take(limit)):
            given_out[publisher].append(number)

    def write(limit: int) -> None:
        disk.write(aside.to_write(limit))
        aside.written()

    def fail(limit: int) -> None:
        aside.to_write(limit)
        take(limit)
        aside.not_written()

    def read(limit: int) -> None:
        if publisher := aside.to_read():
            after = aside.read_through.get(publisher, 0)
            aside.was_read(publisher, disk.read(publisher, after, limit))

    doing = {"take": take, "write": write, "fail": fail, "read": read}
    for what, argument in played:
        if isinstance(argument, str):
            aside.put(argument, message(argument, came[argument]))
            came[argument] += 1
        else:
            doing[what](argument)
    for _ in range(200):
        read(100)
        take(100)
        write(100)
    assert len(aside) == aside.bytes == 0
    assert given_out == {name: list(range(count)) for name, count in came.items()}
