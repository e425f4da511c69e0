"""Sparkplug B 3.0.0, the platform as its host application (docs/formats/sparkplug.md)."""

from collections.abc import Mapping, Sequence

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from services.core.clock import SystemClock
from services.ingest.decoders.sparkplug.edge_nodes import EdgeNodes
from services.ingest.decoders.sparkplug.host import NOTHING, Host
from services.ingest.decoders.sparkplug.topics import FILTERS, is_state, parse_topic
from services.ingest.wire_format import Route, Standing, WireFormat


class SparkplugSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="ALATAU_SPARKPLUG_", env_ignore_empty=True, frozen=True
    )

    host_id: str = Field(
        default="alatau",
        pattern="^[^/+#]+$",
        description="what edge nodes know the platform by: spBv1.0/STATE/{host_id}",
    )


class SparkplugB(WireFormat):
    name = "sparkplug"
    filters = FILTERS

    def __init__(self, host: Host) -> None:
        self._host = host
        self._nodes = EdgeNodes(host.ask_rebirth)

    @override
    def route(self, topic: str) -> Route | None:
        if topic == self._host.topic:
            return Route("", "STATE", self._host.hear_state)
        if is_state(topic):
            return Route("", "STATE", lambda _publication: NOTHING)
        parsed = parse_topic(topic)
        if parsed is None:
            return None
        return Route(
            parsed.node,
            parsed.kind,
            lambda publication: self._nodes.decode(parsed, publication),
        )

    @override
    def remember(self, memories: Mapping[str, bytes]) -> None:
        self._nodes.remember(memories)

    @override
    def take_memories(self) -> Mapping[str, bytes]:
        return self._nodes.take_memories()

    @override
    def take_requests(self) -> Sequence[tuple[str, bytes]]:
        return self._host.take_requests()

    @override
    def standing(self) -> Standing:
        return self._host.standing()

    @override
    def take_contradicted(self) -> bool:
        return self._host.take_contradicted()


def open_format() -> SparkplugB:
    return SparkplugB(Host(SparkplugSettings().host_id, SystemClock()))
