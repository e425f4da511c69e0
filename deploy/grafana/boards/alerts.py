"""PURE: the dashboard Alerts: what wants somebody now, and how good the alerts are."""

from deploy.grafana import alert_queries
from deploy.grafana.boards.domain import ALERTS, CRITICAL, HIGH
from deploy.grafana.boards.overview import OTHERS, UNSEEN
from deploy.grafana.panels import (
    GREY,
    ORANGE,
    alert_table,
    district_variable,
    firing,
    number,
)
from deploy.grafana.spec import Board, Look, Panel, Section, Setting, Shape, Step
from services.core.city.language import Text

INBOX = Text("Назар аударуды қажет етеді", "Требуют внимания", "Wants somebody")
BEGUN = Text("Басталған дабылдар", "Начавшиеся тревоги", "Alerts that began")
FREQUENT = Text("Ең жиі ережелер", "Самые частые правила", "Most frequent rules")
TO_ACKNOWLEDGE = Text(
    "Растауға дейінгі уақыт (медиана)",
    "До подтверждения (медиана)",
    "Time to acknowledge (median)",
)
TO_RESOLVE = Text("Ұзақтығы (медиана)", "Длительность (медиана)", "Duration (median)")
HISTORY = Text("Тарих", "История", "History")


def top(setting: Setting) -> tuple[Panel, ...]:
    say = setting.say
    warning = Look(steps=(Step(None, GREY), Step(1, ORANGE)), decimals=0)
    acknowledged = alert_queries.median_time("starts_at", "acknowledged_at")
    lasted = alert_queries.median_time("starts_at", "ends_at")
    return (
        firing(setting, CRITICAL, ("critical",)),
        firing(setting, HIGH, ("high",)),
        firing(setting, OTHERS, ("medium", "low")),
        number(say(UNSEEN), alert_queries.waiting_for_somebody(), warning),
        number(say(TO_ACKNOWLEDGE), acknowledged, Look("s")),
        number(say(TO_RESOLVE), lasted, Look("s")),
    )


def alerts_board(setting: Setting) -> Board:
    say, language = setting.say, setting.language
    begun = Panel(
        say(BEGUN), Shape.CHART, alert_queries.begun_over_time(), 16,
        Look(decimals=0, stacked=True, severity_column="metric"),
    )  # fmt: skip
    frequent = Panel(
        say(FREQUENT), Shape.BARS, alert_queries.most_frequent(language), 8
    )
    inbox = alert_table(say(INBOX), alert_queries.inbox((), language), height=12)
    history = alert_table(say(HISTORY), alert_queries.history(language), height=12)
    return Board(
        "alatau-alerts",
        say(ALERTS),
        say(INBOX),
        (
            Section(say(ALERTS), top(setting)),
            Section(say(INBOX), (inbox,)),
            Section(say(HISTORY), (begun, frequent, history)),
        ),
        (district_variable(setting),),
        since="24h",
    )
