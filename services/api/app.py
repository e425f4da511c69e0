"""The composition root: every door of the API, and what surrounds them."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from typing_extensions import override

from services.api import health
from services.api.console import endpoints as console
from services.api.context import ApiContext
from services.api.description import (
    TITLE,
    VERSION,
    describe,
    operation_id,
    query_parameters,
)
from services.api.edge import (
    Counted,
    Deadlines,
    HeadAsGet,
    OpenDoors,
    Plain500,
    SecurityHeaders,
    SmallBodies,
)
from services.api.failures import install
from services.api.live.feeds import Feeds
from services.api.opendata import routes as opendata
from services.api.opendata.freshness import NotModifiedError, on_not_modified
from services.api.operator import routes as operator
from services.api.pages import endpoints as pages
from services.api.pages.answering import ProblemPages
from services.api.sensorthings import endpoints as sensorthings
from services.api.store import open_database
from services.core.clock import Clock
from services.core.storage.migrate import newest_schema

_GZIP_LEVEL: Final = 4  # nine takes four times as long for 7 % less


def create_app(context: ApiContext) -> FastAPI:
    """All doors. Nothing is opened here: the context is."""
    app = _bare_app()
    app.state.context = context
    app.state.query_parameters = query_parameters(app.openapi())
    install(app)
    app.exception_handler(NotModifiedError)(on_not_modified)
    _surround(app, context)
    return app


class _Api(FastAPI):
    @override
    def openapi(self) -> dict[str, Any]:
        return _description()


def _bare_app() -> FastAPI:
    app = _Api(
        title=TITLE,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    for face in (console, pages, opendata, sensorthings, operator, health):
        app.include_router(face.router)
    return app


@cache
def _description() -> dict[str, Any]:
    """The same for every application of this process; a third of a second to make."""
    return describe(_bare_app().routes)


def _surround(app: FastAPI, context: ApiContext) -> None:
    """The last line is the first to see a request."""
    clock = context.clock
    app.add_middleware(SmallBodies)
    app.add_middleware(OpenDoors, throttle=context.throttles.open_data, clock=clock)
    app.add_middleware(Deadlines)
    app.add_middleware(Plain500)
    app.add_middleware(ProblemPages)
    app.add_middleware(GZipMiddleware, compresslevel=_GZIP_LEVEL)
    app.add_middleware(HeadAsGet)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Counted, clock=clock)


@asynccontextmanager
async def open_context(
    dsn: str, clock: Clock, chance: random.Random
) -> AsyncIterator[ApiContext]:
    """Pools for as long as the block lasts; whoever opens it also lets its feeds follow."""
    async with open_database(dsn) as database:
        feeds = Feeds(database, clock, chance)
        yield ApiContext(database, clock, feeds, newest_schema())
