"""PURE: the dashboard Asset: everything about one thing."""

from deploy.grafana import alert_queries, queries
from deploy.grafana import platform_queries as sql
from deploy.grafana.boards.domain import ALERTS
from deploy.grafana.panels import NOW, SAMPLED, district_variable
from deploy.grafana.spec import (
    FULL_WIDTH,
    Board,
    Look,
    Panel,
    Section,
    Setting,
    Shape,
    Variable,
)
from services.core.city.language import Text

TITLE = Text("Нысан", "Объект", "Asset")
NOTE = Text(
    "Бір нысан туралы бәрі.", "Всё об одном объекте.", "Everything about one asset."
)
DATASTREAM = Text("Деректер ағыны", "Поток данных", "Datastream")
RANGE = Text(
    "Орташа, ең төмен, ең жоғары", "Среднее, наименьшее, наибольшее", "Mean, lowest, highest"
)  # fmt: skip
EVERYTHING = Text("Барлық өлшемдер", "Все измерения", "Every measurement")


def asset_board(setting: Setting) -> Board:
    say, language = setting.say, setting.language
    alerts = Panel(
        say(ALERTS), Shape.TABLE, alert_queries.of_asset(language), 14,
        Look(severity_column="severity"), height=10,
    )  # fmt: skip
    current = sql.asset_now(language)
    panels = (
        Panel(say(NOW), Shape.TABLE, current, 10, height=10),
        alerts,
        Panel(say(RANGE), Shape.CHART, sql.ASSET_CHART, FULL_WIDTH, height=9),
        Panel(
            say(EVERYTHING), Shape.CHART, sql.ASSET_ALL, FULL_WIDTH, note=say(SAMPLED)
        ),
    )
    return Board(
        "alatau-asset",
        say(TITLE),
        say(NOTE),
        (Section(say(TITLE), panels),),
        (
            district_variable(setting),
            Variable("asset", say(TITLE), queries.asset_choice(language), many=False),
            Variable(
                "datastream",
                say(DATASTREAM),
                queries.datastream_choice(language),
                many=False,
            ),
        ),
    )
