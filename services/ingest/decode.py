"""From a publication to what it says, by its topic: the formats in decoders/ are asked in turn."""

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Final

import structlog

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.ingest import decoders
from services.ingest.messages import Decoded, Received, Unusable
from services.ingest.set_aside import OVER_BUDGET
from services.ingest.wire_format import Route, Standing, WireFormat

log = structlog.get_logger()

# Remembered. A publisher may make up as many as it likes, as long as it likes.
_MOST_TOPICS: Final = 20_000
_LONGEST_TOPIC: Final = 250

FAULT: Final = (
    "not readable for us"  # begins the detail of what we, not its maker, have to mend
)
_UNKNOWN_TOPIC: Final = Unusable(
    Reason.UNKNOWN_TOPIC,
    "no format that the platform reads has such a topic, for instance city/v1/{device}/data",
)


def open_formats() -> list[WireFormat]:
    """One of each, by name: all that is in decoders/."""
    found = pkgutil.iter_modules(decoders.__path__, f"{decoders.__name__}.")
    return [import_module(module.name).open_format() for module in found]


class Decoder:
    """Remembers topics, which are few and come again and again."""

    def __init__(self, formats: Sequence[WireFormat] | None = None) -> None:
        self._formats = {
            one.name: one
            for one in (formats if formats is not None else open_formats())
        }
        self._routes: dict[str, Route] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        return tuple(topics for one in self._formats.values() for topics in one.filters)

    def decode(self, publication: Publication) -> Received:
        """Never raises, whatever the bytes."""
        topic = publication.topic
        route = self._routes.get(topic) or self._route(topic)
        decode = (
            _refuse_flood if publication.connection == OVER_BUDGET else route.decode
        )
        try:
            content = decode(publication)
        except Exception as error:
            log.exception("a fault while decoding", action="decode_failed", topic=topic)
            content = Unusable(Reason.MALFORMED, f"{FAULT}: {error}")
        return Received(publication, route.publisher, route.kind, content)

    def publisher_of(self, topic: str) -> str:
        """Device id; empty for a topic of no format."""
        return (self._routes.get(topic) or self._route(topic)).publisher

    def reads(self, topic: str) -> bool:
        """Whether there is a format that has this topic."""
        return (self._routes.get(topic) or self._route(topic)) is not _NOWHERE

    def remember(self, memories: Mapping[str, Mapping[str, bytes]]) -> None:
        """memories: by format, then by the format's own keys."""
        for name, learned in memories.items():
            if name in self._formats:
                self._formats[name].remember(learned)

    def take_memories(self) -> Iterator[tuple[str, str, bytes]]:
        """(format, key, body) of what the formats have learned since."""
        for name, one in self._formats.items():
            for key, body in one.take_memories().items():
                yield name, key, body

    def take_requests(self) -> list[tuple[str, bytes]]:
        return [ask for one in self._formats.values() for ask in one.take_requests()]

    def standing(self) -> Standing | None:
        found = (one.standing() for one in self._formats.values())
        return next((standing for standing in found if standing is not None), None)

    def take_contradicted(self) -> bool:
        contradicted = [one.take_contradicted() for one in self._formats.values()]
        return any(contradicted)

    def _route(self, topic: str) -> Route:
        routes = (one.route(topic) for one in self._formats.values())
        route = next((found for found in routes if found is not None), _NOWHERE)
        if len(topic) <= _LONGEST_TOPIC:
            if len(self._routes) >= _MOST_TOPICS:
                self._routes.clear()
            self._routes[topic] = route
        return route


def _refuse(_publication: Publication) -> Decoded:
    return _UNKNOWN_TOPIC


def _refuse_flood(_publication: Publication) -> Decoded:
    return _FLOOD


_FLOOD: Final = Unusable(
    Reason.OVER_BUDGET,
    "this publisher has sent far more than it should for long, and too much of it is waiting; send it again later",
)
_NOWHERE: Final = Route("", "", _refuse)
