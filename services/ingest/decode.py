"""PURE: from a publication to what it says, by its topic."""

from typing import Final

from services.core.broker.link import Publication
from services.core.broker.topics import UpTopic, parse_up_topic
from services.core.reasons import Reason
from services.ingest.decoders.native_json import DECODERS
from services.ingest.messages import Received, Unusable

_MOST_TOPICS: Final = 100_000  # remembered

_UNKNOWN_TOPIC: Final = Unusable(
    Reason.UNKNOWN_TOPIC, "the topic is not city/v1/{device}/ with data, birth or death"
)


class Decoder:
    """Remembers topics, which are few and come again and again."""

    def __init__(self) -> None:
        self._topics: dict[str, UpTopic] = {}

    def decode(self, publication: Publication) -> Received:
        """Never raises, whatever the bytes."""
        topic = self._topics.get(publication.topic) or self._parse(publication.topic)
        decoder = DECODERS.get(topic.kind)
        content = _UNKNOWN_TOPIC if decoder is None else decoder(publication.payload)
        return Received(publication, topic.publisher, topic.kind, content)

    def _parse(self, text: str) -> UpTopic:
        topic = parse_up_topic(text) or UpTopic("", "")
        if len(self._topics) >= _MOST_TOPICS:
            self._topics.clear()
        self._topics[text] = topic
        return topic
