"""PURE: the messages a publisher sends, as docs/device-protocol.md wants them."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.core.broker.messages import Birth, Data, Death, Item

FIRMWARE: Final = "sim-1.0"
_MOST_ITEMS: Final = 100  # a message; keeps it well below 64 KB


class NumberedItem(Item, omit_defaults=True, kw_only=True):
    """A message of one item: its members stand beside its number."""

    seq: int | None = None
    epoch: int | None = None


_encoder = msgspec.json.Encoder()


def split(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [
        items[start : start + _MOST_ITEMS]
        for start in range(0, len(items), _MOST_ITEMS)
    ]


def data(items: Sequence[Item], epoch: int | None, seq: int | None) -> bytes:
    if len(items) > 1:
        return _encoder.encode(Data(items=list(items), seq=seq, epoch=epoch))
    [item] = items
    return _encoder.encode(
        NumberedItem(
            time=item.time,
            values=item.values,
            quality=item.quality,
            time_quality=item.time_quality,
            device=item.device,
            revises=item.revises,
            seq=seq,
            epoch=epoch,
        )
    )


def birth(
    time_ms: int, epoch: int | None, oldest_seq: int | None, device_type: str | None
) -> bytes:
    return _encoder.encode(
        Birth(
            time=time_ms,
            epoch=epoch,
            oldest_seq=oldest_seq,
            device_type=device_type,
            firmware=FIRMWARE,
        )
    )


def hosted_birth(time_ms: int, device: str, device_type: str | None) -> bytes:
    return _encoder.encode(
        Birth(time=time_ms, device=device, device_type=device_type, firmware=FIRMWARE)
    )


def death(time_ms: int | None = None, device: str | None = None) -> bytes:
    """Without a time: the will."""
    return _encoder.encode(Death(time=time_ms, device=device))
