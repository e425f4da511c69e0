"""What changes only with the registry is given with its revision as ETag; an unchanged answer is not sent again."""

import zlib
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response

from services.api.context import Context
from services.api.opendata.licence import LICENCE_LINK
from services.api.opendata.store import read_registry

_REGISTRY_AGE: Final = "public, max-age=60"


class NotModifiedError(Exception):
    """The client has this answer already."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__()
        self.headers = headers


async def _fresh(
    request: Request,
    response: Response,
    context: Context,
    if_none_match: Annotated[
        str | None,
        Header(
            max_length=500,
            description="ETag of the answer you have; if it still holds, 304.",
        ),
    ] = None,
) -> None:
    async with context.database.public.reading() as connection:
        revision, _ = await read_registry(connection)
    address = zlib.crc32(f"{request.url.path}?{request.url.query}".encode())
    headers = {"ETag": f'W/"{revision}-{address:08x}"', "Cache-Control": _REGISTRY_AGE}
    if if_none_match and headers["ETag"] in if_none_match:
        raise NotModifiedError(headers)
    response.headers.update(headers)
    response.headers.append("Link", LICENCE_LINK)


Fresh = Depends(_fresh)


async def on_not_modified(_request: Request, error: NotModifiedError) -> Response:
    return Response(status_code=304, headers=error.headers)
