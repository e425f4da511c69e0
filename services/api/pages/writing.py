"""Pages as HTML; every word that is not ours is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from services.api.failures import RequestError
from services.api.pages.problem_words import (
    PAGE_WORDS,
    UNBUILT,
    ProblemWords,
    problem_words,
)
from services.api.pages.words import WORDS, Words
from services.core.city.language import LANGUAGES, Language

_BEGIN: Final = """\
curl -s {base}/api/v1/login -H 'Content-Type: application/json' \\
     -d '{{"name": "NAME", "password": "PASSWORD"}}'
curl -s '{base}/api/v1/alerts?inbox=true' -H 'Authorization: Bearer TOKEN'
curl -s {base}/open/v1/datasets"""


def _document(language: str, title: str, body: str, head: str = "") -> str:
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
{head}</head>
<body>
{body}
</body>
</html>
"""


_STYLE: Final = '<link rel="stylesheet" href="/static/page.css">\n'


def developers_page(
    language: Language, city: str | None, notice: str | None, base: str
) -> str:
    """city: its name in the language; base: the address this page was asked at."""
    words = WORDS[language]
    title = city or "Alatau"
    doors = "\n".join(
        f'<li><a href="{path}"><strong>{escape(name)}</strong><code>{path}</code><span>{escape(text)}</span></a></li>'
        for path, (name, text) in words.doors.items()
    )
    told = f'<p class="notice" role="status">{escape(notice)}</p>' if notice else ""
    body = f"""<header>
<nav aria-label="{escape(words.languages)}">{_languages(language)}</nav>
<h1>{escape(title)}</h1>
<p class="lead">{escape(words.lead)}</p>
{told}</header>
<main>
<h2>{escape(words.doors_title)}</h2>
<ul class="doors">
{doors}
</ul>
<h2>{escape(words.begin_title)}</h2>
<p>{escape(words.begin)}</p>
<pre tabindex="0"><code>{escape(_BEGIN.format(base=base))}</code></pre>
</main>
<footer><p>{escape(words.licence)}</p></footer>"""
    return _document(language, title, body, _STYLE)


def _languages(current: Language) -> str:
    def link(language: Language, words: Words) -> str:
        here = ' aria-current="page"' if language == current else ""
        return f'<a href="/developers?lang={language}" lang="{language}" hreflang="{language}"{here}>{words.language_name}</a>'

    return "".join(link(language, WORDS[language]) for language in LANGUAGES)


def documentation_page() -> str:
    head = '<link rel="stylesheet" href="/static/swagger-ui.css">\n<link rel="stylesheet" href="/static/docs.css">\n'
    body = """<main id="documentation"></main>
<noscript>This page needs JavaScript; the same is in <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/static/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script>"""
    return _document("en", "Alatau API", body, head)


def problem_page(kind: type[RequestError], language: Language) -> str:
    """What a kind of problem is, for whoever follows its `type`."""
    words = problem_words(language, kind.slug)
    meaning = (kind.__doc__ or "").strip()
    detail = f"HTTP {kind.status} · /problems/{kind.slug} · {kind.title}. {meaning}"
    return _problem_document(language, words, detail)


def failure_page(problem: Mapping[str, Any], language: Language) -> str:
    """A problem document as a page."""
    slug = str(problem["type"]).rpartition("/")[2]
    words = problem_words(
        language, str(problem["status"]) if slug == "about:blank" else slug
    )
    said = [problem["detail"], *map(_say_error, problem.get("errors", ()))]
    detail = f"HTTP {problem['status']} · {problem['instance']} · {' '.join(said)}"
    return _problem_document(language, words, detail)


def _say_error(error: Mapping[str, str]) -> str:
    return f"{error['where']}: {error['detail']}."


def unbuilt_page(language: Language) -> str:
    """In the console's place where it has not been built."""
    return _problem_document(language, UNBUILT[language], None)


def _problem_document(
    language: Language, words: ProblemWords, detail: str | None
) -> str:
    around = PAGE_WORDS[language]
    command = (
        f'<pre tabindex="0"><code>{escape(words.command)}</code></pre>\n'
        if words.command
        else ""
    )
    told = (
        f'<h2>{escape(around.detail)}</h2>\n<p lang="en"><code>{escape(detail)}</code></p>\n'
        if detail
        else ""
    )
    body = f"""<header><h1>{escape(words.title)}</h1></header>
<main>
<p class="lead">{escape(words.help)}</p>
{command}{told}</main>
<footer><nav><a href="/">{escape(around.console)}</a><a href="/developers">{escape(around.developers)}</a>\
<a href="/docs">{escape(around.documentation)}</a></nav></footer>"""
    return _document(language, words.title, body, _STYLE)
