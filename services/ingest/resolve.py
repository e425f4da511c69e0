"""PURE: ties what was decoded to the registry: publisher, device, frame."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeGuard

import msgspec

from services.core.broker.messages import command_number
from services.core.reasons import Reason
from services.core.storage.log_batch import Notice
from services.core.storage.registry_snapshot import Profile, RegisteredDevice
from services.ingest.fit import fit, is_optional
from services.ingest.messages import (
    Birth,
    Death,
    ForeignReading,
    Message,
    Reading,
    Received,
    Result,
    Unusable,
    milliseconds,
)
from services.ingest.wording import spell

UNKNOWN_PUBLISHER: Final = 0
_MOST_SENDERS: Final = 50_000  # remembered
_LARGEST_CLOCK_ERROR_MS: Final = 35 * 86_400_000
Scope = Literal["message", "item", "value"]

# A registry that has changed since would perhaps decide otherwise.
DEPENDS_ON_REGISTRY: Final = frozenset(
    {
        Reason.UNKNOWN_DEVICE,
        Reason.RETIRED_DEVICE,
        Reason.NOT_HOSTED,
        Reason.NO_CHANNELS,
        Reason.UNKNOWN_CHANNEL,
        Reason.UNKNOWN_CODE,
        Reason.WRONG_UNIT,
    }
)


class Registry(Protocol):
    def device(self, key: str) -> RegisteredDevice | None: ...


class Observed(msgspec.Struct, gc=False, frozen=True):
    """An item tied to its frame. entry: its place among all items of its batch, rejected ones included."""

    entry: int
    frame_id: int
    profile: Profile
    reading: Reading
    received: Received
    index: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message, item or value that is not stored. index: the item's place in its message."""

    entry: int
    scope: Scope
    reason: Reason
    detail: str
    received: Received
    index: int | None = None
    device: str | None = None
    channel: str | None = None


class Numbered(msgspec.Struct, gc=False, frozen=True):
    """A message with a sequence number; settled together with its last item."""

    entry: int
    publisher_id: int
    epoch: int
    seq: int


class Answer(msgspec.Struct, gc=False, frozen=True):
    """A publisher's word on a command; whether it was asked at all is seen when the batch is written."""

    publisher_id: int
    command_id: int
    ok: bool
    detail: str | None
    received: Received


@dataclass(slots=True)
class Resolved:
    """publishers: by entry from first on, the device id of who sent the item; 0: not in the registry."""

    first: int = 0
    publishers: list[int] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    numbered: list[Numbered] = field(default_factory=list)
    notices: list[tuple[int, Notice]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first + len(self.publishers)

    @property
    def is_doubtful(self) -> bool:
        """With a newer registry less would perhaps be refused."""
        return any(refusal.reason in DEPENDS_ON_REGISTRY for refusal in self.refused)


def resolve(
    messages: Iterable[Received],
    registry: "Registry | Senders",
    now_ms: int,
    first: int = 0,
) -> Resolved:
    """Refuses what the registry does not know; the order of messages and items is kept. first: their first entry."""
    resolved = Resolved(first)
    senders = registry if isinstance(registry, Senders) else Senders(registry)
    for received in messages:
        sender = senders.known.get(received.publisher)
        if sender is None:
            sender = senders.meet(received.publisher)
        content = received.content
        if isinstance(content, Message):
            _resolve_message(resolved, received, content, sender)
            for told in content.notices:
                _resolve_notice(resolved, received, told, sender, now_ms)
        elif isinstance(content, Unusable):
            _refuse_message(resolved, received, content, sender.publisher_id)
        elif isinstance(content, Result):
            _resolve_result(resolved, received, content, sender)
        else:
            _resolve_notice(resolved, received, content, sender, now_ms)
    return resolved


Place = tuple[int, Profile]  # frame id, and how its values are read


class Senders:
    """Publishers met so far, as of one state of the registry: who holds one forgets it when the registry moves."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.known: dict[str, _Sender] = {}

    def meet(self, publisher: str) -> "_Sender":
        if len(self.known) >= _MOST_SENDERS:
            self.known.clear()
        sender = self.known[publisher] = _Sender(self._registry, publisher)
        return sender


class _Sender:
    """A publisher, and for whom it may speak. own: where its own items belong, if they do anywhere."""

    __slots__ = ("_place", "_registry", "own", "publisher", "publisher_id")

    def __init__(self, registry: Registry, key: str) -> None:
        self._registry = registry
        self.publisher = publisher = registry.device(key)
        self.publisher_id = (
            UNKNOWN_PUBLISHER if publisher is None else publisher.device_id
        )
        self._place = _place(self.device(None))
        self.own = None if isinstance(self._place, Unusable) else self._place

    def place(self, named: str | None) -> Place | Unusable:
        """Where an item of this publisher belongs."""
        return self._place if named is None else _place(self.device(named))

    def key(self, named: str | None) -> str | None:
        """Our own name of a device that is named by an external id; as it is, where we have none."""
        if named is None or ":" not in named:
            return named
        device = self._registry.device(named)
        return named if device is None else device.key

    def device(self, named: str | None) -> RegisteredDevice | Unusable:
        """The device that a message of this publisher is about."""
        publisher = self.publisher
        if publisher is None:
            return _UNKNOWN_PUBLISHER
        if publisher.retired:
            return _RETIRED_PUBLISHER
        if named is None or named == publisher.key:
            return publisher
        device = self._registry.device(named)
        if device is None:
            return Unusable(
                Reason.UNKNOWN_DEVICE, f"the device {spell(named)} is not registered"
            )
        hosted = device.device_id in publisher.hosts
        if not hosted and device.device_id != publisher.device_id:
            return Unusable(
                Reason.NOT_HOSTED,
                f"{publisher.key} does not host {spell(named)}; the operator ties devices to gateways",
            )
        if device.retired:
            return Unusable(
                Reason.RETIRED_DEVICE, f"{spell(named)} is taken out of service"
            )
        return device


_UNKNOWN_PUBLISHER: Final = Unusable(
    Reason.UNKNOWN_DEVICE,
    "the publisher is not registered; `alatau devices add` does that",
)
_RETIRED_PUBLISHER: Final = Unusable(
    Reason.RETIRED_DEVICE, "the publisher is taken out of service"
)
NOT_ASKED: Final = Unusable(
    Reason.UNKNOWN_COMMAND,
    '"id" is not the id of a command that this publisher was sent',
)
_NO_CHANNELS: Final = Unusable(
    Reason.NO_CHANNELS,
    'it measures nothing itself; name the hosted "device" of each item',
)


def _place(device: RegisteredDevice | Unusable) -> Place | Unusable:
    if isinstance(device, Unusable):
        return device
    if device.frame_id is None or device.profile is None:
        return _NO_CHANNELS
    return device.frame_id, device.profile


def _resolve_message(
    resolved: Resolved, received: Received, message: Message, sender: _Sender
) -> None:
    entry = first = resolved.end
    items, own = message.items, sender.own
    if own is not None and len(items) == 1 and _is_its_own(items[0]):
        # Nearly every message.
        observed = Observed(entry, *own, items[0], received, 0)
        resolved.observed.append(observed)
        resolved.publishers.append(sender.publisher_id)
        _number(resolved, entry, message, sender)
        return
    for index, item in enumerate(items):
        if isinstance(item, Unusable):
            resolved.refused.append(_refused_item(entry, received, index, item))
        else:
            place = sender.place(item.device)
            if place is _NO_CHANNELS and is_optional(item):
                continue  # and no item
            if isinstance(place, Unusable):
                named = sender.key(item.device)
                refused = _refused_item(entry, received, index, place, named)
                resolved.refused.append(refused)
            else:
                frame_id, profile = place
                fitted = (
                    fit(item, profile, sender.key(item.device))
                    if isinstance(item, ForeignReading)
                    else item
                )
                if fitted is None:
                    continue  # and no item
                resolved.observed.append(
                    Observed(entry, frame_id, profile, fitted, received, index)
                )
        entry += 1
    resolved.publishers += [sender.publisher_id] * (entry - first)
    _number(resolved, entry - 1, message, sender)


def _is_its_own(item: Reading | Unusable) -> TypeGuard[Reading]:
    return (
        isinstance(item, Reading)
        and item.device is None
        and not isinstance(item, ForeignReading)
    )


def _number(resolved: Resolved, entry: int, message: Message, sender: _Sender) -> None:
    """Settle the message's number with its last item."""
    if message.seq is not None and message.epoch is not None and sender.publisher_id:
        resolved.numbered.append(
            Numbered(entry, sender.publisher_id, message.epoch, message.seq)
        )


def _refused_item(
    entry: int,
    received: Received,
    index: int,
    why: Unusable,
    device: str | None = None,
) -> Refused:
    return Refused(entry, "item", why.reason, why.detail, received, index, device)


def _refuse_message(
    resolved: Resolved, received: Received, why: Unusable, publisher_id: int
) -> None:
    """A message that cannot be taken apart counts as one item."""
    resolved.refused.append(
        Refused(resolved.end, "message", why.reason, why.detail, received)
    )
    resolved.publishers.append(publisher_id)


def _resolve_notice(
    resolved: Resolved,
    received: Received,
    content: Birth | Death,
    sender: _Sender,
    now_ms: int,
) -> None:
    notice = _notice(content, sender, now_ms)
    if isinstance(notice, Unusable):
        _refuse_message(resolved, received, notice, sender.publisher_id)
    else:
        resolved.notices.append((resolved.end, notice))


def _resolve_result(
    resolved: Resolved, received: Received, result: Result, sender: _Sender
) -> None:
    publisher, number = sender.device(None), command_number(result.id)
    if isinstance(publisher, Unusable):
        _refuse_message(resolved, received, publisher, sender.publisher_id)
    elif number is None:
        _refuse_message(resolved, received, NOT_ASKED, sender.publisher_id)
    else:
        resolved.answers.append(
            Answer(publisher.device_id, number, result.ok, result.detail, received)
        )


def _notice(content: Birth | Death, sender: _Sender, now_ms: int) -> Notice | Unusable:
    device = sender.device(content.device)
    if isinstance(device, Unusable):
        return device
    time_ms = _notice_time(content.time, now_ms)
    if isinstance(content, Death):
        return Notice(
            kind="death",
            device_id=device.device_id,
            publisher_id=sender.publisher_id,
            time_ms=time_ms,
        )
    return Notice(
        kind="birth",
        device_id=device.device_id,
        publisher_id=sender.publisher_id,
        time_ms=time_ms,
        epoch=content.epoch,
        oldest_seq=content.oldest_seq,
        firmware=content.firmware,
    )


def _notice_time(time: int | dt.datetime | None, now_ms: int) -> int:
    """When it says so; when it came, if it says nothing or has a clock that is plainly wrong."""
    if time is None:
        return now_ms
    said = milliseconds(time)
    return said if abs(said - now_ms) <= _LARGEST_CLOCK_ERROR_MS else now_ms
