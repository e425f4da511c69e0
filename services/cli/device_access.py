"""How a publisher is known beside its secret: its certificates, and a new secret on its way, for `alatau devices show`."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from services.core.storage.certificates import Certificate
    from services.core.storage.pool import Connection
    from services.core.storage.rotations import Underway

_MINUTE: Final = "%Y-%m-%d %H:%M UTC"


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """may_connect: with one of its certificates, now."""

    certificates: "list[Certificate]"
    rotation: "Underway | None"
    may_connect: bool

    def facts(self) -> Iterator[tuple[str, str]]:
        for certificate in self.certificates:
            yield "certificate", f"{certificate.serial}  {_state(certificate)}"
        if self.rotation is not None:
            yield "new secret", _told(self.rotation)

    def as_json(self) -> dict[str, Any]:
        certificates = [_plain(dataclasses.asdict(each)) for each in self.certificates]
        return {"certificates": certificates, "rotation": self._rotation_json()}

    def _rotation_json(self) -> dict[str, Any] | None:
        if (under_way := self.rotation) is None:
            return None
        return {
            "began_at": under_way.began_at.isoformat(),
            "asked_by": under_way.asked_by,
            "on_trial": under_way.state.on_trial,
            "trials": under_way.state.trials,
        }


async def read_access(connection: "Connection", key: str) -> Access:
    from services.core.clock import SystemClock
    from services.core.storage.certificates import certificates_of
    from services.core.storage.rotations import rotation_of

    found = await certificates_of(connection, key)
    now = SystemClock().now()
    valid = any(each.revoked_at is None and each.not_after > now for each in found)
    return Access(found, await rotation_of(connection, key), valid)


def _state(certificate: "Certificate") -> str:
    if certificate.revoked_at is not None:
        return f"revoked {certificate.revoked_at:{_MINUTE}}"
    return f"until {certificate.not_after:{_MINUTE}}"


def _told(rotation: "Underway") -> str:
    began = f"sent since {rotation.began_at:{_MINUTE}}"
    if rotation.state.on_trial:
        return f"{began}, on trial: the broker takes no other"
    if rotation.state.trials:
        return f"{began}, tried {rotation.state.trials} times in vain; the old one is in force"
    return f"{began}, not taken yet; the old one is in force"


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in facts.items()
    }
