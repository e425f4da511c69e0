"""PURE: edge nodes' messages, read with what their births explained; a birth is asked for where it is missing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.ingest.decoders.native_json import LARGEST_PAYLOAD
from services.ingest.decoders.sparkplug.compression import unpacked
from services.ingest.decoders.sparkplug.payload import DecodeError, Payload
from services.ingest.decoders.sparkplug.session import (
    LARGEST_SESSION,
    EdgeNode,
    Metrics,
    Order,
    Session,
    metrics_of,
    weight,
)
from services.ingest.decoders.sparkplug.topics import Topic
from services.ingest.decoders.sparkplug.values import quality_of, value_of
from services.ingest.messages import (
    Birth,
    Death,
    Decoded,
    ForeignReading,
    ForeignValue,
    Message,
    Unusable,
)

_BD_SEQ: Final = "bdSeq"
_BD_SEQS: Final = 256
_NOT_MEASURED: Final = ("Node Control/", "Device Control/", "Properties/")

Ask = Callable[[str, str], None]  # group, edge node


class EdgeNodes:
    """By edge node id: a publisher is one edge node, of the group of its last NBIRTH."""

    def __init__(self, ask_rebirth: Ask) -> None:
        self._nodes: dict[str, EdgeNode] = {}
        self._changed: set[str] = set()
        self._ask_rebirth = ask_rebirth

    def remember(self, memories: Mapping[str, bytes]) -> None:
        for node, body in memories.items():
            try:
                self._nodes[node] = EdgeNode.recall(body)
            except msgspec.DecodeError:
                continue  # of another version: its next message asks for a birth

    def take_memories(self) -> Mapping[str, bytes]:
        changed, self._changed = self._changed, set()
        return {node: self._nodes[node].body() for node in changed}

    def decode(self, topic: Topic, publication: Publication) -> Decoded:
        """Never raises, whatever the bytes."""
        payload = _payload_of(publication)
        if isinstance(payload, Unusable):
            return self._refuse(topic, payload)
        if topic.kind == "NBIRTH":
            return self._take_node_birth(topic, payload, publication.connection)
        if topic.kind == "NDEATH":
            return self._take_node_death(topic, payload)
        node = self._node(topic)
        order = self._watch(topic, node, payload, publication.connection)
        if topic.kind == "DDEATH":
            return _take_device_death(topic, node, payload)
        if topic.kind == "DBIRTH":
            return self._take_device_birth(topic, node, payload)
        known = _explained(topic, node, order, publication.qos)
        return self._take_data(topic, node, payload, known)

    def _node(self, topic: Topic) -> EdgeNode | None:
        node = self._nodes.get(topic.node)
        return node if node is not None and node.session.group == topic.group else None

    def _watch(
        self, topic: Topic, node: EdgeNode | None, payload: Any, connection: int
    ) -> Order | None:
        """Ask for a birth, until it comes, when the node's order is broken, or it speaks without having been born."""
        if node is None:
            self._ask(topic, node)
            return None
        order: Order | None = None
        if payload.HasField("seq"):
            order = node.order(payload.seq, payload.timestamp, connection)
        if node.birth_due or (order == "next" and _is_ghost(topic, node)):
            self._ask(topic, node)
        return order

    def _ask(self, topic: Topic, node: EdgeNode | None) -> None:
        """One that could not be read would come again, and in vain."""
        if node is None or node.unreadable.isdisjoint({None, topic.device}):
            self._ask_rebirth(topic.group, topic.node)

    # Births

    def _refuse(self, topic: Topic, why: Unusable) -> Unusable:
        """Of a birth that cannot be read only that there was one is known: the one before explains nothing any more."""
        node = self._node(topic)
        if topic.kind == "NBIRTH":
            node = EdgeNode(Session(topic.group, None, {}, {}))
            node.unreadable.add(None)
            self._keep(topic.node, node)
        elif topic.kind == "DBIRTH" and node is not None and topic.device is not None:
            node.forget(topic.device)
            self._keep(topic.node, node)
        return why

    def _keep(self, name: str, node: EdgeNode) -> None:
        self._nodes[name] = node
        self._changed.add(name)

    def _take_node_birth(self, topic: Topic, payload: Any, connection: int) -> Decoded:
        metrics = metrics_of(payload)
        if weight(metrics) > LARGEST_SESSION:
            return self._refuse(topic, _TOO_MANY)
        node = EdgeNode(Session(topic.group, _bd_seq(payload), metrics, {}))
        node.order(payload.seq, payload.timestamp, connection)
        self._keep(topic.node, node)
        return _birth(topic, payload, metrics)

    def _take_device_birth(
        self, topic: Topic, node: EdgeNode | None, payload: Any
    ) -> Decoded:
        """It explains itself, so that it counts although its node's birth is missing."""
        metrics = metrics_of(payload)
        if node is not None and topic.device is not None:
            if not node.take_birth(topic.device, metrics):
                return self._refuse(topic, _TOO_MANY)
            self._keep(topic.node, node)
        return _birth(topic, payload, metrics)

    # Deaths

    def _take_node_death(self, topic: Topic, payload: Any) -> Decoded:
        """With it die its devices. The death of an earlier birth than the last one comes too late to count."""
        node = self._node(topic)
        if node is None:
            return Death(time=_time(payload))
        if _is_earlier(_bd_seq(payload), node.session.bd_seq):
            return Message(())
        living = [name for name in node.session.devices if name not in node.dead]
        node.dead |= {None, *living}
        devices = (Topic(topic.group, "DDEATH", topic.node, name) for name in living)
        # A will is as old as its connection: when it died is when the broker says so.
        deaths = [Death(), *(Death(device=one.external_id) for one in devices)]
        return Message((), notices=deaths)

    # Data

    def _take_data(
        self, topic: Topic, node: EdgeNode | None, payload: Any, known: Metrics | None
    ) -> Decoded:
        items, explained = _items(topic, payload, known or {})
        if known is None or not explained:
            self._ask(topic, node)
        return Message(items)


def _payload_of(publication: Publication) -> Any:
    """Or Unusable."""
    if len(publication.payload) > LARGEST_PAYLOAD:
        return Unusable(Reason.TOO_LARGE, f"it has {len(publication.payload)} bytes")
    packed = Payload()
    try:
        packed.ParseFromString(publication.payload)
        payload = unpacked(packed, LARGEST_PAYLOAD)
    except DecodeError as error:
        return Unusable(Reason.MALFORMED, f"not a Sparkplug B payload: {error}")
    return payload if all(map(_is_text, payload.metrics)) else _NO_TEXT


_NO_TEXT: Final = Unusable(
    Reason.MALFORMED, "a metric's name or string_value is not UTF-8"
)


def _is_text(metric: Any) -> bool:
    """Strings that are not UTF-8 are parsed as bytes."""
    return type(metric.name) is str and type(metric.string_value) is str


def _is_earlier(death: int | None, birth: int | None) -> bool:
    """A bdSeq wraps at 256. A later death is that of a birth which was not heard: some clients number so."""
    if death is None or birth is None:
        return False
    return 0 < (birth - death) % _BD_SEQS < _BD_SEQS // 2


def _is_ghost(topic: Topic, node: EdgeNode) -> bool:
    """Whether it sends data after a death, without a birth."""
    return topic.kind.endswith("DATA") and node.is_dead(topic.device)


def _explained(
    topic: Topic, node: EdgeNode | None, order: Order | None, qos: int
) -> Metrics | None:
    """What is known of its metrics; None where another birth may have come and gone unheard, with other aliases."""
    if node is None or (node.doubtful and not qos):
        return None
    if node.is_dead(topic.device) and order != "repeated":
        return None
    return node.explains(topic.device)


def _take_device_death(topic: Topic, node: EdgeNode | None, payload: Any) -> Decoded:
    if node is not None and topic.device in node.session.devices:
        node.dead.add(topic.device)
    return Death(time=_time(payload), device=topic.external_id)


def _birth(topic: Topic, payload: Any, metrics: Metrics) -> Message:
    """A birth lists all that there is: what is no channel of the device type is nobody's loss."""
    items, _ = _items(topic, payload, metrics)
    for item in items:
        item.optional = frozenset(item.values)
    return Message(
        items, notices=[Birth(time=_time(payload), device=topic.external_id)]
    )


_TOO_MANY: Final = Unusable(
    Reason.TOO_LARGE, "an edge node and its devices have more metrics than are kept"
)


def _items(
    topic: Topic, payload: Any, known: Metrics
) -> tuple[list[ForeignReading], bool]:
    """One for each time stamp; and whether all metrics were explained by their birth."""
    items: list[ForeignReading] = []
    open_items: dict[int | None, ForeignReading] = {}
    explained = True
    for metric in payload.metrics:
        name, value = _said(metric, known)
        explained = explained and value is not _NO_BIRTH
        if value is None or name == _BD_SEQ or name.startswith(_NOT_MEASURED):
            continue
        time = metric.timestamp or _time(payload)
        item = open_items.get(time)
        if item is None or name in item.values:
            item = ForeignReading(values={}, time=time, device=topic.external_id)
            open_items[time] = item
            items.append(item)
        _put(item, name, value, quality_of(metric))
    return items, explained


def _put(
    item: ForeignReading, name: str, value: ForeignValue, quality: str | None
) -> None:
    item.values[name] = value
    if quality is not None:
        item.quality = {**(item.quality or {}), name: quality}


_NO_BIRTH: Final = Unusable(
    Reason.NO_BIRTH, "no birth that is known explains this metric; one was asked for"
)


def _said(metric: Any, known: Metrics) -> tuple[str, ForeignValue]:
    """Name and value; what the metric does not say itself, its birth said."""
    named = metric.name or metric.HasField("alias")
    born = known.get(metric.name or metric.alias) if named else None
    name = metric.name or (born[0] if born else f"alias {metric.alias}")
    datatype = metric.datatype or (born[1] if born else 0)
    if not datatype or not (metric.name or born):
        return name, _NO_BIRTH
    return name, value_of(metric, datatype)


def _bd_seq(payload: Any) -> int | None:
    found: Iterable[int] = (
        metric.long_value or metric.int_value
        for metric in payload.metrics
        if metric.name == _BD_SEQ
    )
    return next(iter(found), None)


def _time(payload: Any) -> int | None:
    return payload.timestamp or None
