"""/health/live, /health/ready, /metrics: for supervisors and Prometheus."""

import asyncio
import datetime as dt
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from services.api.context import ApiContext, Context
from services.api.failures import RequestError
from services.api.health_store import Vitals, read_vitals
from services.core.errors import StorageUnavailableError

_DATABASE_SECONDS: Final = 2.0
_INGEST_SILENT: Final = dt.timedelta(seconds=5)

router = APIRouter(tags=["Health"])


class Alive(BaseModel):
    """The process answers."""

    alive: bool = Field(description="Always true.", examples=[True])


class Part(BaseModel):
    """One thing that must be so before the platform is ready."""

    name: str = Field(
        description="database, schema, live or ingest.", examples=["ingest"]
    )
    ready: bool = Field(description="Whether it is.", examples=[True])
    detail: str = Field(
        description="What is wrong, or what was seen.",
        examples=["The newest batch is 0.4 s old."],
    )


class Readiness(BaseModel):
    """Whether the platform serves, part by part."""

    ready: bool = Field(description="Whether every part is ready.", examples=[True])
    parts: list[Part] = Field(description="In the order they need each other.")


@router.get("/health/live")
async def health_live() -> Alive:
    """The process answers; it says nothing about the rest."""
    return Alive(alive=True)


@router.get(
    "/health/ready",
    responses={
        503: {"model": Readiness, "description": "Not ready; the parts say why."}
    },
)
async def health_ready(context: Context, response: Response) -> Readiness:
    """Database reachable, schema current, log followed, ingest alive."""
    parts = await _parts(context)
    ready = all(part.ready for part in parts)
    response.status_code = 200 if ready else 503
    response.headers["Cache-Control"] = "no-store"
    return Readiness(ready=ready, parts=parts)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "This process' counters, as Prometheus reads them.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def metrics() -> Response:
    """Counters of this process; nothing about the city."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _parts(context: ApiContext) -> list[Part]:
    try:
        async with (
            asyncio.timeout(_DATABASE_SECONDS),
            context.database.reading() as connection,
        ):
            vitals = await read_vitals(connection)
    except (StorageUnavailableError, TimeoutError, RequestError):
        return [
            _part("database", "The database does not answer.", ready=False),
            *(
                _part(name, "Not known without the database.", ready=False)
                for name in ("schema", "live", "ingest")
            ),
        ]
    return [
        _part("database", "It answers.", ready=True),
        _schema(context, vitals),
        _live(context),
        _ingest(context, vitals),
    ]


def _part(name: str, detail: str, *, ready: bool) -> Part:
    return Part(name=name, ready=ready, detail=detail)


def _schema(context: ApiContext, vitals: Vitals) -> Part:
    wanted = context.newest_migration
    if vitals.migration == wanted:
        return _part("schema", f"It is at {wanted}.", ready=True)
    return _part(
        "schema",
        f"The database is at {vitals.migration}, this version needs {wanted}: `alatau db migrate`.",
        ready=False,
    )


def _live(context: ApiContext) -> Part:
    behind = [
        feed.stream
        for feed in (context.feeds.latest, context.feeds.alerts)
        if not feed.following
    ]
    if behind:
        return _part(
            "live", f"Not following the log: {', '.join(behind)}.", ready=False
        )
    return _part("live", "Both log streams are followed.", ready=True)


def _ingest(context: ApiContext, vitals: Vitals) -> Part:
    if vitals.logged_at is None:
        return _part("ingest", "Ingest has never written a batch.", ready=False)
    age = context.clock.now() - vitals.logged_at
    return _part(
        "ingest",
        f"The newest batch is {age.total_seconds():.1f} s old.",
        ready=age <= _INGEST_SILENT,
    )
