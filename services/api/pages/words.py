"""PURE: the words of the front page in the city's three languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.core.city.language import Language


@dataclass(frozen=True, slots=True)
class Words:
    """doors: by address, a title and a sentence."""

    language_name: str
    lead: str
    no_city: str
    no_database: str
    doors_title: str
    doors: Mapping[str, tuple[str, str]]
    begin_title: str
    begin: str
    licence: str
    languages: str


WORDS: Final[dict[Language, Words]] = {
    "kk": Words(
        language_name="Қазақша",
        lead="Қаланың ашық деректер платформасы: құрылғылардың өлшемдері, дабылдар және ашық деректер.",
        no_city="Қала файлы әлі қолданылмаған. Бастау үшін: alatau city apply FILE",
        no_database="Дерекқор жауап бермейді. Не болғанын айтады: alatau doctor",
        doors_title="Не қайда",
        doors={
            "/": (
                "Операторлар консолі",
                "Карта, дабылдар, нысандар: кіруден кейін.",
            ),
            "/docs": (
                "API құжаттамасы",
                "Барлық мекенжай, мысалдарымен; осы жерден байқап көруге болады.",
            ),
            "/open/v1": (
                "Ашық деректер",
                "Кірусіз: жиындар, нысандар (GeoJSON), бақылаулар (JSON, CSV), тікелей ағын.",
            ),
            "/sta/v1.1": (
                "SensorThings 1.1",
                "Сол ашық деректер OGC стандарты бойынша, дайын клиенттер үшін.",
            ),
            "/api/v1": (
                "Операторлар API-ы",
                "Кіруден кейін: нысандар, құрылғылар, бақылаулар, дабылдар, есеп.",
            ),
            "/openapi.json": ("OpenAPI сипаттамасы", "Бағдарламалар үшін."),
            "/health/ready": ("Дайындық", "Не жұмыс істеп тұр, не істемейді."),
            "/metrics": ("Метрикалар", "Prometheus үшін осы процестің есептегіштері."),
        },
        begin_title="Неден бастау керек",
        begin="Кіру, дабылдарды оқу, ашық деректерді алу:",
        licence="Ашық деректер CC BY 4.0 лицензиясымен беріледі.",
        languages="Тіл",
    ),
    "ru": Words(
        language_name="Русский",
        lead="Открытая платформа данных города: показания устройств, тревоги и открытые данные.",
        no_city="Файл города ещё не применён. Чтобы начать: alatau city apply FILE",
        no_database="База данных не отвечает. Что случилось, скажет: alatau doctor",
        doors_title="Где что",
        doors={
            "/": (
                "Консоль операторов",
                "Карта, тревоги, объекты: после входа.",
            ),
            "/docs": (
                "Документация API",
                "Все адреса с примерами; можно попробовать прямо здесь.",
            ),
            "/open/v1": (
                "Открытые данные",
                "Без входа: наборы, объекты (GeoJSON), наблюдения (JSON, CSV), живой поток.",
            ),
            "/sta/v1.1": (
                "SensorThings 1.1",
                "Те же открытые данные по стандарту OGC, для готовых клиентов.",
            ),
            "/api/v1": (
                "API операторов",
                "После входа: объекты, устройства, наблюдения, тревоги, учёт.",
            ),
            "/openapi.json": ("Описание OpenAPI", "Для программ."),
            "/health/ready": ("Готовность", "Что работает, а что нет."),
            "/metrics": ("Метрики", "Счётчики этого процесса для Prometheus."),
        },
        begin_title="С чего начать",
        begin="Войти, прочитать тревоги, взять открытые данные:",
        licence="Открытые данные — по лицензии CC BY 4.0.",
        languages="Язык",
    ),
    "en": Words(
        language_name="English",
        lead="An open data platform for a city: what devices measure, alerts, and open data.",
        no_city="No city file has been applied yet. To begin: alatau city apply FILE",
        no_database="The database does not answer. What is wrong is told by: alatau doctor",
        doors_title="Where everything is",
        doors={
            "/": (
                "Operators' console",
                "The map, alerts and assets: after login.",
            ),
            "/docs": (
                "API documentation",
                "Every address with examples; try it right there.",
            ),
            "/open/v1": (
                "Open data",
                "No login: datasets, things (GeoJSON), observations (JSON, CSV), a live stream.",
            ),
            "/sta/v1.1": (
                "SensorThings 1.1",
                "The same open data by the OGC standard, for its clients.",
            ),
            "/api/v1": (
                "Operator API",
                "After login: things, devices, observations, alerts, the ledger.",
            ),
            "/openapi.json": ("OpenAPI description", "For programs."),
            "/health/ready": ("Readiness", "What works and what does not."),
            "/metrics": ("Metrics", "This process' counters, for Prometheus."),
        },
        begin_title="How to begin",
        begin="Log in, read alerts, take open data:",
        licence="Open data is given under CC BY 4.0.",
        languages="Language",
    ),
}
