"""GET /devices, /devices/{key}."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.operator.devices.schemas import Device, DeviceStatus, ExternalId
from services.api.operator.devices.store import (
    DeviceFilter,
    find_device,
    list_devices,
)
from services.api.parameters import (
    KEY_PATTERN,
    Districts,
    Domains,
    Key,
    Pages,
    Things,
    WithRetired,
    Words,
)
from services.api.schemas import Page

_SILENT_AFTER: Final = 3  # periods

router = APIRouter(tags=["Devices"], responses=documented(401, 422, 503))


@router.get("/devices", responses=documented(400))
async def get_devices(
    scope: ReadScope,
    context: Context,
    pages: Pages,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    gateway: Annotated[
        str | None,
        Query(
            pattern=KEY_PATTERN,
            description="Only devices that this gateway (its key) may speak for.",
        ),
    ] = None,
    q: Words = None,
    retired: WithRetired = False,
) -> Page[Device]:
    """Devices this user may see, by id, with their status."""
    chosen = DeviceFilter(domain, district, thing, gateway, q, retired)
    async with context.database.reading() as connection:
        rows = await list_devices(connection, scope, chosen, pages.after_id, pages.rows)
    now = context.clock.now()
    return pages.page(
        rows, lambda row: _device(row, now), lambda row: (row["device_id"],)
    )


@router.get("/devices/{key}", responses=documented(404))
async def get_device(key: Key, scope: ReadScope, context: Context) -> Device:
    """One device and its status."""
    async with context.database.reading() as connection:
        row = await find_device(connection, scope, key)
    if row is None:
        raise NotFoundError(f"There is no device {key!r} that you may see.")
    return _device(row, context.clock.now())


def _device(row: Mapping[str, Any], now: dt.datetime) -> Device:
    period_ms = row["period_ms"]
    return Device(
        device_id=row["device_id"],
        key=row["key"],
        type=row["type"],
        thing=row["thing"],
        domain=row["domain"],
        district=row["district"],
        publishes=row["publishes"],
        period_seconds=period_ms / 1000 if period_ms else None,
        hosted_by=row["hosted_by"],
        hosts=row["hosts"],
        external_ids=[ExternalId(**external) for external in row["external_ids"]],
        status=_status(row, now),
        retired_at=row["retired_at"],
    )


def _status(row: Mapping[str, Any], now: dt.datetime) -> DeviceStatus:
    seen, period_ms = row["last_seen"], row["period_ms"]
    age = max(0.0, round((now - seen).total_seconds(), 3)) if seen else None
    silent = None
    if period_ms:
        silent = age is None or age * 1000 > period_ms * _SILENT_AFTER
    return DeviceStatus(
        online=row["online"],
        online_since=row["online_since"],
        last_seen=seen,
        last_time=row["last_time"],
        age_seconds=age,
        silent=silent,
        firmware=row["firmware"],
    )
