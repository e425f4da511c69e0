"""The operators' console at / and its own addresses, and its files below /console/."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from services.api.console.files import FOLDER, BuiltFile
from services.api.context import Context
from services.api.failures import NotFoundError
from services.api.pages.answering import PageLanguage, page
from services.api.pages.writing import unbuilt_page

# The console reads its address itself (web/src/lib/router.svelte.ts): one document for all of them.
ADDRESSES: Final = (
    "/",
    "/login",
    "/about",
    "/rules",
    "/alerts",
    "/alerts/{alert_id:int}",
    "/ledger",
    "/assets",
    "/assets/{key}",
    "/rejected",
    "/rejected/{rejected_id:int}",
    "/devices/{key}/watch",
)
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_LASTING: Final = "public, max-age=31536000, immutable"
_PASSING: Final = "no-cache"

router = APIRouter(include_in_schema=False)

IfNoneMatch = Annotated[str | None, Header(max_length=500)]


async def get_console(
    context: Context, language: PageLanguage, if_none_match: IfNoneMatch = None
) -> Response:
    if context.console.index is None:
        return page(unbuilt_page(language), language, status=503)
    return _answer(context.console.index, if_none_match)


for address in ADDRESSES:
    router.add_api_route(address, get_console)


@router.get(f"/{FOLDER}/{{name:path}}")
async def get_console_file(
    name: str, context: Context, if_none_match: IfNoneMatch = None
) -> Response:
    file = context.console.files.get(name)
    if file is None:
        raise NotFoundError("The console has no such file; loading it anew helps.")
    return _answer(file, if_none_match)


def _answer(file: BuiltFile, if_none_match: str | None) -> Response:
    headers = {
        "ETag": file.etag,
        "Cache-Control": _LASTING if file.lasting else _PASSING,
        # Also with scripts: a worker obeys the policy its own script came with.
        "Content-Security-Policy": POLICY,
    }
    if if_none_match and file.etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
