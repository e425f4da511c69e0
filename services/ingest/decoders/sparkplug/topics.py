"""PURE: Sparkplug's topics (Sparkplug 3.0.0, chapter 4)."""

from dataclasses import dataclass
from typing import Final

from services.core.city.ids import is_device_id

_NAMESPACE: Final = "spBv1.0"
_NODE_PARTS: Final = 4  # namespace, group, kind, edge node
_OF_NODE: Final = frozenset({"NBIRTH", "NDATA", "NDEATH"})
_OF_DEVICE: Final = frozenset({"DBIRTH", "DDATA", "DDEATH"})
FILTERS: Final = (
    *(f"{_NAMESPACE}/+/{kind}/+" for kind in sorted(_OF_NODE)),
    *(f"{_NAMESPACE}/+/{kind}/+/+" for kind in sorted(_OF_DEVICE)),
    f"{_NAMESPACE}/STATE/+",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """node: the edge node's id, which is its publisher's device id. device: Sparkplug's own id of one."""

    group: str
    kind: str
    node: str
    device: str | None = None

    @property
    def external_id(self) -> str | None:
        if self.device is None:
            return None
        return f"sparkplug:{self.group}/{self.node}/{self.device}"


def parse_topic(topic: str) -> Topic | None:
    """None: not a topic that an edge node speaks on."""
    parts = topic.split("/")
    if len(parts) < _NODE_PARTS or parts[0] != _NAMESPACE or not is_device_id(parts[3]):
        return None
    kinds = _OF_NODE if len(parts) == _NODE_PARTS else _OF_DEVICE
    if len(parts) > _NODE_PARTS + 1 or parts[2] not in kinds:
        return None
    return Topic(*parts[1:])


def command_topic(group: str, node: str) -> str:
    return f"{_NAMESPACE}/{group}/NCMD/{node}"


def is_state(topic: str) -> bool:
    """Whether a host application says there whether it is online."""
    return topic.startswith(state_topic(""))


def state_topic(host: str) -> str:
    return f"{_NAMESPACE}/STATE/{host}"
