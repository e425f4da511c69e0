"""Alerts as an operator reads them in a terminal: in two lines each, or in a table where there is room."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.cli.unit_signs import quantity
from services.core.city.language import Language

if TYPE_CHECKING:
    from services.core.alerting.alert import Alert
    from services.core.storage.alert_names import AlertNames

WIDE: Final = 120  # characters, from which on a table is better than two lines
_MARKS: Final = {  # told by shape and by colour
    "critical": ("■", "bold white on red"),
    "high": ("▲", "bold red"),
    "medium": ("◆", "yellow"),
    "low": ("●", "cyan"),
}
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "nothing": "Nothing wants attention.",
        "none": "There are no alerts.",
        "seen": "seen by",
    },
    "ru": {
        "nothing": "Ничто не требует внимания.",
        "none": "Тревог нет.",
        "seen": "принято:",
        "critical": "критично", "high": "высокая", "medium": "средняя", "low": "низкая",
        "firing": "активна", "pending": "ожидает", "resolved": "прошла", "inactive": "снята",
    },
    "kk": {
        "nothing": "Назар аударуды қажет ететін ештеңе жоқ.",
        "none": "Дабыл жоқ.",
        "seen": "көрген:",
        "critical": "сыни", "high": "жоғары", "medium": "орташа", "low": "төмен",
        "firing": "белсенді", "pending": "күтуде", "resolved": "өтті", "inactive": "алынды",
    },
}  # fmt: skip
_AGES: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Screen:
    """What was read of the inbox, or of everything, at a moment; and how it is told."""

    alerts: "Sequence[Alert]"
    names: "Mapping[int, AlertNames]"
    now: dt.datetime
    time_zone: str
    lang: Language
    everything: bool = False


def screen(shown: Screen, width: int) -> RenderableType:
    """What fires comes first, the worst before all."""
    if not shown.alerts:
        return Text(_word(shown, "none" if shown.everything else "nothing"))
    alerts = sorted(shown.alerts, key=_urgency)
    if width >= WIDE:
        return _table(shown, alerts)
    return Group(*(_two_lines(shown, alert) for alert in alerts))


def _urgency(alert: "Alert") -> tuple[bool, int, int]:
    return (alert.state != "firing", -alert.severity.rank, -(alert.alert_id or 0))


def _table(shown: Screen, alerts: "Sequence[Alert]") -> Table:
    table = Table(
        *("severity", "state", "since", "what", "value", "alert"), box=box.SIMPLE_HEAD
    )
    for column in table.columns:
        column.no_wrap = column.header != "what"
    table.columns[3].ratio = 1
    table.columns[4].justify = "right"
    table.expand = True
    for alert in alerts:
        what = Text.assemble(_what(shown, alert), _seen(shown, alert))
        if alert.state == "firing":
            action = alert.subject.annotations.action.in_language(shown.lang)
            what.append(f"\n→ {action}", style="dim")
        table.add_row(
            _severity(shown, alert),
            _word(shown, alert.state),
            _since(shown, alert),
            what,
            _value(shown, alert),
            _number(alert),
        )
    return table


def _two_lines(shown: Screen, alert: "Alert") -> RenderableType:
    first = Table.grid(padding=(0, 2), expand=True)
    for width in (12, 8, None, None, None):
        first.add_column(width=width, no_wrap=True)
    first.columns[2].ratio = 1
    first.columns[3].justify = first.columns[4].justify = "right"
    first.add_row(
        _severity(shown, alert),
        _word(shown, alert.state),
        _since(shown, alert),
        Text(_value(shown, alert), style="bold"),
        Text(_number(alert), style="dim"),
    )
    second = Text.assemble(_what(shown, alert), _seen(shown, alert))
    return Group(first, Padding(second, (0, 0, 0, 2)))


def _severity(shown: Screen, alert: "Alert") -> Text:
    mark, style = _MARKS[alert.severity]
    return Text(f"{mark} {_word(shown, alert.severity)}", style=style)


def _what(shown: Screen, alert: "Alert") -> Text:
    names, labels = shown.names.get(alert.alert_id or 0), alert.subject.labels
    device = labels.get("device", "")
    key = labels.get("thing") or device or labels.get("datastream", "")
    place = names.thing[shown.lang] if names and names.thing else key
    if device and place != device:
        place += f" ({device})"
    rule = names.rule[shown.lang] if names and names.rule else alert.subject.rule_key
    return Text.assemble((place, "bold"), f": {rule}")


def _seen(shown: Screen, alert: "Alert") -> Text:
    held = alert.acknowledgement
    return Text(f"  ({_word(shown, 'seen')} {held.by})" if held else "", style="green")


def _since(shown: Screen, alert: "Alert") -> str:
    """From when, in the city's time, and for how long; of what is over, until when."""
    start = _clock(shown, alert.starts_at)
    if alert.ends_at is not None:
        return f"{start} – {_clock(shown, alert.ends_at)}"
    return f"{start}, {_age(shown.now - alert.starts_at)}"


def _clock(shown: Screen, moment: dt.datetime) -> str:
    zone = zoneinfo.ZoneInfo(shown.time_zone)
    local, today = moment.astimezone(zone), shown.now.astimezone(zone).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%m-%d %H:%M}"


def _age(age: dt.timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    unit, size = next(
        ((unit, size) for unit, size in _AGES if seconds >= size), ("s", 1)
    )
    return f"{seconds // size} {unit}"


def _value(shown: Screen, alert: "Alert") -> str:
    names = shown.names.get(alert.alert_id or 0)
    if alert.value is None or names is None:
        return ""
    for code in names.codes:
        if code["value"] == alert.value:
            return str(code["name"][shown.lang])
    return quantity(alert.value, names.unit or "")


def _number(alert: "Alert") -> str:
    return f"{alert.alert_id} v{alert.version}"


def _word(shown: Screen, word: str) -> str:
    return _WORDS[shown.lang].get(word, word)
