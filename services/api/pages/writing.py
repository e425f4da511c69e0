"""Pages as HTML; every word that is not ours is escaped."""

from html import escape
from typing import Final

from services.api.failures import RequestError
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
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
{head}</head>
<body>
{body}
</body>
</html>
"""


_STYLE: Final = '<link rel="stylesheet" href="/assets/page.css">\n'


def front_page(
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
        return f'<a href="/?lang={language}" lang="{language}" hreflang="{language}"{here}>{words.language_name}</a>'

    return "".join(link(language, WORDS[language]) for language in LANGUAGES)


def documentation_page() -> str:
    head = '<link rel="stylesheet" href="/assets/swagger-ui.css">\n<link rel="stylesheet" href="/assets/docs.css">\n'
    body = """<main id="documentation"></main>
<noscript>This page needs JavaScript; the same is in <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/assets/swagger-ui-bundle.js"></script>
<script src="/assets/docs.js"></script>"""
    return _document("en", "Alatau API", body, head)


def problem_page(kind: type[RequestError]) -> str:
    body = f"""<header><h1>{escape(kind.title)}</h1></header>
<main>
<p class="lead">{escape((kind.__doc__ or "").strip())}</p>
<p>HTTP {kind.status} · <code>/problems/{kind.slug}</code></p>
</main>
<footer><p><a href="/docs">API</a> · <a href="/">Alatau</a></p></footer>"""
    return _document("en", kind.title, body, _STYLE)
