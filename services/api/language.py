"""A name in one language, or in all three."""

from collections.abc import Mapping

from services.api.schemas import Names
from services.core.city.language import Language


def in_language(names: Mapping[str, str], language: Language | None) -> Names | str:
    """The name in that language; without one, all of {kk, ru, en}."""
    if language is None:
        return Names(kk=names["kk"], ru=names["ru"], en=names["en"])
    return names[language]


def accepted_language(header: str | None) -> Language:
    """The first of our languages in an Accept-Language header; English when there is none."""
    for wish in (header or "").split(","):
        match wish.split(";")[0].strip().lower().split("-")[0]:
            case "kk" | "ru" | "en" as language:
                return language
            case _:
                continue
    return "en"


def page_language(wish: str | None, header: str | None) -> Language:
    """Of a page: as its address wishes (?lang=), else as the browser does."""
    return accepted_language(f"{wish or ''},{header or ''}")
