"""PURE: what network servers of LoRaWAN have in common: decoded payloads as paths, DevEUIs as external ids."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec

from services.ingest.messages import ForeignValue

DevEui = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{16}$")]
_DEEPEST: Final = 4  # objects within a decoded payload


def device_of(dev_eui: str) -> str:
    return f"dev_eui:{dev_eui.lower()}"


def flat(
    decoded: Mapping[str, Any], path: str = "", depth: int = 0
) -> Iterator[tuple[str, ForeignValue]]:
    """Nested objects as paths: `{"battery": {"volts": 3.6}}` has `battery/volts`."""
    for name, value in decoded.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from flat(value, f"{path}{name}/", depth + 1)
        else:
            yield path + name, value
