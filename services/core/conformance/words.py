"""PURE: the conformance report in the city's three languages: what each check wants, and the verdicts."""

from collections.abc import Iterable, Mapping
from typing import Final

from services.core.city.language import Language
from services.core.conformance.checks import Check, Verdict

CHECKS: Final[Mapping[str, Mapping[Language, str]]] = {
    "birth": {
        "kk": "Қосылғанда birth жібереді: epoch және oldest_seq бар",
        "ru": "При подключении присылает birth с epoch и oldest_seq",
        "en": "Sends a birth when it connects, with epoch and oldest_seq",
    },
    "sequence": {
        "kk": "seq үзіліссіз өседі",
        "ru": "seq растёт без пропусков",
        "en": "seq rises without gaps",
    },
    "epoch": {
        "kk": "epoch ешқашан кемімейді",
        "ru": "epoch никогда не уменьшается",
        "en": "epoch never falls",
    },
    "receipts": {
        "kk": "Түбіртегі бар хабарды қайта жібермейді",
        "ru": "Не повторяет сообщений, на которые есть квитанция",
        "en": "Does not resend what a receipt covers",
    },
    "times": {
        "kk": "Уақыт бар және рұқсат етілген аралықта",
        "ru": "Время указано и в допустимых пределах",
        "en": "Times are there, and within the accepted window",
    },
    "clock": {
        "kk": "Сағаты дұрыс: озып кетпеген",
        "ru": "Часы идут верно и не спешат",
        "en": "Its clock is right, and not ahead",
    },
    "period": {
        "kk": "Жариялаған кезеңмен жібереді",
        "ru": "Присылает с заявленным периодом",
        "en": "Reports with the declared period",
    },
    "channels": {
        "kk": "Жарияланған арналарды, тек соларды жібереді",
        "ru": "Присылает заявленные каналы и только их",
        "en": "Sends the declared channels, and only those",
    },
    "values": {
        "kk": "Мәндердің түрі мен шегі дұрыс",
        "ru": "Значения верного типа и в пределах",
        "en": "Values are of the right type, and in range",
    },
    "shape": {
        "kk": "Хабарлар хаттамаға сай жазылған",
        "ru": "Сообщения составлены по протоколу",
        "en": "Messages are of the documented shape",
    },
    "size": {
        "kk": "Хабар 64 КБ-тан аспайды",
        "ru": "Сообщение не больше 64 КБ",
        "en": "A message has at most 64 KB",
    },
    "duplicates": {
        "kk": "Бірдей жазбаны қайталамайды (1 %-ға дейін)",
        "ru": "Не повторяет те же данные (до 1 %)",
        "en": "Does not repeat the same data (up to 1 %)",
    },
    "qos": {
        "kk": "QoS 1-мен жібереді",
        "ru": "Публикует с QoS 1",
        "en": "Publishes with QoS 1",
    },
    "latency": {
        "kk": "Біздің жақ: келгеннен сақталғанға дейін",
        "ru": "Наша сторона: от получения до сохранения",
        "en": "Our side: from arrival to stored",
    },
}
VERDICTS: Final[Mapping[Verdict, Mapping[Language, str]]] = {
    Verdict.PASSED: {"kk": "өтті", "ru": "пройдено", "en": "passed"},
    Verdict.FAILED: {"kk": "өтпеді", "ru": "не пройдено", "en": "failed"},
    Verdict.NOT_SEEN: {"kk": "байқалмады", "ru": "не наблюдалось", "en": "not seen"},
}
TITLE: Final[Mapping[Language, str]] = {
    "kk": "Хаттамаға сәйкестік есебі",
    "ru": "Отчёт о соответствии протоколу",
    "en": "Conformance report",
}
_SIGNS: Final = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.NOT_SEEN: "–"}


def write_report(device: str, checks: Iterable[Check], language: Language) -> str:
    """As text, a line each; numbers in the protocol's own words."""
    lines = [f"{TITLE[language]}: {device}", ""]
    for check in checks:
        told = VERDICTS[check.verdict][language]
        lines.append(
            f"{_SIGNS[check.verdict]} {told:<15} {CHECKS[check.key][language]}"
        )
        if numbers := say_numbers(check):
            lines.append(f"  {'':<15} {numbers}")
    return "\n".join(lines)


def say_numbers(check: Check) -> str:
    return ", ".join(
        f"{name} {_say(value)}"
        for name, value in check.numbers.items()
        if value not in (None, [])
    )


def _say(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)
