"""PURE: what the datasets are called."""

from typing import Final

_TITLES: Final = {
    "power": ("Электрмен жабдықтау", "Электроснабжение", "Power"),
    "water": ("Сумен жабдықтау", "Водоснабжение", "Water"),
    "wastewater": ("Су бұру", "Водоотведение", "Wastewater"),
    "gas": ("Газбен жабдықтау", "Газоснабжение", "Gas"),
    "traffic": ("Жол қозғалысы", "Дорожное движение", "Traffic"),
    "environment": (
        "Қоршаған орта және ауа райы",
        "Окружающая среда и погода",
        "Environment and weather",
    ),
}
_ABOUT: Final = {
    "kk": "{city}: «{title}» саласының ашық бақылаулары — не өлшенеді, қайда және қандай мәндер.",
    "ru": "{city}: открытые наблюдения области «{title}»: что измеряется, где и с какими значениями.",
    "en": "{city}: open observations of the domain “{title}”: what is measured, where, and the values.",
}


def title_of(domain: str) -> dict[str, str]:
    """{kk, ru, en}; a domain we have no words for keeps its key."""
    kk, ru, en = _TITLES.get(domain, (domain, domain, domain))
    return {"kk": kk, "ru": ru, "en": en}


def description_of(domain: str, city: dict[str, str]) -> dict[str, str]:
    titles = title_of(domain)
    return {
        language: sentence.format(city=city[language], title=titles[language])
        for language, sentence in _ABOUT.items()
    }
