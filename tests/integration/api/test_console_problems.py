"""What a person reads in a browser when something goes wrong; programs get problem documents as ever."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from services.api.app import create_app
from services.api.console.files import BuiltConsole
from services.api.failures import KINDS, MEDIA_TYPE
from services.api.pages.problem_words import known_problems, problem_words
from services.core.city.language import LANGUAGES, Language
from services.core.clock import ManualClock
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, Opened, api_on

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest_asyncio.fixture(loop_scope="module")
async def web(opened: Opened) -> AsyncIterator[CityApi]:
    nothing = BuiltConsole()
    async with api_on(opened, ManualClock(seed.NOW), console=nothing) as running:
        yield running


def page(answer: httpx2.Response, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert {"Accept", "Accept-Language"} <= set(answer.headers["vary"].split(", "))
    assert '<meta name="viewport"' in answer.text
    assert '<a href="/">' in answer.text
    return answer.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_browser_reads_a_page_in_its_language(
    web: CityApi, language: Language
) -> None:
    words = problem_words(language, "not-found")
    accepted = await web.get("/nothing", {**BROWSER, "Accept-Language": language})
    html = page(accepted, 404)
    assert f'<html lang="{language}">' in html
    assert words.title in html
    assert words.help in html
    assert accepted.headers["content-language"] == language
    wished = await web.get(
        "/nothing", {**BROWSER, "Accept-Language": "de"}, lang=language
    )
    assert words.title in page(wished, 404)


async def test_a_method_that_is_not_there_is_a_page_too(web: CityApi) -> None:
    answer = await web.web.post("/developers", headers=BROWSER)
    assert problem_words("en", "405").title in page(answer, 405)
    assert answer.headers["allow"] == "GET"


async def test_a_wrong_parameter_is_named_and_escaped(web: CityApi) -> None:
    answer = await web.get("/nothing/<script>alert(1)</script>", BROWSER)
    assert "<script>alert" not in page(answer, 404)


async def test_programs_get_problem_documents(web: CityApi) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        answer = await web.get("/nothing", headers)
        assert answer.headers["content-type"] == MEDIA_TYPE
    for path in ("/api/v1/nothing", "/open/v1/nothing", "/health/nothing"):
        answer = await web.get(path, BROWSER)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == MEDIA_TYPE, path


async def test_what_nobody_expected_is_a_page_without_a_word_of_it(
    opened: Opened,
) -> None:
    async with api_on(opened, ManualClock(seed.NOW)) as api:
        app = create_app(api.context)

        @app.get("/broken")
        async def broken() -> None:
            raise RuntimeError("a secret of ours")

        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://api.test"
        ) as web:
            answer = await web.get(
                "/broken", headers={**BROWSER, "Accept-Encoding": "gzip"}
            )
    html = page(answer, 500)
    assert problem_words("en", "internal").title in html
    assert "alatau logs api" in html
    assert "secret" not in html


async def test_a_part_that_does_not_answer_is_told_with_what_to_do(
    web: CityApi,
) -> None:
    html = (await web.get("/problems/unavailable", lang="ru")).text
    assert "alatau doctor" in html
    assert '<html lang="ru">' in html


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_kind_of_problem_has_words(
    web: CityApi, language: Language
) -> None:
    assert {kind.slug for kind in KINDS} <= known_problems(language)
    titles = {problem_words(language, slug).title for slug in known_problems(language)}
    assert len(titles) == len(known_problems(language))
    for kind in KINDS:
        shown = (await web.get(f"/problems/{kind.slug}", lang=language)).text
        assert problem_words(language, kind.slug).title in shown
        assert f"HTTP {kind.status}" in shown


async def test_kazakh_and_russian_words_are_their_own(web: CityApi) -> None:
    for language in ("kk", "ru"):
        for slug in known_problems(language):
            assert re.search("[а-яәғқңөұүһі]", problem_words(language, slug).help)
