"""The port that a device's way of speaking comes through: one module of decoders/ is one wire format."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import msgspec

from services.core.broker.link import Publication
from services.ingest.messages import Decoded


class Route(msgspec.Struct, frozen=True, gc=False):
    """What is known of a topic before the payload is looked at. publisher: device id of who may write there."""

    publisher: str
    kind: str
    decode: Callable[[Publication], Decoded]


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What is to stand, retained, at a topic: online while ingest is connected, offline as its will."""

    topic: str
    online: bytes
    offline: bytes


class WireFormat:
    """A module decoders/NAME.py (or a package) is found by its `open_format()`, which returns one of these.

    Beside it lies NAME.acl: what the broker lets publishers (`pattern …`) and ingest (`user alatau.ingest`) do.
    A format that keeps no state overrides route() alone. One that does is asked after every batch for what it
    has learned, which is stored in the batch's own transaction, and told it again at the next start.
    """

    name: ClassVar[str]
    filters: ClassVar[tuple[str, ...]] = ()  # MQTT subscriptions of ingest
    is_webhook: ClassVar[bool] = False  # the HTTPS door takes it, too

    def route(self, topic: str) -> Route | None:
        """None: not a topic of this format. The answer is remembered: it may depend on the topic alone."""
        raise NotImplementedError

    def remember(self, memories: Mapping[str, bytes]) -> None:
        """At the start: all that take_memories() ever gave out, by key, the newest of each."""

    def take_memories(self) -> Mapping[str, bytes]:
        """What was learned since it was asked last; what only lives until the next birth need not be kept."""
        return {}

    def take_requests(self) -> Sequence[tuple[str, bytes]]:
        """Topics and payloads that should be published now, at most once each."""
        return ()

    def standing(self) -> Standing | None:
        """Asked before each connect; a connection has one will, so that one format can have one."""
        return None

    def take_contradicted(self) -> bool:
        """Whether somebody said otherwise since: it is published again."""
        return False
