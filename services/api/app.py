"""The composition root: every door of the API, and what surrounds them."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from typing_extensions import override

from services.api import health
from services.api.context import ApiContext
from services.api.edge import (
    Counted,
    Deadlines,
    HeadAsGet,
    OpenDoors,
    Plain500,
    SecurityHeaders,
    SmallBodies,
)
from services.api.failures import FieldProblem, Problem, install
from services.api.live.feeds import Feeds
from services.api.opendata import routes as opendata
from services.api.opendata.freshness import NotModifiedError, on_not_modified
from services.api.operator import routes as operator
from services.api.pages import endpoints as pages
from services.api.store import open_database
from services.core.clock import Clock
from services.core.storage.migrate import schema_version

_DESCRIPTION: Final = """
An open city data platform. **`/api/v1`** is for operators: log in with `POST /api/v1/login` and send the token as
`Authorization: Bearer …`. **`/open/v1`** is open data: no login, any origin, CC BY 4.0.

Times are RFC 3339 in UTC, to the millisecond. Names are `{kk, ru, en}`; `?lang=` gives one of them. Units are UCUM.
Lists page by cursor: give `next` back as `?cursor=`, or follow the `Link` header. Whatever goes wrong is an
RFC 9457 problem document (`application/problem+json`).
"""
_TAGS: Final = (
    (
        "Open data",
        "No login. Only what is marked public, protected sites at district precision.",
    ),
    ("Users and sessions", "Login gives a token for twelve hours."),
    ("City and catalogue", "The city, its districts, and all that can be measured."),
    ("Things", "Physical assets, and what they contain and feed."),
    ("Devices", "What speaks MQTT, and whether it is alive."),
    ("Datastreams", "What is measured where."),
    ("Observations", "Values over time, and the newest ones."),
    ("Alerts and rules", "What wants an operator, and the operator's word on it."),
    ("Rejected messages and ledger", "What became of everything that was received."),
    (
        "Live streams",
        "Server-sent events: a snapshot, then changes, a heartbeat every 5 s.",
    ),
    ("Health", "For supervisors and Prometheus."),
)


def create_app(context: ApiContext) -> FastAPI:
    """All doors. Nothing is opened here: the context is."""
    app = _Api(
        title="Alatau",
        version="1",
        description=_DESCRIPTION,
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.context = context
    install(app)
    app.exception_handler(NotModifiedError)(on_not_modified)
    for face in (pages, opendata, operator, health):
        app.include_router(face.router)
    _surround(app, context)
    return app


def _surround(app: FastAPI, context: ApiContext) -> None:
    """The last line is the first to see a request."""
    clock = context.clock
    app.add_middleware(HeadAsGet)
    app.add_middleware(SmallBodies)
    app.add_middleware(OpenDoors, throttle=context.throttles.open_data, clock=clock)
    app.add_middleware(Deadlines)
    app.add_middleware(Plain500)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Counted, clock=clock)


@asynccontextmanager
async def open_context(
    dsn: str, clock: Clock, chance: random.Random
) -> AsyncIterator[ApiContext]:
    """Pools for as long as the block lasts; whoever opens it also lets its feeds follow."""
    _, newest = await schema_version(dsn)
    async with open_database(dsn) as database:
        yield ApiContext(database, clock, Feeds(database, clock, chance), newest)


class _Api(FastAPI):
    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                license_info=self.license_info,
                tags=self.openapi_tags,
                routes=self.routes,
            )
            parts = schema["components"]["schemas"]
            parts["Problem"] = Problem.model_json_schema(
                ref_template="#/components/schemas/{model}"
            )
            parts["Problem"].pop("$defs")
            parts["FieldProblem"] = FieldProblem.model_json_schema()
            for operation in _operations(schema):
                operation["summary"] = operation["description"].split("\n")[0]
            self.openapi_schema = schema
        return self.openapi_schema


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in schema["paths"].values():
        yield from methods.values()


def _operation_id(route: APIRoute) -> str:
    return route.name
