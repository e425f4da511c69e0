"""PURE: messages of publishers that are over, in memory, in turns; which of them go to disk, and which are given out."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.core.broker.link import Publication

SET_ASIDE: Final = -2  # the connection of what was set aside; its mid is given here
OVER_BUDGET: Final = -3  # the same, and it is to be refused
_MESSAGE_BYTES: Final = 300  # what a message costs besides its bytes
_PAGE: Final = 200  # messages of one publisher, before it is another one's turn


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is set aside in memory at most, before it goes to disk; and altogether, before it is refused.

    unacknowledged: messages in memory; of the 10,000 that the broker has under way, the others need the rest.
    most_messages, most_bytes: of one publisher.
    """

    memory_bytes: int = 16_000_000
    unacknowledged: int = 1_000
    most_messages: int = 1_000_000
    most_bytes: int = 1_000_000_000
    all_bytes: int = 8_000_000_000


BOUNDS: Final = Bounds()


@dataclass(slots=True)
class Line:
    """One publisher's messages: those read from disk, those on disk, those on their way there, those that came since.

    on_disk, disk_bytes: what is there and not read yet. memory_bytes: of all others.
    """

    read: deque[tuple[int, Publication]] = field(default_factory=deque)
    going: list[Publication] = field(default_factory=list)
    came: deque[Publication] = field(default_factory=deque)
    on_disk: int = 0
    disk_bytes: int = 0
    memory_bytes: int = 0

    def __len__(self) -> int:
        return len(self.read) + self.on_disk + len(self.going) + len(self.came)


class SetAside:
    """Takes turns between publishers, keeps the order within each."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lines: dict[str, Line] = {}
        self._turns: deque[str] = deque()
        self.read_through: dict[str, int] = {}  # the newest id on disk that was read
        self.bytes = 0  # in memory
        self._disk_bytes = 0

    def __contains__(self, publisher: str) -> bool:
        return publisher in self._lines

    def __len__(self) -> int:
        """Messages, wherever they are."""
        return sum(len(line) for line in self._lines.values())

    def by_publisher(self) -> dict[str, int]:
        return {publisher: len(line) for publisher, line in self._lines.items()}

    def line(self, publisher: str) -> Line:
        line = self._lines.get(publisher)
        if line is None:
            line = self._lines[publisher] = Line()
            self._turns.append(publisher)
        return line

    def has_room(self, publisher: str, message: Publication) -> bool:
        """Else it is too much, of this publisher or of all."""
        line, bounds, size = self.line(publisher), self._bounds, _size(message)
        return (
            len(line) < bounds.most_messages
            and line.memory_bytes + line.disk_bytes + size <= bounds.most_bytes
            and self.bytes + self._disk_bytes + size <= bounds.all_bytes
        )

    def put(self, publisher: str, message: Publication) -> None:
        line = self.line(publisher)
        line.came.append(message)
        self._remember(line, _size(message))

    def _remember(self, line: Line, size: int) -> None:
        """So many bytes more in memory; fewer, if size is negative."""
        line.memory_bytes += size
        self.bytes += size

    def take(self, limit: int) -> list[tuple[str, int | None, Publication]]:
        """(publisher, its id on disk, message) of those whose turn it is, as far as they are in memory."""
        taken: list[tuple[str, int | None, Publication]] = []
        for _ in range(len(self._turns)):
            if len(taken) >= limit:
                break
            publisher = self._turns.popleft()
            line = self._lines[publisher]
            for row, message in _from(line, min(_PAGE, limit - len(taken))):
                self._remember(line, -_size(message))
                taken.append((publisher, row, message))
            if len(line):
                self._turns.append(publisher)
            else:
                del self._lines[publisher]
        return taken

    def to_write(self, limit: int) -> list[tuple[str, Publication]]:
        """What should go to disk now: what stands behind what is there, and the longest line when all is too much.

        Until written() or not_written() it is on its way.
        """
        wanted = [name for name, line in self._lines.items() if line.on_disk]
        came = {name: len(line.came) for name, line in self._lines.items()}
        is_short = self.bytes > self._bounds.memory_bytes
        if is_short or sum(came.values()) > self._bounds.unacknowledged:
            wanted.append(max((length, name) for name, length in came.items())[1])
        messages: list[tuple[str, Publication]] = []
        for name in dict.fromkeys(wanted):
            line = self._lines[name]
            while line.came and len(messages) < limit:
                line.going.append(line.came.popleft())
                messages.append((name, line.going[-1]))
        return messages

    def written(self) -> None:
        for line in self._lines.values():
            size = sum(map(_size, line.going))
            line.on_disk += len(line.going)
            line.disk_bytes += size
            self._disk_bytes += size
            self._remember(line, -size)
            line.going = []

    def not_written(self) -> None:
        """Perhaps it was, after all; then it comes twice."""
        for line in self._lines.values():
            line.came.extendleft(reversed(line.going))
            line.going = []

    def counted(self, on_disk: Mapping[str, tuple[int, int]]) -> None:
        """What there really is on disk and not read: by publisher, messages, and bytes of their topics and payloads."""
        for line in self._lines.values():
            line.on_disk = line.disk_bytes = 0
        for publisher, (messages, size) in on_disk.items():
            line = self.line(publisher)
            line.on_disk = messages
            line.disk_bytes = size + messages * _MESSAGE_BYTES
        self._disk_bytes = sum(line.disk_bytes for line in self._lines.values())

    def to_read(self) -> str | None:
        """The publisher whose turn comes first of those that have nothing left in memory before what is on disk."""
        for publisher in self._turns:
            line = self._lines[publisher]
            if line.on_disk and not line.read:
                return publisher
        return None

    def was_read(self, publisher: str, rows: Sequence[tuple[int, Publication]]) -> bool:
        """False: there was more than counted, or nothing, so it has to be counted again.

        Rows of a connection that broke while it wrote may come long after.
        """
        line = self._lines[publisher]
        is_as_counted = 0 < len(rows) <= line.on_disk
        for row, message in rows:
            line.read.append((row, message))
            self.read_through[publisher] = row
        size = sum(_size(message) for _, message in rows)
        line.on_disk = max(0, line.on_disk - len(rows))
        gone = min(size, line.disk_bytes) if line.on_disk else line.disk_bytes
        line.disk_bytes -= gone
        self._disk_bytes -= gone
        self._remember(line, size)
        return is_as_counted


def _from(line: Line, limit: int) -> Iterator[tuple[int | None, Publication]]:
    """What is in memory and has nothing before it on disk."""
    for _ in range(limit):
        if line.read:
            yield line.read.popleft()
        elif line.came and not line.on_disk and not line.going:
            yield None, line.came.popleft()


def _size(message: Publication) -> int:
    return len(message.payload) + len(message.topic) + _MESSAGE_BYTES
