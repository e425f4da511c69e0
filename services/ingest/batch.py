"""PURE: what one transaction will store, as it gathers while the one before is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.core.storage.log_batch import Notice
from services.ingest.again import Replayed
from services.ingest.check import Block, Checked
from services.ingest.resolve import NOT_ASKED, Answer, Numbered, Refused, Resolved

if TYPE_CHECKING:
    from services.ingest.watched import Watched

Placed = TypeVar("Placed", Refused, Numbered)


@dataclass(slots=True)
class Batch:
    """publishers: by entry, the device id of who sent the item; the entries of items count from first.

    second_hand: ranges of entries (the end not included) that no publisher sent just now.
    """

    first: int = 0
    publications: list[Publication] = field(default_factory=list)
    publishers: list[int] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    numbered: list[Numbered] = field(default_factory=list)
    notices: list[tuple[int, Notice]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    memories: dict[tuple[str, str], bytes] = field(default_factory=dict)
    payload_bytes: int = 0
    replayed: list[Replayed] = field(default_factory=list)
    when_stored: list[Callable[[], None]] = field(default_factory=list)
    watched: "list[Watched]" = field(default_factory=list)
    second_hand: list[tuple[int, int]] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first + len(self.publishers)

    def add(
        self, publications: Sequence[Publication], resolved: Resolved, checked: Checked
    ) -> None:
        """Take in what was resolved with entries from this batch's end on.

        Without a publication it is told again, or by a person: no sign of life of its publisher.
        """
        if not publications and resolved.publishers:
            self._note_second_hand(self.end, self.end + len(resolved.publishers))
        self.publications += publications
        self.publishers += resolved.publishers
        self.blocks += checked.blocks
        self.refused += resolved.refused + checked.refused
        self.numbered += resolved.numbered
        self.notices += resolved.notices
        self.answers += resolved.answers
        self.payload_bytes += sum(len(message.payload) for message in publications)

    def is_second_hand(self, entries: NDArray[np.int32]) -> NDArray[np.bool_]:
        marked = np.zeros(len(entries), np.bool_)
        for first, end in self.second_hand:
            marked |= (entries >= first) & (entries < end)
        return marked

    def _note_second_hand(self, first: int, end: int) -> None:
        """Neighbours share a range: a page of a replay has mostly one."""
        if self.second_hand and self.second_hand[-1][1] == first:
            first, _ = self.second_hand.pop()
        self.second_hand.append((first, end))

    def learn(self, memories: Iterable[tuple[str, str, bytes]]) -> None:
        """What formats learned of the messages taken in: (format, key, body); the newest of a key counts."""
        self.memories |= {(name, key): body for name, key, body in memories}

    def judging_answers(self, asked: Mapping[int, int]) -> Self:
        """The same batch; what answers no command of its publisher is refused. asked: device id by command."""
        answers = [a for a in self.answers if asked.get(a.command_id) == a.publisher_id]
        foreign = [a for a in self.answers if asked.get(a.command_id) != a.publisher_id]
        refused = [
            Refused(entry, "message", NOT_ASKED.reason, NOT_ASKED.detail, a.received)
            for entry, a in enumerate(foreign, self.end)
        ]
        return replace(
            self,
            publishers=[*self.publishers, *(a.publisher_id for a in foreign)],
            refused=[*self.refused, *refused],
            answers=answers,
        )

    def with_joined_blocks(self) -> Self:
        """The same batch, with one block of each form: whatever is done by block costs as much for ten items."""
        by_form: dict[int, list[Block]] = {}
        for block in self.blocks:
            by_form.setdefault(id(block.form), []).append(block)
        return replace(self, blocks=[Block.joined(some) for some in by_form.values()])

    def halves(self) -> tuple[Self, Self]:
        """Two batches that store the same together; a message is settled with the half that has its last item."""
        middle = self.first + max(1, len(self.publishers) // 2)
        return self._part(self.first, middle), self._part(middle, self.end)

    def refusing_all(self, reason: Reason, detail: str) -> Self:
        """The same batch with every item of its blocks refused."""
        refused = [
            Refused(
                item.entry,
                "item",
                reason,
                detail,
                item.received,
                item.index,
                item.reading.device,
            )
            for block in self.blocks
            for item in block.items
        ]
        kept = [refusal for refusal in self.refused if refusal.scope != "value"]
        return replace(self, blocks=[], refused=kept + refused)

    def _part(self, first: int, end: int) -> Self:
        last = end == self.end
        return replace(
            self,
            first=first,
            publications=[],
            replayed=[],
            publishers=self.publishers[first - self.first : end - self.first],
            blocks=[part for block in self.blocks if (part := _cut(block, first, end))],
            refused=_within(self.refused, first, end),
            numbered=_within(self.numbered, first, end),
            notices=[
                (entry, notice)
                for entry, notice in self.notices
                if first <= entry < end or (last and entry == end)
            ],
            answers=self.answers if last else [],
        )


def _within(placed: list[Placed], first: int, end: int) -> list[Placed]:
    return [thing for thing in placed if first <= thing.entry < end]


def _cut(block: Block, first: int, end: int) -> Block | None:
    rows: NDArray[np.bool_] = (block.entries >= first) & (block.entries < end)
    return block.take(rows) if rows.any() else None
