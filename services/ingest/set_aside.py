"""PURE: messages of publishers that are over, in memory, in turns; which of them go to disk, and which are given out."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.core.broker.link import Publication

SET_ASIDE: Final = -2  # the connection of what was set aside; its mid is given here
OVER_BUDGET: Final = -3  # the same, and it is to be refused
_MESSAGE_BYTES: Final = 300  # what a message costs besides its bytes
_PAGE: Final = 200  # messages of one publisher, before it is another one's turn


@dataclass(slots=True)
class Line:
    """One publisher's messages: those read from disk, those on disk, those on their way there, those that came since.

    on_disk: how many are there and not read yet.
    """

    read: deque[tuple[int, Publication]] = field(default_factory=deque)
    going: list[Publication] = field(default_factory=list)
    came: deque[Publication] = field(default_factory=deque)
    on_disk: int = 0

    def __len__(self) -> int:
        return len(self.read) + self.on_disk + len(self.going) + len(self.came)


class SetAside:
    """Takes turns between publishers, keeps the order within each."""

    def __init__(self, most_bytes: int, most_messages: int) -> None:
        """In memory, and not acknowledged; what is beyond should go to disk."""
        self._most_bytes = most_bytes
        self._most_messages = most_messages
        self._lines: dict[str, Line] = {}
        self._turns: deque[str] = deque()
        self.read_through: dict[str, int] = {}  # the newest id on disk that was read
        self.bytes = 0

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

    def put(self, publisher: str, message: Publication) -> None:
        self.line(publisher).came.append(message)
        self.bytes += _size(message)

    def take(self, limit: int) -> list[tuple[str, int | None, Publication]]:
        """(publisher, its id on disk, message) of those whose turn it is, as far as they are in memory."""
        taken: list[tuple[str, int | None, Publication]] = []
        for _ in range(len(self._turns)):
            if len(taken) >= limit:
                break
            publisher = self._turns.popleft()
            line = self._lines[publisher]
            for row, message in _from(line, min(_PAGE, limit - len(taken))):
                self.bytes -= _size(message)
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
        if self.bytes > self._most_bytes or sum(came.values()) > self._most_messages:
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
            line.on_disk += len(line.going)
            self.bytes -= sum(map(_size, line.going))
            line.going = []

    def not_written(self) -> None:
        """Perhaps it was, after all; then it comes twice."""
        for line in self._lines.values():
            line.came.extendleft(reversed(line.going))
            line.going = []

    def counted(self, on_disk: Mapping[str, int]) -> None:
        """How many there really are on disk and not read."""
        for line in self._lines.values():
            line.on_disk = 0
        for publisher, count in on_disk.items():
            self.line(publisher).on_disk = count

    def to_read(self) -> str | None:
        """The publisher whose turn comes first of those that have nothing left in memory before what is on disk."""
        for publisher in self._turns:
            line = self._lines[publisher]
            if line.on_disk and not line.read:
                return publisher
        return None

    def was_read(self, publisher: str, rows: Iterable[tuple[int, Publication]]) -> None:
        line = self._lines[publisher]
        for row, message in rows:
            line.read.append((row, message))
            self.read_through[publisher] = row
            line.on_disk -= 1
            self.bytes += _size(message)


def _from(line: Line, limit: int) -> Iterator[tuple[int | None, Publication]]:
    """What is in memory and has nothing before it on disk."""
    for _ in range(limit):
        if line.read:
            yield line.read.popleft()
        elif line.came and not line.on_disk and not line.going:
            yield None, line.came.popleft()


def _size(message: Publication) -> int:
    return len(message.payload) + _MESSAGE_BYTES
