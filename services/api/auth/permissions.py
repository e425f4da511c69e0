"""PURE: authorisation is one question, may(actor, action, place); lists ask the same of the database as a Scope."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Each may all that those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return _ROLES.index(self)


_ROLES: Final = tuple(Role)


class Action(StrEnum):
    READ = "read"
    READ_HOUSEHOLD = "read_household"  # readings of single households
    ACKNOWLEDGE = "acknowledge"  # an alert
    READ_REJECTED = "read_rejected"  # what was refused, and why
    READ_PAYLOAD = "read_payload"  # the raw bytes of it
    MEND = "mend"  # what was refused: its cause, and to have it read again
    WATCH = "watch"  # every message of a device, as it comes
    READ_LEDGER = "read_ledger"
    CORRECT = "correct"  # a stored value
    COMMAND = "command"  # ask a device to send again, announce itself, take settings


LOWEST_ROLE: Final[dict[Action, Role]] = {
    Action.READ: Role.VIEWER,
    Action.READ_HOUSEHOLD: Role.OPERATOR,
    Action.ACKNOWLEDGE: Role.OPERATOR,
    Action.READ_REJECTED: Role.OPERATOR,
    Action.READ_PAYLOAD: Role.ENGINEER,
    Action.MEND: Role.ENGINEER,
    Action.WATCH: Role.ENGINEER,
    Action.READ_LEDGER: Role.VIEWER,
    Action.CORRECT: Role.ENGINEER,
    Action.COMMAND: Role.ENGINEER,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """domains, districts (keys): where the actor may act; None is everywhere."""

    user_id: int
    name: str
    role: Role
    domains: frozenset[str] | None = None
    districts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing, or what is about a thing, stands; None: it is about the whole city."""

    domain: str | None
    district: str | None
    household: bool = False


WHOLE_CITY: Final = Place(domain=None, district=None)


class Verdict(StrEnum):
    """True in a condition when the action is allowed; otherwise it says why not."""

    ALLOWED = "allowed"
    ROLE_TOO_LOW = "role_too_low"
    OUTSIDE_SCOPE = "outside_scope"

    def __bool__(self) -> bool:
        return self is Verdict.ALLOWED


def may(actor: Actor, action: Action, place: Place | None = None) -> Verdict:
    """Whether the actor may do this there; without a place, whether the actor may do it anywhere at all."""
    if actor.role.rank < LOWEST_ROLE[action].rank:
        return Verdict.ROLE_TOO_LOW
    if place is None:
        return Verdict.ALLOWED
    if not (
        _covers(actor.domains, place.domain)
        and _covers(actor.districts, place.district)
    ):
        return Verdict.OUTSIDE_SCOPE
    if place.household and actor.role.rank < LOWEST_ROLE[Action.READ_HOUSEHOLD].rank:
        return Verdict.ROLE_TOO_LOW
    return Verdict.ALLOWED


def _covers(allowed: frozenset[str] | None, key: str | None) -> bool:
    return allowed is None or key in allowed


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query may return, as its parameters: (domain, district, household)."""

    domains: list[str] | None
    districts: list[str] | None
    household: bool

    @property
    def whole_city(self) -> bool:
        return self.domains is None and self.districts is None


def scope_of(actor: Actor) -> Scope:
    """The places where may(actor, READ, place) holds."""
    return Scope(
        domains=None if actor.domains is None else sorted(actor.domains),
        districts=None if actor.districts is None else sorted(actor.districts),
        household=bool(may(actor, Action.READ_HOUSEHOLD)),
    )
