"""GET /devices/{key}/watch, /devices/{key}/conformance."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from services.api.auth.permissions import Action, Actor, Place, scope_of
from services.api.auth.session import Token, Watcher, require, session_of
from services.api.context import ApiContext, Context
from services.api.failures import NotFoundError, documented
from services.api.live.answering import HEADERS
from services.api.moments import say_moment
from services.api.operator.devices.store import find_device
from services.api.operator.watch.schemas import ConformanceCheck, ConformanceReport
from services.api.parameters import Key, Lang
from services.core.city.language import Language
from services.core.conformance.checks import judge
from services.core.conformance.words import CHECKS, TITLE, VERDICTS
from services.core.storage.watches import (
    RENEW_SECONDS,
    newest_report,
    read_declared,
    read_reports,
    watch,
)

_LOOK_SECONDS: Final = 0.5
_MOST_JUDGED: Final = 5_000
_EXAMPLE: Final = """event: report
data: {"kind":"message","received":{"at_ms":1795320000250,"publisher":"air-avenue-1","bytes":96,"qos":1},"decoded":{"as":"data","seq":1042,"epoch":7,"items":1},"refused":[],"committed":{"batch":5531,"latency_ms":6,"stored":1}}
id: watch:88
"""

router = APIRouter(tags=["Devices"], responses=documented(401, 403, 404, 422, 503))


@router.get(
    "/devices/{key}/watch",
    response_class=Response,
    responses={
        **documented(429),
        200: {
            "description": (
                "Server-sent events, for ever: `hello`; a `report` for each of its messages, when it is committed, "
                "and for each receipt; every 5 s `heartbeat`; `goodbye` when the session has ended."
            ),
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "examples": {"events": {"value": _EXAMPLE}},
                }
            },
        },
    },
)
async def watch_device(
    key: Key, actor: Watcher, token: Token, context: Context
) -> Response:
    """What becomes of each of its messages at every stage, from now on. Raw payloads are in it: engineers only."""
    await _require_sight(context, actor, key)
    who = f"user:{actor.user_id}"
    context.doors.check(who)
    events = _events(context, key, actor, token)
    return StreamingResponse(
        context.doors.counted(who, "watch", events),
        media_type="text/event-stream",
        headers=HEADERS,
    )


@router.get("/devices/{key}/conformance")
async def get_conformance(
    key: Key, actor: Watcher, context: Context, lang: Lang = None
) -> ConformanceReport:
    """A checklist for its maker, judged from what was watched of it in the last ten minutes."""
    await _require_sight(context, actor, key)
    async with context.database.reading() as connection:
        reports = await read_reports(connection, key, 0, _MOST_JUDGED)
        declared = await read_declared(connection, key)
    language: Language = lang or "en"
    told = [report for _, report in reports]
    return ConformanceReport(
        device=key,
        title=TITLE[language],
        messages=sum(report["kind"] == "message" for report in told),
        checks=[
            ConformanceCheck(
                check=check.key,
                title=CHECKS[check.key][language],
                verdict=check.verdict,
                verdict_name=VERDICTS[check.verdict][language],
                numbers=dict(check.numbers),
            )
            for check in judge(declared, told)
        ],
    )


async def _require_sight(context: ApiContext, actor: Actor, key: str) -> None:
    """A device that nobody registered is there for who sees the whole city."""
    scope = scope_of(actor)
    async with context.database.reading() as connection:
        device = await find_device(connection, scope, key)
    if device is not None:
        place = Place(domain=device["domain"], district=device["district"])
        require(actor, Action.WATCH, place)
    elif not scope.whole_city:
        raise NotFoundError(f"There is no device {key!r} that you may see.")


async def _events(
    context: ApiContext, key: str, actor: Actor, token: str
) -> AsyncIterator[bytes]:
    clock = context.clock
    async with context.database.reading() as connection:
        newest = await newest_report(connection, key)
    yield _event("hello", {"device": key})
    renewed = beaten = clock.monotonic() - RENEW_SECONDS
    while True:
        now = clock.monotonic()
        if now - renewed >= RENEW_SECONDS:
            renewed = now
            if await session_of(context, token) is None:
                yield _event("goodbye", {})
                return
            async with context.database.writing() as connection:
                await watch(connection, key, by=actor.name, now=clock.now())
        async with context.database.reading() as connection:
            reports = await read_reports(connection, key, newest)
        for newest, report in reports:
            yield _event("report", report, newest)
        if now - beaten >= context.pace.heartbeat:
            beaten = now
            yield _event(
                "heartbeat", {"time": say_moment(clock.now()), "following": True}
            )
        await clock.sleep(_LOOK_SECONDS)


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    lines = [f"event: {name}", f"data: {json.dumps(data, separators=(',', ':'))}"]
    if number is not None:
        lines.append(f"id: watch:{number}")
    return ("\n".join(lines) + "\n\n").encode()
