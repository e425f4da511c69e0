"""GET /developers, /docs, /problems/{slug} and what they need; nothing is loaded from elsewhere."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from services.api.context import ApiContext, Context
from services.api.failures import KINDS, NotFoundError
from services.api.operator.city.store import read_city
from services.api.pages.answering import PageLanguage, page
from services.api.pages.words import WORDS
from services.api.pages.writing import (
    developers_page,
    documentation_page,
    problem_page,
)
from services.core.city.language import Language
from services.core.errors import StorageUnavailableError

_OWN: Final = files("services.api.pages") / "assets"
_SWAGGER: Final = files("fastapi_offline") / "static"
_ASSETS: Final = {
    "page.css": (_OWN, "text/css"),
    "docs.css": (_OWN, "text/css"),
    "docs.js": (_OWN, "text/javascript"),
    "icon.svg": (_OWN, "image/svg+xml"),
    "swagger-ui.css": (_SWAGGER, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER, "text/javascript"),
}
_DOCS_POLICY: Final = (
    # Swagger UI writes style attributes and has its icons in data: URLs.
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/developers")
async def get_developers_page(
    request: Request, context: Context, language: PageLanguage
) -> HTMLResponse:
    city, notice = await _city(context, language)
    base = str(request.base_url).rstrip("/")
    return page(developers_page(language, city, notice, base), language)


@router.get("/docs")
async def get_documentation() -> HTMLResponse:
    return page(documentation_page(), "en", _DOCS_POLICY)


@router.get("/problems/{slug}")
async def get_problem(slug: str, language: PageLanguage) -> HTMLResponse:
    for kind in KINDS:
        if kind.slug == slug:
            return page(problem_page(kind, language), language)
    raise NotFoundError("There is no such kind of problem.")


@router.get("/static/{name}")
async def get_asset(name: str) -> Response:
    if name not in _ASSETS:
        raise NotFoundError("There is no such file.")
    folder, media_type = _ASSETS[name]
    return Response(
        (folder / name).read_bytes(),
        media_type=media_type,
        headers={"Cache-Control": "public, max-age=3600"},
    )


async def _city(
    context: ApiContext, language: Language
) -> tuple[str | None, str | None]:
    """The city's name, and what to tell where there is none."""
    words = WORDS[language]
    try:
        async with context.database.reading() as connection:
            row = await read_city(connection)
    except StorageUnavailableError:
        return None, words.no_database
    return (row["city"]["name"][language], None) if row else (None, words.no_city)
