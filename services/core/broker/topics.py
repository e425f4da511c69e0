"""Topics: the only place that knows where the slashes are."""

from dataclasses import dataclass
from typing import Final, Literal

from services.core.city.ids import is_device_id

UpKind = Literal["birth", "data", "senml", "result", "death"]
DownKind = Literal["receipt", "command"]

_PREFIX: Final = "city/v1"
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
