"""The platform as Sparkplug's host application: its STATE, and the rebirths that it asks for."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.core.broker.link import Publication
from services.core.clock import Clock
from services.ingest.decoders.sparkplug.payload import Payload
from services.ingest.decoders.sparkplug.topics import command_topic, state_topic
from services.ingest.messages import Decoded, Message
from services.ingest.wire_format import Standing

_BOOLEAN: Final = 11
_PATIENCE: Final = 10.0  # seconds between two requests to one edge node
NOTHING: Final = Message(())


class _State(msgspec.Struct):
    online: bool
    timestamp: int = 0


_decoder = msgspec.json.Decoder(_State)
_encoder = msgspec.json.Encoder()


class Host:
    def __init__(self, host_id: str, clock: Clock) -> None:
        self.topic = state_topic(host_id)
        self._clock = clock
        self._asked_at: dict[str, float] = {}
        self._requests: dict[str, bytes] = {}
        self._contradicted = False

    def standing(self) -> Standing:
        """Both states of one connection carry one time stamp (section 6.4.21)."""
        now_ms = self._clock.now_ms()
        online, offline = (
            _encoder.encode(_State(online=online, timestamp=now_ms))
            for online in (True, False)
        )
        return Standing(self.topic, online, offline)

    def hear_state(self, publication: Publication) -> Decoded:
        """What somebody says of this host: that it is offline is wrong while it reads this."""
        try:
            self._contradicted |= not _decoder.decode(publication.payload).online
        except (ValueError, RecursionError):
            self._contradicted = True
        return NOTHING

    def take_contradicted(self) -> bool:
        contradicted, self._contradicted = self._contradicted, False
        return contradicted

    def ask_rebirth(self, group: str, node: str) -> None:
        now = self._clock.monotonic()
        if now - self._asked_at.get(node, -_PATIENCE) < _PATIENCE:
            return
        self._asked_at[node] = now
        payload = Payload(timestamp=self._clock.now_ms())
        payload.metrics.add(
            name="Node Control/Rebirth", datatype=_BOOLEAN, boolean_value=True
        )
        self._requests[command_topic(group, node)] = payload.SerializeToString()

    def take_requests(self) -> Sequence[tuple[str, bytes]]:
        requests, self._requests = self._requests, {}
        return list(requests.items())
