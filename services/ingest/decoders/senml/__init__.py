"""SenML, RFC 8428: JSON and CBOR on city/v1/{device}/senml (docs/formats/senml.md)."""

from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import parse_up_topic
from services.ingest.decoders.senml.pack import decode_pack
from services.ingest.messages import Decoded
from services.ingest.wire_format import Route, WireFormat


class Senml(WireFormat):
    """Its topic is one of those that are subscribed to for native messages."""

    name = "senml"

    @override
    def route(self, topic: str) -> Route | None:
        parsed = parse_up_topic(topic)
        if parsed is None or parsed.kind != "senml":
            return None
        return Route(parsed.publisher, parsed.kind, _decode)


def open_format() -> Senml:
    return Senml()


def _decode(publication: Publication) -> Decoded:
    return decode_pack(publication.payload)
