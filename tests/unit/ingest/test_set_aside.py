"""Messages set aside: in turns between publishers, in order within each, in memory and on disk."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.link import Publication
from services.ingest.set_aside import SetAside

ROOM = 10**9


def message(name: str, number: int) -> Publication:
    return Publication(name, str(number).encode(), number, 1, 1)


def numbers(taken: list[tuple[str, int | None, Publication]]) -> list[tuple[str, int]]:
    return [(publisher, int(message.payload)) for publisher, _, message in taken]


def test_publishers_take_turns() -> None:
    aside = SetAside(ROOM, ROOM)
    for number in range(500):
        aside.put("a", message("a", number))
    aside.put("b", message("b", 0))
    assert [name for name, _ in numbers(aside.take(201))] == ["a"] * 200 + ["b"]
    assert numbers(aside.take(1)) == [("a", 200)]
    assert len(aside) == 299


def test_the_longest_line_goes_to_disk_when_memory_is_short() -> None:
    aside = SetAside(2000, ROOM)
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
    aside = SetAside(ROOM, most_messages=5)
    for number in range(4):
        aside.put("long", message("long", number))
    aside.put("short", message("short", 0))
    assert aside.to_write(10) == []
    aside.put("short", message("short", 1))
    assert [name for name, _ in aside.to_write(10)] == ["long"] * 4
    aside.written()
    assert aside.to_write(10) == []


def test_what_stands_behind_what_is_on_disk_goes_there_too() -> None:
    aside = SetAside(ROOM, ROOM)
    aside.counted({"a": 3})
    aside.put("a", message("a", 9))
    assert [name for name, _ in aside.to_write(10)] == ["a"]
    assert aside.take(10) == []


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
    aside, disk = SetAside(most_bytes, ROOM), Disk()
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
