"""The native JSON messages of docs/device-protocol.md: data, birth, death, result.

Well-formed messages go through msgspec; what it refuses is read again item by item and value by value, so
that one bad item or value never costs the others. Of a member that stands twice, the last one counts.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, TypeVar, cast

import msgspec
from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import UP_FILTERS, parse_up_topic
from services.core.reasons import Reason
from services.ingest.messages import (
    LARGEST_INTEGER,
    NOT_FINITE,
    AwareTime,
    Birth,
    Death,
    Decoded,
    Message,
    Reading,
    Result,
    Unusable,
    Value,
)
from services.ingest.wire_format import Route, WireFormat

LARGEST_PAYLOAD: Final = 65_536
_LONGEST_INTEGER: Final = (
    20  # digits; longer ones are beyond 2^53 anyway, and dear to convert
)
_MALFORMED_ERRORS: Final = (ValueError, RecursionError)


# What is beyond is left to the lenient way, which says why.
_Number53 = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_INTEGER)]


class _Data(Reading, gc=False, kw_only=True):
    """Both forms at once: an item with a number, or a number with items."""

    values: dict[str, Value] | None = None  # type: ignore[assignment] # the form with items has none
    seq: _Number53 | None = None
    epoch: _Number53 | None = None
    items: list[Reading] | None = None


_data_decoder = msgspec.json.Decoder(_Data)
_birth_decoder = msgspec.json.Decoder(Birth)
_death_decoder = msgspec.json.Decoder(Death)
_result_decoder = msgspec.json.Decoder(Result)
Notice = TypeVar("Notice", Birth, Death, Result)


def decode_data(payload: bytes) -> Message | Unusable:
    """Never raises, whatever the bytes."""
    if len(payload) > LARGEST_PAYLOAD:
        return _too_large(payload)
    try:
        data = _data_decoder.decode(payload)
    except _MALFORMED_ERRORS:
        return _decode_leniently(payload)
    seq, epoch = data.seq, data.epoch
    if epoch is None and seq is not None:
        return _NO_EPOCH
    if data.values is None or data.items is not None:
        return Message(_items(data.values, data.items), seq, epoch)
    return Message((data,), seq, epoch)


def decode_birth(payload: bytes) -> Birth | Unusable:
    birth = _decode_notice(payload, _birth_decoder)
    if isinstance(birth, Birth):
        numbers = (birth.epoch, birth.oldest_seq)
        if any(number is not None and not _in_range(number) for number in numbers):
            return Unusable(Reason.BAD_SEQUENCE, "epoch or oldest_seq out of 0 … 2^53")
        if birth.oldest_seq is not None and birth.epoch is None:
            return _NO_EPOCH
    return birth


def decode_death(payload: bytes) -> Death | Unusable:
    """A will may be empty."""
    return _decode_notice(payload or b"{}", _death_decoder)


def decode_result(payload: bytes) -> Result | Unusable:
    return _decode_notice(payload, _result_decoder)


class NativeJson(WireFormat):
    name = "native_json"
    filters = UP_FILTERS

    @override
    def route(self, topic: str) -> Route | None:
        parsed = parse_up_topic(topic)
        decode = parsed and _DECODERS.get(parsed.kind)
        return (
            Route(parsed.publisher, parsed.kind, decode) if parsed and decode else None
        )


def open_format() -> NativeJson:
    return NativeJson()


_DECODERS: Final[Mapping[str, Callable[[Publication], Decoded]]] = {
    "data": lambda publication: decode_data(publication.payload),
    "birth": lambda publication: decode_birth(publication.payload),
    "death": lambda publication: decode_death(publication.payload),
    "result": lambda publication: decode_result(publication.payload),
}

_NO_EPOCH: Final = Unusable(
    Reason.BAD_SEQUENCE, '"seq" needs an "epoch": a number that rises with every boot'
)
_VALUES_OR_ITEMS: Final = Unusable(
    Reason.MALFORMED, 'needs either "values" or "items", and not both'
)
_ITEMS_NO_ARRAY: Final = Unusable(Reason.MALFORMED, '"items" is not a JSON array')
_NO_ITEMS: Final = Unusable(
    Reason.EMPTY, '"items" is empty, so there is nothing to store'
)


class _Number(msgspec.Struct, gc=False):
    seq: int
    epoch: int


_number_decoder = msgspec.json.Decoder(_Number)


def _too_large(payload: bytes) -> Message | Unusable:
    """Its number, if there is one, is settled: it will not become smaller by being sent again."""
    why = Unusable(Reason.TOO_LARGE, _too_long(payload))
    try:
        number = _number_decoder.decode(payload)
    except _MALFORMED_ERRORS:
        return why
    if _sequence_fault(number.seq, number.epoch):
        return why
    return Message([why], number.seq, number.epoch)


def _decode_notice(
    payload: bytes, decoder: msgspec.json.Decoder[Notice]
) -> Notice | Unusable:
    if len(payload) > LARGEST_PAYLOAD:
        return Unusable(Reason.TOO_LARGE, _too_long(payload))
    try:
        return decoder.decode(payload)
    except _MALFORMED_ERRORS as error:
        return Unusable(Reason.MALFORMED, _sentence(error))


def _items(
    values: object, items: Sequence[Reading | Unusable] | None
) -> Sequence[Reading | Unusable]:
    """Of a message that is not one item alone. With nothing to use in it, its number is settled all the same."""
    if (values is None) == (items is None):
        return [_VALUES_OR_ITEMS]
    return items or [_NO_ITEMS]


def _in_range(number: int) -> bool:
    return 0 <= number <= LARGEST_INTEGER


def _sequence_fault(seq: int, epoch: int | None) -> Unusable | None:
    if epoch is None:
        return _NO_EPOCH
    if _in_range(seq) and _in_range(epoch):
        return None
    return Unusable(Reason.BAD_SEQUENCE, "seq and epoch are integers from 0 to 2^53")


# The lenient way: slower, and exact about what is wrong


def read_leniently(payload: bytes) -> object:
    """Any JSON; a number that is none, or too long to be one, is NOT_FINITE.

    Raises:
        ValueError: it is not UTF-8, or not JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(
        payload.decode("utf-8"),
        parse_int=_parse_integer,
        parse_float=_parse_float,
        parse_constant=_parse_float,
    )


def _decode_leniently(payload: bytes) -> Message | Unusable:
    try:
        data = read_leniently(payload)
    except _MALFORMED_ERRORS as error:
        return Unusable(Reason.MALFORMED, f"it is not UTF-8 JSON: {_sentence(error)}")
    if not isinstance(data, dict):
        return Unusable(Reason.MALFORMED, "it is JSON, and not a JSON object")
    seq, epoch = data.get("seq"), data.get("epoch")
    if seq is not None and (fault := _loose_sequence_fault(seq, epoch)):
        return fault
    number = (None, None) if seq is None else (seq, epoch)
    values, items = data.get("values"), data.get("items")
    if items is None and values is not None:
        return Message([_reading(data)], *number)
    if items is not None and not isinstance(items, list):
        return Message([_ITEMS_NO_ARRAY], *number)
    readings = None if items is None else [_reading(item) for item in items]
    return Message(_items(values, readings), *number)


def _parse_integer(digits: str) -> int:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else NOT_FINITE


def _parse_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else NOT_FINITE


def _loose_sequence_fault(seq: object, epoch: object) -> Unusable | None:
    if type(seq) is not int or type(epoch) not in (int, type(None)):
        return Unusable(Reason.BAD_SEQUENCE, "seq and epoch are integers")
    return _sequence_fault(seq, cast("int | None", epoch))


def _reading(item: object) -> Reading | Unusable:
    if not isinstance(item, dict):
        return Unusable(Reason.MALFORMED, "the item is not a JSON object")
    values = item.get("values")
    if not isinstance(values, dict):
        return Unusable(Reason.MALFORMED, '"values" is not a JSON object')
    try:
        time = msgspec.convert(item.get("time"), int | AwareTime | None)
    except _MALFORMED_ERRORS:
        return _BAD_TIME
    rest = {name: item[name] for name in _OPTIONAL if item.get(name) is not None}
    try:
        reading = msgspec.convert({**rest, "values": {}}, Reading)
    except _MALFORMED_ERRORS as error:
        return Unusable(Reason.MALFORMED, _sentence(error))
    reading.values, reading.time = values, time
    return reading


_BAD_TIME: Final = Unusable(
    Reason.BAD_TIME,
    '"time" is neither RFC 3339 with an offset nor integer milliseconds since 1970',
)
_OPTIONAL: Final = ("quality", "time_quality", "device", "revises")


def _too_long(payload: bytes) -> str:
    return f"it has {len(payload)} bytes, and may have {LARGEST_PAYLOAD}: send fewer items in a message"


def _sentence(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
