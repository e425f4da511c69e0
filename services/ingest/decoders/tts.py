"""Webhooks of The Things Stack v3 (docs/formats/the-things-stack.md).

Source: https://www.thethingsindustries.com/docs/integrations/data-formats/
"""

from contextlib import suppress
from typing import Any, ClassVar, Final

import msgspec
from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import parse_door_topic
from services.core.reasons import Reason
from services.ingest.decoders.native_json import LARGEST_PAYLOAD
from services.ingest.lorawan import DevEui, device_of, flat
from services.ingest.messages import (
    AwareTime,
    Birth,
    Decoded,
    ForeignReading,
    ForeignValue,
    Message,
    Unusable,
)
from services.ingest.metrics import WEBHOOK_EVENTS
from services.ingest.wire_format import Route, WireFormat

_KIND: Final = "tts"
_MALFORMED_ERRORS: Final = (ValueError, RecursionError)
_NO_VALUES: Final = Message(())  # nothing to store, and nothing lost
_NOT_DECODED: Final = Unusable(
    Reason.EMPTY,
    'there is no "decoded_payload": give the application in The Things Stack a payload formatter',
)


class _Ids(msgspec.Struct):
    device_id: str
    dev_eui: DevEui | None = None


class _Gateway(msgspec.Struct):
    """How well a gateway heard it."""

    rssi: float | None = None
    snr: float | None = None


class _Uplink(msgspec.Struct):
    received_at: AwareTime | None = None
    decoded_payload: dict[str, Any] | None = None
    frm_payload: str | None = None
    rx_metadata: list[_Gateway] = []


class _Event(msgspec.Struct):
    """simulated: somebody pressed a button; nothing was measured."""

    end_device_ids: _Ids
    received_at: AwareTime | None = None
    uplink_message: _Uplink | None = None
    join_accept: msgspec.Raw = msgspec.Raw()
    simulated: bool = False


class _Stored(msgspec.Struct):
    """A line of the Storage Integration's answer."""

    result: _Event


_decoder = msgspec.json.Decoder(_Event)
_stored_decoder = msgspec.json.Decoder(_Stored)


def decode_webhook(payload: bytes) -> Decoded:
    """An uplink's values, or a join as a birth; of all other events, that they came. Never raises."""
    if len(payload) > LARGEST_PAYLOAD:
        return Unusable(Reason.TOO_LARGE, f"it has {len(payload)} bytes")
    try:
        event = _read(payload)
    except _MALFORMED_ERRORS as error:
        return Unusable(
            Reason.MALFORMED, f"not an event of The Things Stack 3: {error}"
        )
    if event.uplink_message is not None:
        return _uplink(event, event.uplink_message)
    if bytes(event.join_accept):
        return Birth(time=event.received_at, device=_device(event))
    return _NO_VALUES


def _read(payload: bytes) -> _Event:
    try:
        return _decoder.decode(payload)
    except msgspec.ValidationError:
        with suppress(ValueError):
            return _stored_decoder.decode(payload).result
        raise


def _uplink(event: _Event, uplink: _Uplink) -> Message | Unusable:
    """The network server's time, which is the same when the webhook is repeated."""
    if uplink.decoded_payload is None:
        return _NOT_DECODED if uplink.frm_payload else _NO_VALUES
    heard = [gateway for gateway in uplink.rx_metadata if gateway.rssi is not None]
    best = max(heard, key=lambda gateway: gateway.rssi or 0.0, default=_Gateway())
    signal: dict[str, ForeignValue] = {
        name: value
        for name, value in (("rssi", best.rssi), ("snr", best.snr))
        if value is not None
    }
    values = signal | dict(flat(uplink.decoded_payload))
    reading = ForeignReading(
        values=values,
        time=uplink.received_at or event.received_at,
        quality=dict.fromkeys(values, "substituted") if event.simulated else None,
        time_quality="gateway",
        device=_device(event),
        optional=frozenset(signal),
    )
    return Message([reading])


def _device(event: _Event) -> str:
    ids = event.end_device_ids
    return ids.device_id if ids.dev_eui is None else device_of(ids.dev_eui)


class TheThingsStack(WireFormat):
    name = "tts"
    is_webhook: ClassVar[bool] = True

    @override
    def route(self, topic: str) -> Route | None:
        parsed = parse_door_topic(topic)
        if parsed is None or parsed.kind != _KIND:
            return None
        return Route(parsed.publisher, _KIND, _decode)


def open_format() -> TheThingsStack:
    return TheThingsStack()


def _decode(publication: Publication) -> Decoded:
    decoded = decode_webhook(publication.payload)
    WEBHOOK_EVENTS.labels(_KIND, _name(decoded)).inc()
    return decoded


def _name(decoded: Decoded) -> str:
    if isinstance(decoded, Birth):
        return "join_accept"
    if isinstance(decoded, Unusable):
        return "unusable"
    return "uplink_message" if decoded != _NO_VALUES else "other"
