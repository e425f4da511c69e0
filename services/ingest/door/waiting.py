"""Requests of the door that wait for their messages' commit; bounded, in turns between publishers."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.core.broker.link import Publication
from services.ingest.door.problems import TooManyRequestsError, UnavailableError
from services.ingest.messages import Message
from services.ingest.resolve import Refused

DOOR: Final = -1  # the connection of what came here: MQTT counts its own from 0 up
_MOST_BYTES: Final = 32_000_000
_MESSAGE_BYTES: Final = 300  # what a message costs besides its bytes
_TURN: Final = 50  # messages of one publisher, before it is another one's turn


@dataclass(slots=True, eq=False)
class Request:
    """One POST. first: mid of its first message; the others follow."""

    publisher: str
    first: int
    messages: int
    size: int
    done: asyncio.Future[None]
    left: int
    refused: list[Refused] = field(default_factory=list)

    @property
    def is_useless(self) -> bool:
        """Nothing of any of its messages is stored."""
        whole = [refusal for refusal in self.refused if refusal.scope != "value"]
        lost = Counter(refusal.received.publication.mid for refusal in whole)
        return len(lost) == self.messages and all(
            lost[refusal.received.publication.mid] >= _items(refusal)
            for refusal in whole
        )


def _items(refusal: Refused) -> int:
    """Of its message; one that could not be taken apart counts as one item."""
    content = refusal.received.content
    return len(content.items) if isinstance(content, Message) else 1


class WaitingRoom:
    """The door's side of ingest's source. most_bytes: of messages that came and are not committed yet."""

    most_bytes = _MOST_BYTES

    def __init__(self) -> None:
        self._bytes = 0
        self._bytes_of: Counter[str] = Counter()
        self._queues: dict[str, deque[Publication]] = {}  # as their turns are
        self._queued = 0
        self._waiting: dict[int, Request] = {}
        self._next = 0
        self._closed = False
        self.failure: BaseException | None = None
        self.arrived = asyncio.Event()  # cleared by who takes

    def __len__(self) -> int:
        """How many were not taken yet."""
        return self._queued

    @property
    def unacknowledged(self) -> int:
        return len(self._waiting)

    async def store(
        self, publisher: str, topic: str, payloads: Sequence[bytes]
    ) -> Request:
        """Returns when all of it is committed. A caller that goes away changes nothing.

        Raises:
            TooManyRequestsError: too much waits already, of all or of this publisher; nothing is taken.
            UnavailableError: ingest ends; what was not committed must be sent again.
        """
        request = self._enter(publisher, payloads)
        queue = self._queues.setdefault(publisher, deque())
        for mid, payload in enumerate(payloads, request.first):
            self._waiting[mid] = request
            queue.append(Publication(topic, payload, mid, 1, DOOR))
        self._queued += len(payloads)
        self.arrived.set()
        await asyncio.shield(request.done)
        return request

    def take(self, limit: int) -> list[Publication]:
        """Of each publisher some in turn; its own are in order."""
        taken: list[Publication] = []
        while self._queues and len(taken) < limit:
            publisher = next(iter(self._queues))
            queue = self._queues.pop(publisher)
            few = min(_TURN, limit - len(taken), len(queue))
            taken += [queue.popleft() for _ in range(few)]
            if queue:
                self._queues[publisher] = queue
        self._queued -= len(taken)
        return taken

    def explain(self, refused: Iterable[Refused]) -> None:
        """What is not stored of messages that will be acknowledged next."""
        for refusal in refused:
            publication = refusal.received.publication
            if publication.connection == DOOR:
                request = self._waiting.get(publication.mid)
                if request is not None:
                    request.refused.append(refusal)

    def acknowledge(self, publications: Iterable[Publication]) -> None:
        for publication in publications:
            if publication.connection == DOOR:
                request = self._waiting.pop(publication.mid, None)
                if request is not None:
                    request.left -= 1
                    if request.left == 0:
                        self._leave(request)

    def fail(self, error: BaseException) -> None:
        """The door broke: whoever takes must end."""
        self.failure = error
        self.arrived.set()

    def close(self) -> None:
        """Nobody acknowledges any more."""
        self._closed = True
        for request in set(self._waiting.values()):
            if not request.done.done():
                request.done.set_exception(UnavailableError("Ingest is being stopped."))
                request.done.exception()  # seen: its caller may have gone
        self._waiting.clear()

    def _enter(self, publisher: str, payloads: Sequence[bytes]) -> Request:
        size = sum(map(len, payloads)) + _MESSAGE_BYTES * len(payloads)
        own = self._bytes_of[publisher]
        if self._closed:
            raise UnavailableError("Ingest is being stopped.")
        # One publisher has a quarter at most, or whatever one request of it takes.
        if own and (own + size) * 4 > self.most_bytes:
            raise TooManyRequestsError(
                "Much of this publisher waits for the database already.", retry_after=2
            )
        if self._bytes and self._bytes + size > self.most_bytes:
            raise TooManyRequestsError(
                "Much waits for the database already.", retry_after=2
            )
        first, count = self._next, len(payloads)
        self._next += count
        self._bytes += size
        self._bytes_of[publisher] += size
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return Request(publisher, first, count, size, done, count)

    def _leave(self, request: Request) -> None:
        self._bytes -= request.size
        self._bytes_of[request.publisher] -= request.size
        if not self._bytes_of[request.publisher]:
            del self._bytes_of[request.publisher]
        if not request.done.done():
            request.done.set_result(None)
