"""PURE: messages that were refused once and are read again: what of their refusals is mended, and what is left."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from services.core.broker.link import Publication
from services.core.clock import to_milliseconds
from services.ingest.decode import Decoder
from services.ingest.messages import Message, Received, Unusable
from services.ingest.resolve import Refused

_SPREAD_MS = 1000


class Entry(msgspec.Struct, frozen=True):
    """A refusal in the inbox."""

    rejected_id: int
    scope: str
    item_index: int | None
    channel: str | None
    is_open: bool = True


class Replayed(Publication, frozen=True, gc=False):
    """A message from the inbox.

    message_no: with received_at its name there. is_lost: its payload is no longer kept. entries: all its refusals.
    """

    replay_id: int
    asked_by: str
    received_at: dt.datetime
    message_no: int
    is_lost: bool
    entries: tuple[Entry, ...]

    @property
    def judged_ms(self) -> int:
        """As of when it is judged, and the time of its first item if that has none: when it came, the same at every replay.

        Spread by a second, for what was refused together came with one time.
        """
        return to_milliseconds(self.received_at) + self.message_no % _SPREAD_MS


@dataclass(slots=True)
class Settlement:
    """What a replay made of a message. mended: ids; again: what is refused as before or otherwise; new: no entry has it."""

    mended: list[int] = field(default_factory=list)
    again: list[tuple[int, Refused]] = field(default_factory=list)
    new: list[Refused] = field(default_factory=list)


def read(decoder: Decoder, replayed: Replayed) -> Received | None:
    """What it says; None where only the present counts: births, deaths and results are not told again."""
    received = decoder.decode(replayed)
    content = received.content
    if not isinstance(content, Message | Unusable):
        return None
    if isinstance(content, Message) and content.notices:
        content = msgspec.structs.replace(content, notices=())
        return msgspec.structs.replace(received, content=content)
    return received


def has_its_own_times(received: Received, entries: Sequence[Entry]) -> bool:
    """Whether no stored item would be stored a second time: the time we gave to one is not known any more.

    An item without an entry is stored; or its entry was too many in a flood, which cannot be told apart.
    """
    content = received.content
    if not isinstance(content, Message):
        return True
    if any(entry.scope == "message" for entry in entries):
        return True
    refused = {entry.item_index for entry in entries if entry.scope == "item"}
    return all(
        index in refused or getattr(item, "time", 0) is not None
        for index, item in enumerate(content.items)
    )


def settle(entries: Sequence[Entry], refused: Iterable[Refused]) -> Settlement:
    """Which entries the refusals of a replay stand for. The newest refusal of an entry counts."""
    told: dict[int, Refused] = {}
    settlement = Settlement()
    for refusal in refused:
        meant = [entry for entry in entries if _is_about(refusal, entry)]
        told |= {entry.rejected_id: refusal for entry in meant}
        if not meant:
            settlement.new.append(refusal)
    for entry in entries:
        refusal_now = told.get(entry.rejected_id)
        if entry.is_open and refusal_now is None:
            settlement.mended.append(entry.rejected_id)
        elif entry.is_open and refusal_now is not None:
            settlement.again.append((entry.rejected_id, refusal_now))
    return settlement


def _is_about(refusal: Refused, entry: Entry) -> bool:
    """A whole message stands for all in it, a whole item for its values; else place and channel decide."""
    if refusal.scope == "message":
        return True
    if entry.item_index != refusal.index:
        return False
    if refusal.scope == "item":
        return True
    return entry.scope == "value" and entry.channel == refusal.channel
