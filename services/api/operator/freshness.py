"""What a user sees of the registry changes only with its revision: an unchanged answer is not sent again."""

import zlib
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.opendata.freshness import NotModifiedError
from services.api.operator.city.store import read_revision

# Kept by the browser of this user alone, and asked for anew each time.
_REGISTRY_AGE: Final = "private, no-cache"
_VERSION: Final = version("alatau")


async def _fresh(
    request: Request,
    response: Response,
    context: Context,
    scope: ReadScope,
    if_none_match: Annotated[
        str | None,
        Header(
            max_length=500,
            description="ETag of the answer you have; if it still holds, 304.",
        ),
    ] = None,
) -> None:
    async with context.database.reading() as connection:
        revision = await read_revision(connection)
    said = f"{_VERSION} {request.url.path}?{request.url.query} {scope}"
    headers = {
        "ETag": f'W/"{revision}-{zlib.crc32(said.encode()):08x}"',
        "Cache-Control": _REGISTRY_AGE,
        "Vary": "Authorization",
    }
    if if_none_match and headers["ETag"] in if_none_match:
        raise NotModifiedError(headers)
    response.headers.update(headers)


FreshForActor = Depends(_fresh)
