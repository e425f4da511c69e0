"""THE MAP of the door: who is it ▸ read ▸ take apart ▸ store with all others ▸ answer, after the commit."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.core.addresses import client_of
from services.core.broker.topics import door_topic, up_topic
from services.core.city.ids import is_device_id
from services.core.clock import Clock
from services.core.storage.texts import storable, storable_name
from services.ingest.door import metrics
from services.ingest.door.bodies import BodyReader
from services.ingest.door.callers import Callers, Secret, read_shown
from services.ingest.door.problems import (
    AllRejectedError,
    DoorError,
    NoSuchFormatError,
    UnavailableError,
    problem_response,
)
from services.ingest.door.shares import Owner
from services.ingest.door.waiting import Request as Stored
from services.ingest.door.waiting import WaitingRoom
from services.ingest.resolve import Refused

log = structlog.get_logger()

_NATIVE: Final = frozenset({"data", "senml"})  # which have the same topics over MQTT
_COMMIT_SECONDS: Final = 8.0  # The Things Stack waits ten for an answer
_MOST_REFUSALS: Final = 500  # named in one answer


@dataclass(frozen=True)
class Counter:
    """What stands behind the door. reads: whether a format has this topic. commit_seconds: that a sender waits."""

    commit_seconds: ClassVar[float] = _COMMIT_SECONDS

    room: WaitingRoom
    callers: Callers
    bodies: BodyReader
    reads: Callable[[str], bool]
    clock: Clock


def create_app(counter: Counter) -> Starlette:
    async def take(request: Request) -> Response:
        return await _answer(counter, request)

    app = Starlette(
        routes=[
            Route("/ingest/v1/{publisher}/{kind}", take, methods=["POST"]),
            Route("/health/live", _alive, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _on_http_exception},
    )
    # A redirect would name this port and http, which those behind a proxy cannot follow.
    app.router.redirect_slashes = False
    return app


async def _answer(counter: Counter, request: Request) -> Response:
    """Every failure becomes a problem document; it is counted by kind, of which there are few."""
    began = counter.clock.monotonic()
    kind = "none"
    try:
        topic = _topic(counter, request)
        kind = request.path_params["kind"]
        response = await _take(counter, request, topic)
    except DoorError as error:
        response = problem_response(request.url.path, error)
    metrics.REQUESTS.labels(kind, response.status_code).inc()
    metrics.SECONDS.observe(counter.clock.monotonic() - began)
    metrics.WAITING.set(counter.room.unacknowledged)
    return response


def _topic(counter: Counter, request: Request) -> str:
    """What the message would be published on; of native formats, the very same topic as over MQTT."""
    publisher, kind = request.path_params["publisher"], request.path_params["kind"]
    if not is_device_id(publisher):
        raise NoSuchFormatError("The path names no device id.")
    if kind in _NATIVE:
        topic = up_topic(publisher, kind)
    else:
        event = request.query_params.get("event", "")
        topic = door_topic(
            publisher, kind, event if event.isascii() and event.isalnum() else ""
        )
    if not counter.reads(topic):
        raise NoSuchFormatError
    return topic


async def _take(counter: Counter, request: Request, topic: str) -> Response:
    publisher, kind = request.path_params["publisher"], request.path_params["kind"]
    payloads = await _read(counter, request, publisher)
    if not payloads:
        return JSONResponse({"messages": 0, "rejected": []})
    stored = await _store(counter, publisher, topic, payloads)
    receipt = _receipt(stored)
    # A network server that hears of a failure stops sending, for all of its devices.
    if stored.is_useless and kind in _NATIVE:
        raise AllRejectedError(facts=receipt)
    return JSONResponse(receipt)


async def _read(counter: Counter, request: Request, publisher: str) -> list[bytes]:
    """The messages of one who may send them; only for a signature is the body read before that is known."""
    shown, bodies = read_shown(request.headers), counter.bodies
    address = client_of(request.client)
    is_batch = request.path_params["kind"] == "data"
    if isinstance(shown, Secret):
        await counter.callers.admit(publisher, shown, address)
        with bodies.room_for(request, Owner(publisher, is_proven=True)) as take:
            body = await bodies.read(request, take)
            return await bodies.messages(request, body, is_batch=is_batch)
    signer = await counter.callers.expect_signature(publisher, address)
    with bodies.room_for(request, signer.owner) as take:
        with counter.callers.judging(signer):
            body = await bodies.read(request, take)
            counter.callers.check_signature(signer, shown, body)
        return await bodies.messages(request, body, is_batch=is_batch)


async def _store(
    counter: Counter, publisher: str, topic: str, payloads: list[bytes]
) -> Stored:
    try:
        async with asyncio.timeout(counter.commit_seconds):
            return await counter.room.store(publisher, topic, payloads)
    except TimeoutError as error:
        raise UnavailableError from error


def _receipt(stored: Stored) -> dict[str, Any]:
    """message: its place in a batch; index: an item's in its message."""
    named = stored.refused[:_MOST_REFUSALS]
    receipt: dict[str, Any] = {
        "messages": stored.messages,
        "rejected": [_refusal(stored, refusal) for refusal in named],
    }
    if len(stored.refused) > len(named):
        receipt["rejected_not_named"] = len(stored.refused) - len(named)
    return receipt


def _refusal(stored: Stored, refusal: Refused) -> dict[str, Any]:
    said = {
        "message": refusal.received.publication.mid - stored.first,
        "index": refusal.index,
        "device": storable_name(refusal.device),
        "channel": storable_name(refusal.channel),
        "reason": refusal.reason.value,
        "detail": storable(refusal.detail),
    }
    return {name: value for name, value in said.items() if value is not None}


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: no such path, another method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    document = {
        "type": "about:blank",
        "title": str(getattr(error, "detail", "")),
        "status": status,
        "detail": "POST /ingest/v1/{publisher}/{format}",
        "instance": request.url.path,
    }
    return JSONResponse(
        document, status, headers=headers, media_type="application/problem+json"
    )
