"""What judges every view can fail."""

import pytest
from playwright.async_api import Browser

from tests.browser.inspection import (
    accessibility_violations,
    cut_texts,
    texts_of,
    wrong_words,
)

pytestmark = pytest.mark.acceptance

FLAWED = """
<!doctype html><html lang="ru"><title>Карта</title><main><h1 title="Город">Город</h1>
<button></button>
<p style="color: #ccc">Бледно</p>
<p style="width: 3em; overflow: hidden; white-space: nowrap"><span>Кусок, который отрезан</span></p>
<p style="position: absolute; left: 99vw; white-space: nowrap">Уходит за край</p>
<select style="width: 4em"><option>Слишком длинный выбор</option></select>
<p>Settings</p><code>alatau doctor</code><p lang="en">English</p></main></html>
"""


@pytest.mark.asyncio(loop_scope="session")
async def test_flaws_of_a_page_are_found(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content(FLAWED)
    violations = "\n".join(await accessibility_violations(page))
    cut = "\n".join(await cut_texts(page))
    texts = await texts_of(page)
    await page.close()
    for rule in ("button-name", "color-contrast", "select-name"):
        assert rule in violations
    for text in ("Кусок", "Уходит", "Слишком"):
        assert text in cut
    assert wrong_words(texts, "ru", set()) == ["Settings"]


@pytest.mark.parametrize(
    ("text", "language", "wrong"),
    [
        ("Alerts", "ru", True),
        ("Тревоги", "en", True),
        ("Дабылдар", "kk", False),
        ("undefined бар", "kk", True),
        ("reservoir_level", "en", True),
        ("Alatau", "kk", False),
        ("Что случилось, скажет «alatau doctor».", "ru", False),
        ("/open/v1", "ru", False),
        ("12 kPa", "ru", False),
    ],
)
def test_words_of_another_language_are_told(
    text: str, language: str, wrong: bool
) -> None:
    assert bool(wrong_words([text], language, {"Alatau"})) is wrong  # type: ignore[arg-type] # from a table
