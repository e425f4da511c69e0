"""SenML, RFC 8428: JSON and CBOR on city/v1/{device}/senml (docs/formats/senml.md)."""

from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import parse_up_topic
from services.core.clock import Clock, SystemClock
from services.ingest.decoders.senml.pack import decode_pack
from services.ingest.messages import Decoded
from services.ingest.wire_format import Route, WireFormat


class Senml(WireFormat):
    """Its topic is one of those that are subscribed to for native messages."""

    name = "senml"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @override
    def route(self, topic: str) -> Route | None:
        parsed = parse_up_topic(topic)
        if parsed is None or parsed.kind != "senml":
            return None
        return Route(parsed.publisher, parsed.kind, self._decode)

    def _decode(self, publication: Publication) -> Decoded:
        return decode_pack(publication.payload, self._clock.now_ms())


def open_format() -> Senml:
    return Senml(SystemClock())
