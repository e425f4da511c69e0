"""Topics: the only place that knows where the slashes are."""

from dataclasses import dataclass
from typing import Final, Literal

from services.core.city.ids import is_device_id

UpKind = Literal["birth", "data", "senml", "result", "death"]
DownKind = Literal["receipt", "command"]

_PREFIX: Final = "city/v1"
_DOOR_PREFIX: Final = (
    "https/v1"  # no MQTT client reaches it: what came through the HTTPS door
)
_UP_KINDS: Final[frozenset[str]] = frozenset(
    {"birth", "data", "senml", "result", "death"}
)
UP_FILTERS: Final[tuple[str, ...]] = tuple(
    f"{_PREFIX}/+/{kind}" for kind in sorted(_UP_KINDS)
)


@dataclass(frozen=True, slots=True)
class UpTopic:
    publisher: str
    kind: str


def up_topic(publisher: str, kind: UpKind) -> str:
    return f"{_PREFIX}/{publisher}/{kind}"


def down_topic(publisher: str, kind: DownKind) -> str:
    return f"{_PREFIX}/{publisher}/{kind}"


def parse_up_topic(topic: str) -> UpTopic | None:
    """Publisher and kind of a topic a device may publish on; None: not one of ours."""
    parts = topic.split("/")
    if len(parts) != 4 or topic[: len(_PREFIX)] != _PREFIX:  # noqa: PLR2004 # city, v1, device, kind
        return None
    _, _, publisher, kind = parts
    return (
        UpTopic(publisher, kind)
        if kind in _UP_KINDS and is_device_id(publisher)
        else None
    )


def door_topic(publisher: str, kind: str, event: str = "") -> str:
    """What stands in for a topic where a webhook's body came through the HTTPS door. event: as the query named it."""
    return "/".join(filter(None, (_DOOR_PREFIX, publisher, kind, event)))


@dataclass(frozen=True, slots=True)
class DoorTopic:
    publisher: str
    kind: str
    event: str


def parse_door_topic(topic: str) -> DoorTopic | None:
    """What door_topic() was made of; None: not one of its."""
    prefix = f"{_DOOR_PREFIX}/"
    if not topic.startswith(prefix):
        return None
    publisher, _, rest = topic[len(prefix) :].partition("/")
    kind, _, event = rest.partition("/")
    return DoorTopic(publisher, kind, event) if is_device_id(publisher) else None
