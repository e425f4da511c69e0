"""What an engineer chose, as a change of the registry."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from services.api.failures import ConflictError, InvalidRequestError
from services.api.operator.rejected.schemas import Mend
from services.core.city.entities import Device
from services.core.storage import remedies
from services.core.storage.pool import Connection
from services.core.storage.registry_store import RegistrationError, register_devices
from services.core.storage.remedies import Remedy, RemedyError

_NEEDS: Final = {
    "channel": ("channel",),
    "range": ("low", "high"),
    "device": ("device_type", "thing"),
    "host": ("tie",),
}


async def mend(
    connection: Connection, remedy: Remedy, chosen: Mend, by: str, now: dt.datetime
) -> int:
    """The registry's revision then.

    Raises:
        ConflictError: nothing would mend it, or the registry cannot be mended like this.
        InvalidRequestError: what the remedy needs was not chosen.
    """
    if remedy.kind is None:
        raise ConflictError("Nothing in the registry would mend this.")
    needed = [getattr(chosen, name) for name in _NEEDS[remedy.kind]]
    enough = any if remedy.kind == "range" else all
    if not enough(value is not None for value in needed):
        words = ", ".join(_NEEDS[remedy.kind])
        raise InvalidRequestError(f"This needs {words}.")
    try:
        return await _write(connection, remedy.kind, remedy.facts, (chosen, by, now))
    except (RemedyError, RegistrationError) as error:
        raise ConflictError(str(error)) from error


async def _write(
    connection: Connection,
    kind: str,
    facts: Mapping[str, Any],
    asked: tuple[Mend, str, dt.datetime],
) -> int:
    chosen, by, now = asked
    if kind == "channel":
        return await remedies.map_channel(
            connection,
            facts["device_type"],
            facts["alias"],
            str(chosen.channel),
            by=by,
            now=now,
        )
    if kind == "range":
        bounds = (chosen.low, chosen.high)
        observed = facts["observed_property"]
        return await remedies.widen_range(connection, observed, *bounds, by=by, now=now)
    if kind == "host":
        gateway, device = facts["gateway"], facts["device"]
        return await remedies.tie_host(connection, gateway, device, by=by)
    try:
        wanted = Device(
            key=facts["device"],
            type=chosen.device_type,
            thing=chosen.thing,
            publishes=facts["gateway"] is None,
            hosted_by=(facts["gateway"],) if facts["gateway"] else (),
        )
    except ValueError as error:
        raise ConflictError(str(error)) from error
    return (await register_devices(connection, [wanted], actor=by)).revision
