"""ChirpStack v4 integration events as JSON, over MQTT or a webhook (docs/formats/chirpstack.md).

Source: https://www.chirpstack.io/docs/chirpstack/integrations/events.html
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from typing_extensions import override

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
from services.ingest.wire_format import Route, WireFormat

_MALFORMED_ERRORS: Final = (ValueError, RecursionError)
_TOPIC_PARTS: Final = 6  # application, publisher, device, DevEUI, event, kind


class _Device(msgspec.Struct, rename="camel"):
    dev_eui: DevEui


class _Gateway(msgspec.Struct):
    """How well a gateway heard it; what is zero, ChirpStack leaves out."""

    rssi: float = 0
    snr: float = 0


class _Event(msgspec.Struct, rename="camel", kw_only=True):
    device_info: _Device
    time: AwareTime | None = None


class _Uplink(_Event, rename="camel", kw_only=True):
    data: str | None = None
    decoded: dict[str, Any] | None = msgspec.field(name="object", default=None)
    rx_info: list[_Gateway] = []


class _Status(_Event, rename="camel", kw_only=True):
    margin: int = 0
    battery_level: float = 0
    battery_level_unavailable: bool = False
    external_power_source: bool = False


Event = TypeVar("Event", bound=_Event)
_NO_VALUES: Final = Message(())  # nothing to store, and nothing lost


def decode_uplink(payload: bytes) -> Message | Unusable:
    """`up`: the decoded `object`, and the best gateway's rssi and snr where the device type has such channels.

    Never raises. Its device is the external id `dev_eui:…`, which the publisher must host.
    """
    uplink = _read(payload, _UPLINK)
    if isinstance(uplink, Unusable):
        return uplink
    if uplink.decoded is None:
        return _NOT_DECODED if uplink.data else _NO_VALUES
    best = max(uplink.rx_info, key=lambda heard: heard.rssi, default=None)
    signal: dict[str, ForeignValue] = (
        {} if best is None else {"rssi": best.rssi, "snr": best.snr}
    )
    return _message(uplink, signal | dict(flat(uplink.decoded)), frozenset(signal))


def decode_status(payload: bytes) -> Message | Unusable:
    """`status`: margin and battery, where the device type has such channels."""
    status = _read(payload, _STATUS)
    if isinstance(status, Unusable):
        return status
    values: dict[str, ForeignValue] = {"margin": status.margin}
    if not status.battery_level_unavailable and not status.external_power_source:
        values["battery_level"] = status.battery_level
    return _message(status, values, frozenset(values))


def decode_join(payload: bytes) -> Birth | Unusable:
    joined = _read(payload, _JOIN)
    if isinstance(joined, Unusable):
        return joined
    return Birth(time=joined.time, device=_device(joined))


def decode_event(kind: str, payload: bytes) -> Decoded | None:
    """kind: as ChirpStack calls its events. None: no event that it has."""
    decode = _DECODERS.get(kind)
    return None if decode is None else decode(payload)


def _read(payload: bytes, decoder: msgspec.json.Decoder[Event]) -> Event | Unusable:
    if len(payload) > LARGEST_PAYLOAD:
        return Unusable(Reason.TOO_LARGE, f"it has {len(payload)} bytes")
    try:
        return decoder.decode(payload)
    except _MALFORMED_ERRORS as error:
        return Unusable(Reason.MALFORMED, f"not an event of ChirpStack 4: {error}")


def _device(event: _Event) -> str:
    return device_of(event.device_info.dev_eui)


def _message(
    event: _Event, values: dict[str, ForeignValue], optional: frozenset[str]
) -> Message:
    return Message(
        [
            ForeignReading(
                values=values,
                time=event.time,
                time_quality="gateway",
                device=_device(event),
                optional=optional,
            )
        ]
    )


_UPLINK: Final = msgspec.json.Decoder(_Uplink)
_STATUS: Final = msgspec.json.Decoder(_Status)
_JOIN: Final = msgspec.json.Decoder(_Event)
_NOT_DECODED: Final = Unusable(
    Reason.EMPTY,
    'there is no "object": give the device profile in ChirpStack a payload codec',
)

_DECODERS: Final[Mapping[str, Callable[[bytes], Decoded]]] = {
    "up": decode_uplink,
    "status": decode_status,
    "join": decode_join,
} | dict.fromkeys(
    ("ack", "txack", "log", "location", "integration"), lambda _: _NO_VALUES
)


class ChirpStack(WireFormat):
    """Its topics with the publisher at the application's place: see the page for what is set in ChirpStack."""

    name = "chirpstack"
    filters = ("application/+/device/+/event/+",)

    @override
    def route(self, topic: str) -> Route | None:
        parts = topic.split("/")
        if len(parts) != _TOPIC_PARTS or parts[::2] != [
            "application",
            "device",
            "event",
        ]:
            return None
        decode = _DECODERS.get(parts[-1])
        if decode is None:
            return None
        return Route(
            parts[1], parts[-1], lambda publication: decode(publication.payload)
        )


def open_format() -> ChirpStack:
    return ChirpStack()
