"""A CSV file of devices: `device[,type,thing,gateway,external_ids]`, or just one device id a line."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.core.city.entities import Device
from services.core.city.near import near
from services.core.errors import ConfigurationError

_OUTSIDE_IDS: Final = re.compile(r"[^a-z0-9_-]+")
_COLUMNS: Final = ("device", "type", "thing", "gateway", "external_ids")


@dataclass(frozen=True, slots=True)
class Wanted:
    """devices: to be in the registry, with these facts. keys: registered publishers that want credentials."""

    devices: tuple[Device, ...] = ()
    keys: tuple[str, ...] = ()


class DeviceFileError(ConfigurationError):
    """The file of devices cannot be used."""

    remedy = (
        "Columns: device[,type,thing,gateway,external_ids]; several gateways, and several external ids"
        " (scheme=value), with spaces between. Nothing was written."
    )


def device_of(
    key: str,
    device_type: str | None,
    thing: str | None,
    gateways: tuple[str, ...],
    external_ids: Iterable[str] = (),
) -> Device:
    """As in a city file: what a gateway hosts does not publish. external_ids: each `scheme=value`.

    key: also `scheme:value`, by which it is then known; its device id is made of the last part.

    Raises:
        ValueError: it cannot be a device.
    """
    if ":" in key:
        scheme, _, value = key.partition(":")
        external_ids = (f"{scheme}={value}", *external_ids)
        key = _OUTSIDE_IDS.sub("-", value.rpartition("/")[2].lower()).strip("-")
    return Device(
        key=key,
        type=device_type,
        thing=thing,
        publishes=not gateways,
        hosted_by=gateways,
        external_ids=tuple(_external_id(key, said) for said in external_ids),
    )


def _external_id(key: str, said: str) -> Mapping[str, str]:
    scheme, equals, value = said.partition("=")
    if not (scheme and equals and value):
        raise ValueError(f"{key}: the external id {said!r} is not scheme=value")
    return {"scheme": scheme, "value": value}


def read_device_file(path: Path) -> Wanted:
    """With a type or a thing a row says what to register; without it names a publisher.

    Raises:
        DeviceFileError: it cannot be read, or rows are wrong; it names every one.
    """
    devices: list[Device] = []
    keys: list[str] = []
    problems: list[str] = []
    for line, row in device_rows(path):
        try:
            device = _read_row(row)
        except ValueError as error:
            problems.append(f"{path.name}:{line}: {error}")
            continue
        if device is None:
            keys.append(row.get("device", ""))
        else:
            devices.append(device)
    if problems:
        raise DeviceFileError("\n".join(problems))
    return Wanted(tuple(devices), tuple(dict.fromkeys(keys)))


def device_rows(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    """(line, cells by column); without a head that has the column `device`, the first column is that.

    Raises:
        DeviceFileError: it cannot be read, or a column is nearly one of ours.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceFileError(f"{path} cannot be read: {error}") from error
    rows = [
        (line, [cell.strip() for cell in row])
        for line, row in enumerate(csv.reader(lines), 1)
        if any(cell.strip() for cell in row)
    ]
    if not rows or "device" not in rows[0][1]:
        return [(line, {"device": row[0]}) for line, row in rows]
    head = rows[0][1]
    problems = [
        f"{path.name}: the column {column!r} is unknown{suggested}"
        for column in head
        if column not in _COLUMNS and (suggested := near(column, _COLUMNS))
    ]
    if problems:
        raise DeviceFileError("\n".join(problems))
    return [(line, dict(zip(head, row, strict=False))) for line, row in rows[1:]]


def _read_row(row: Mapping[str, str]) -> Device | None:
    """None: it says nothing but which device.

    Raises:
        ValueError: it cannot be a device.
    """
    key, device_type, thing = row.get("device", ""), row.get("type"), row.get("thing")
    gateways = tuple(row.get("gateway", "").split())
    if not (device_type or thing or gateways):
        return None
    if not thing:
        raise ValueError(f"{key}: needs a thing")
    external_ids = row.get("external_ids", "").split()
    return device_of(key, device_type or None, thing, gateways, external_ids)
