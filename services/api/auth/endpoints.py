"""Login, logout, who am I."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request, Response

from services.api.auth.passwords import new_token, token_hash
from services.api.auth.schemas import Credentials, LoggedIn, Me
from services.api.auth.session import CurrentSession, Token
from services.api.auth.store import (
    Session,
    close_session,
    find_credentials,
    find_session,
    open_session,
)
from services.api.context import ApiContext, Context
from services.api.failures import (
    TooManyRequestsError,
    UnauthenticatedError,
    documented,
)
from services.core.addresses import client_of
from services.core.throttle import Throttle

SESSION_LASTS: Final = dt.timedelta(hours=12)  # a shift

router = APIRouter(tags=["Users and sessions"])


@router.post("/login", responses=documented(401, 422, 429, 503))
async def login(
    credentials: Credentials, request: Request, response: Response, context: Context
) -> LoggedIn:
    """Begin a session of twelve hours.

    After five failures a minute for one user from one address, or thirty from one address, wait.
    """
    refund = _spend(context, credentials.name, client_of(request.client))
    async with context.database.reading() as connection:
        found = await find_credentials(connection, credentials.name)
    user_id, password_hash = found or (0, None)
    if not await context.passwords.matches(credentials.password, password_hash):
        raise UnauthenticatedError("The name or the password is wrong.")
    refund()
    token, session = await _begin(context, user_id)
    response.headers["Cache-Control"] = "no-store"
    return LoggedIn(
        token=token,
        token_type="bearer",  # noqa: S106 # RFC 6750's word
        expires_at=session.expires_at,
        user=_me(session),
    )


@router.post("/logout", status_code=204, responses=documented(401, 503))
async def logout(token: Token, _session: CurrentSession, context: Context) -> None:
    """End this session: its token is worth nothing from now on."""
    async with context.database.writing() as connection:
        await close_session(connection, token_hash(token))


@router.get("/users/me", responses=documented(401, 503))
async def read_me(session: CurrentSession) -> Me:
    """Who this session belongs to, and what that user may see."""
    return _me(session)


def _spend(context: ApiContext, name: str, address: str) -> Callable[[], None]:
    """Count an attempt before it is tried, so that many at once do not slip through; undo it with what is returned."""
    now = context.clock.monotonic()
    throttles = context.throttles
    spent: list[tuple[Throttle, str]] = []

    def refund() -> None:
        for throttle, client in spent:
            throttle.refund(client)

    for throttle, client in (
        (throttles.address, address),
        (throttles.login, f"{address} {name}"),
    ):
        answer = throttle.ask(client, now)
        if not answer.allowed:
            refund()
            raise TooManyRequestsError(
                f"Too many failed logins: wait {answer.retry_after} s.",
                retry_after=answer.retry_after,
            )
        spent.append((throttle, client))
    return refund


async def _begin(context: ApiContext, user_id: int) -> tuple[str, Session]:
    now, token = context.clock.now(), new_token()
    async with context.database.writing() as connection:
        await open_session(
            connection, user_id, token_hash(token), now, now + SESSION_LASTS
        )
        session = await find_session(connection, token_hash(token), now)
    if session is None:
        raise UnauthenticatedError("The user has just been disabled.")
    return token, session


def _me(session: Session) -> Me:
    actor = session.actor
    return Me(
        name=actor.name,
        role=actor.role,
        domains=None if actor.domains is None else sorted(actor.domains),
        districts=None if actor.districts is None else sorted(actor.districts),
        expires_at=session.expires_at,
    )
