"""PURE: what pages say of each kind of problem, in the city's three languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.core.city.language import Language


@dataclass(frozen=True, slots=True)
class ProblemWords:
    """title: what happened. help: what to do about it. command: what to type, where that helps."""

    title: str
    help: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class PageWords:
    """Around every problem. detail: before what the platform itself says, in English."""

    detail: str
    console: str
    developers: str
    documentation: str


PAGE_WORDS: Final[dict[Language, PageWords]] = {
    "kk": PageWords("Толығырақ", "Консоль", "Әзірлеушілерге", "API құжаттамасы"),
    "ru": PageWords("Подробнее", "Консоль", "Разработчикам", "Документация API"),
    "en": PageWords("In detail", "Console", "For developers", "API documentation"),
}

UNBUILT: Final[dict[Language, ProblemWords]] = {
    "kk": ProblemWords(
        "Консоль әлі құрастырылмаған",
        "Платформа мен API жұмыс істеп тұр. Консольді қайнар кодтан құрастыру үшін төмендегі команданы орындап,"
        " платформаны қайта іске қосыңыз.",
        "make install",
    ),
    "ru": ProblemWords(
        "Консоль ещё не собрана",
        "Платформа и API работают. Чтобы собрать консоль из исходников, выполните команду ниже и запустите платформу снова.",
        "make install",
    ),
    "en": ProblemWords(
        "The console has not been built yet",
        "The platform and its API work. To build the console from its sources, run the command below and start the platform again.",
        "make install",
    ),
}

_KK: Final = {
    "bad-request": ProblemWords(
        "Бұл сұрауға жауап беру мүмкін емес",
        "Мекенжайды тексеріңіз немесе басты беттен бастаңыз.",
    ),
    "bad-cursor": ProblemWords(
        "Бұл курсорды пайдалану мүмкін емес",
        "Ол басқа сұрауға тиесілі немесе бұзылған: тізімді басынан, курсорсыз бастаңыз.",
    ),
    "bad-range": ProblemWords(
        "Уақыт аралығы жарамсыз",
        "Басы аяғынан бұрын болуы керек, екеуі де уақыт белдеуімен жазылады.",
    ),
    "too-much": ProblemWords(
        "Бір сұрауға тым көп", "Аралықты қысқартыңыз немесе азырақ ағын сұраңыз."
    ),
    "bad-query": ProblemWords(
        "SensorThings сұрауын түсіну мүмкін емес",
        "Төмендегі түсіндірме сұраудың қай бөлігі жарамсыз екенін айтады.",
    ),
    "unauthenticated": ProblemWords(
        "Сіз кірмегенсіз",
        "Консоль арқылы кіріңіз. Сессия он екі сағаттан кейін аяқталады.",
    ),
    "forbidden": ProblemWords(
        "Бұған рұқсатыңыз жоқ",
        "Әкімшіден рұқсат сұраңыз: рөлдер мен аудандарды ол береді.",
    ),
    "not-found": ProblemWords(
        "Мұнда ештеңе жоқ", "Мекенжайды тексеріңіз немесе басты беттен бастаңыз."
    ),
    "no-city": ProblemWords(
        "Қала файлы әлі қолданылмаған",
        "Қалаңызды файлда сипаттап (docs/city-file.md), оны қолданыңыз.",
        "alatau city apply FILE",
    ),
    "outdated-version": ProblemWords(
        "Бұл арада өзгерді",
        "Бетті жаңартып, жаңа күйін қараңыз да, содан кейін шешіңіз.",
    ),
    "conflict": ProblemWords(
        "Қазіргі күйі бұған жол бермейді", "Бетті жаңартып, қазіргі күйін қараңыз."
    ),
    "too-large": ProblemWords(
        "Сұрау тым үлкен", "Сұраудың денесі 64 КБ-тан аспауы керек."
    ),
    "invalid-request": ProblemWords(
        "Мекенжайдағы бір параметр жарамсыз",
        "Төмендегі түсіндірме қайсысы екенін айтады; барлығы API құжаттамасында.",
    ),
    "too-many-requests": ProblemWords(
        "Тым жиі сұрайсыз", "Біраз күтіп, бетті жаңартыңыз."
    ),
    "too-slow": ProblemWords(
        "Жауапты есептеу тым ұзақ", "Аралықты қысқартыңыз немесе азырақ ағын сұраңыз."
    ),
    "unavailable": ProblemWords(
        "Платформаның бір бөлігі жауап бермейді",
        "Бірнеше секундтан кейін қайталаңыз. Көпке созылса, платформа тұрған машинада не болғанын мына команда айтады:",
        "alatau doctor",
    ),
    "not-offered": ProblemWords(
        "Стандарттың бұл бөлігі мұнда жоқ", "Не бар екені API құжаттамасында."
    ),
    "internal": ProblemWords(
        "Біздің жақта күтпеген қате болды",
        "Ол журналға жазылды. Қайталап көріңіз; қайталанса, платформа тұрған машинада журналды қараңыз:",
        "alatau logs api",
    ),
    "405": ProblemWords(
        "Бұл мекенжай мұндай әрекетті білмейді", "Басты беттен бастаңыз."
    ),
}

_RU: Final = {
    "bad-request": ProblemWords(
        "На этот запрос нельзя ответить",
        "Проверьте адрес или начните с главной страницы.",
    ),
    "bad-cursor": ProblemWords(
        "Этот курсор нельзя использовать",
        "Он от другого запроса или повреждён: начните список сначала, без курсора.",
    ),
    "bad-range": ProblemWords(
        "Промежуток времени не годится",
        "Начало должно быть раньше конца; оба записываются с часовым поясом.",
    ),
    "too-much": ProblemWords(
        "Слишком много для одного запроса",
        "Сократите промежуток или запросите меньше потоков.",
    ),
    "bad-query": ProblemWords(
        "Запрос SensorThings нельзя понять",
        "Пояснение ниже говорит, какая часть запроса не годится.",
    ),
    "unauthenticated": ProblemWords(
        "Вы не вошли", "Войдите через консоль. Сеанс длится двенадцать часов."
    ),
    "forbidden": ProblemWords(
        "На это у вас нет прав",
        "Обратитесь к администратору: роли и районы назначает он.",
    ),
    "not-found": ProblemWords(
        "Здесь ничего нет", "Проверьте адрес или начните с главной страницы."
    ),
    "no-city": ProblemWords(
        "Файл города ещё не применён",
        "Опишите свой город в файле (docs/city-file.md) и примените его.",
        "alatau city apply FILE",
    ),
    "outdated-version": ProblemWords(
        "За это время всё изменилось",
        "Обновите страницу, посмотрите новое состояние и решите снова.",
    ),
    "conflict": ProblemWords(
        "Нынешнее состояние этого не допускает",
        "Обновите страницу и посмотрите нынешнее состояние.",
    ),
    "too-large": ProblemWords("Запрос слишком велик", "Тело запроса не больше 64 КБ."),
    "invalid-request": ProblemWords(
        "Один из параметров адреса не годится",
        "Пояснение ниже говорит, какой; все описаны в документации API.",
    ),
    "too-many-requests": ProblemWords(
        "Запросы слишком часты", "Подождите немного и обновите страницу."
    ),
    "too-slow": ProblemWords(
        "Ответ вычисляется слишком долго",
        "Сократите промежуток или запросите меньше потоков.",
    ),
    "unavailable": ProblemWords(
        "Часть платформы не отвечает",
        "Повторите через несколько секунд. Если это надолго, на машине платформы скажет, что случилось:",
        "alatau doctor",
    ),
    "not-offered": ProblemWords(
        "Этой части стандарта здесь нет", "Что есть, описано в документации API."
    ),
    "internal": ProblemWords(
        "У нас случилась непредвиденная ошибка",
        "Она записана в журнал. Попробуйте ещё раз; если повторится, посмотрите журнал на машине платформы:",
        "alatau logs api",
    ),
    "405": ProblemWords(
        "Этот адрес не знает такого действия", "Начните с главной страницы."
    ),
}

_EN: Final = {
    "bad-request": ProblemWords(
        "This request cannot be answered",
        "Check the address, or begin at the front page.",
    ),
    "bad-cursor": ProblemWords(
        "This cursor cannot be used",
        "It belongs to another request, or is damaged: begin the list again without it.",
    ),
    "bad-range": ProblemWords(
        "The time range cannot be used",
        "Its start must be before its end; both are written with a time zone.",
    ),
    "too-much": ProblemWords(
        "Too much for one request", "Ask for a shorter range, or for fewer datastreams."
    ),
    "bad-query": ProblemWords(
        "The SensorThings query cannot be understood",
        "The words below say which part of it is wrong.",
    ),
    "unauthenticated": ProblemWords(
        "You are not logged in", "Log in at the console. A session lasts twelve hours."
    ),
    "forbidden": ProblemWords(
        "You may not do this", "Ask an administrator, who gives roles and districts."
    ),
    "not-found": ProblemWords(
        "There is nothing here", "Check the address, or begin at the front page."
    ),
    "no-city": ProblemWords(
        "No city file has been applied yet",
        "Describe your city in a file (docs/city-file.md), and apply it.",
        "alatau city apply FILE",
    ),
    "outdated-version": ProblemWords(
        "It has changed in the meantime",
        "Load the page again, look at how things are now, then decide.",
    ),
    "conflict": ProblemWords(
        "Its state does not allow that",
        "Load the page again and look at how things are now.",
    ),
    "too-large": ProblemWords(
        "The request is too large", "The body of a request has at most 64 KB."
    ),
    "invalid-request": ProblemWords(
        "A parameter of the address cannot be used",
        "The words below say which; all are described in the API documentation.",
    ),
    "too-many-requests": ProblemWords(
        "You ask too often", "Wait a little, then load the page again."
    ),
    "too-slow": ProblemWords(
        "The answer takes too long to compute",
        "Ask for a shorter range, or for fewer datastreams.",
    ),
    "unavailable": ProblemWords(
        "A part of the platform does not answer",
        "Try again in a few seconds. If it lasts, this tells on the platform's machine what is wrong:",
        "alatau doctor",
    ),
    "not-offered": ProblemWords(
        "This part of the standard is not offered here",
        "What there is, is in the API documentation.",
    ),
    "internal": ProblemWords(
        "Something unexpected went wrong on our side",
        "It has been logged. Try again; if it happens again, look at the log on the platform's machine:",
        "alatau logs api",
    ),
    "405": ProblemWords(
        "This address does not know such an action", "Begin at the front page."
    ),
}

_WORDS: Final[Mapping[Language, Mapping[str, ProblemWords]]] = {
    "kk": _KK,
    "ru": _RU,
    "en": _EN,
}


def problem_words(language: Language, kind: str) -> ProblemWords:
    """kind: a problem's slug, or an HTTP status for what has none; of an unknown one what fits all."""
    words = _WORDS[language]
    return words.get(kind, words["bad-request"])


def known_problems(language: Language) -> frozenset[str]:
    return frozenset(_WORDS[language])
