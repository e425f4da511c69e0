"""Golden folders: a message as it came, and what its decoder has to make of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from services.ingest.messages import (
    Birth,
    Death,
    Decoded,
    ForeignReading,
    Message,
    Quantity,
    Reading,
    Result,
    Unusable,
    milliseconds,
)

FOLDER = Path(__file__).parents[2] / "golden"


def cases(format_name: str) -> list[Path]:
    found = sorted((FOLDER / format_name).iterdir())
    assert found
    return found


def expected(case: Path) -> Any:
    return json.loads((case / "expected.json").read_text(encoding="utf-8"))


def spelled(decoded: Decoded | Reading) -> Any:
    """As JSON; what says nothing is left out. An Unusable must say why in words, too."""
    if isinstance(decoded, Unusable):
        assert decoded.detail
        return {"unusable": decoded.reason.value}
    if isinstance(decoded, Message):
        return dict(_message(decoded))
    if isinstance(decoded, Reading):
        return dict(_members(decoded)) | {"values": _values(decoded)}
    assert isinstance(decoded, Birth | Death | Result)
    return {type(decoded).__name__.lower(): dict(_members(decoded))}


def _message(message: Message) -> Iterator[tuple[str, Any]]:
    yield "items", [spelled(item) for item in message.items]
    if message.notices:
        yield "notices", [spelled(notice) for notice in message.notices]


def _members(said: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for name in said.__struct_fields__:
        value = getattr(said, name)
        if name == "time" and value is not None:
            yield name, milliseconds(value)
        elif name == "optional" and value:
            yield name, sorted(value)
        elif name != "values" and value:
            yield name, value


def _values(item: Reading) -> dict[str, Any]:
    foreign = item.values if isinstance(item, ForeignReading) else {}
    return {name: _value(value) for name, value in (foreign or item.values).items()}


def _value(value: Any) -> Any:
    if isinstance(value, Quantity):
        return [value.value, value.unit]
    return spelled(value) if isinstance(value, Unusable) else value
