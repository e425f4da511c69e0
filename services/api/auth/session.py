"""The session of a request, and what its user may do, as dependencies of the endpoints."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.auth.passwords import token_hash
from services.api.auth.permissions import (
    LOWEST_ROLE,
    Action,
    Actor,
    Place,
    Scope,
    Verdict,
    may,
    scope_of,
)
from services.api.auth.store import Session, find_session
from services.api.context import ApiContext, Context
from services.api.failures import ForbiddenError, UnauthenticatedError

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="session",
    description="The token that POST /api/v1/login gave.",
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def session_of(context: ApiContext, token: str) -> Session | None:
    async with context.database.reading() as connection:
        return await find_session(connection, token_hash(token), context.clock.now())


async def _token(bearer: Bearer) -> str:
    if bearer is None:
        raise UnauthenticatedError
    return bearer.credentials


Token = Annotated[str, Depends(_token)]


async def _session(context: Context, token: Token) -> Session:
    session = await session_of(context, token)
    if session is None:
        raise UnauthenticatedError("The session has ended, or never was: log in again.")
    return session


CurrentSession = Annotated[Session, Depends(_session)]


def require(actor: Actor, action: Action, place: Place | None = None) -> None:
    """Let it pass, or raise ForbiddenError with the reason."""
    verdict = may(actor, action, place)
    if verdict is Verdict.ROLE_TOO_LOW:
        raise ForbiddenError(
            f"This needs the role {LOWEST_ROLE[action]}; {actor.name} is {actor.role}."
        )
    if verdict is Verdict.OUTSIDE_SCOPE:
        raise ForbiddenError(
            f"This is outside the domains and districts of {actor.name}."
        )


def _allowed(action: Action) -> Callable[[Session], Awaitable[Actor]]:
    async def actor(session: CurrentSession) -> Actor:
        require(session.actor, action)
        return session.actor

    return actor


Reader = Annotated[Actor, Depends(_allowed(Action.READ))]
Acknowledger = Annotated[Actor, Depends(_allowed(Action.ACKNOWLEDGE))]
RejectedReader = Annotated[Actor, Depends(_allowed(Action.READ_REJECTED))]
PayloadReader = Annotated[Actor, Depends(_allowed(Action.READ_PAYLOAD))]
Mender = Annotated[Actor, Depends(_allowed(Action.MEND))]
Watcher = Annotated[Actor, Depends(_allowed(Action.WATCH))]
LedgerReader = Annotated[Actor, Depends(_allowed(Action.READ_LEDGER))]
Corrector = Annotated[Actor, Depends(_allowed(Action.CORRECT))]
Commander = Annotated[Actor, Depends(_allowed(Action.COMMAND))]


async def _scope(actor: Reader) -> Scope:
    return scope_of(actor)


ReadScope = Annotated[Scope, Depends(_scope)]
