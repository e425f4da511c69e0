"""ChirpStack v4's HTTP integration: its events by webhook (docs/formats/chirpstack-http.md)."""

from typing import ClassVar, Final

from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import parse_door_topic
from services.ingest.decoders.chirpstack import decode_event
from services.ingest.messages import Decoded, Message
from services.ingest.metrics import WEBHOOK_EVENTS
from services.ingest.wire_format import Route, WireFormat

_KIND: Final = "chirpstack"
_NO_VALUES: Final = Message(())


class ChirpStackHttp(WireFormat):
    name = "chirpstack_http"
    is_webhook: ClassVar[bool] = True

    @override
    def route(self, topic: str) -> Route | None:
        parsed = parse_door_topic(topic)
        if parsed is None or parsed.kind != _KIND or not parsed.event:
            return None
        event = parsed.event

        def decode(publication: Publication) -> Decoded:
            decoded = decode_event(event, publication.payload)
            known = decoded is not None
            WEBHOOK_EVENTS.labels(_KIND, event if known else "other").inc()
            return _NO_VALUES if decoded is None else decoded

        return Route(parsed.publisher, event, decode)


def open_format() -> ChirpStackHttp:
    return ChirpStackHttp()
