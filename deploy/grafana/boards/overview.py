"""PURE: the dashboard City overview: is the city well, in one look."""

from deploy.grafana import alert_queries
from deploy.grafana.boards.domain import ALERTS, CRITICAL, EVERYTHING, HIGH
from deploy.grafana.panels import (
    GREY,
    ORANGE,
    alert_table,
    alive,
    count_chart,
    district_chart,
    district_variable,
    every_property,
    firing,
    number,
)
from deploy.grafana.platform_queries import silent_publishers
from deploy.grafana.queries import Choice
from deploy.grafana.spec import Board, Look, Panel, Section, Setting, Step
from services.core.city.catalogue import Domain
from services.core.city.language import Text

TITLE = Text("Қалаға шолу", "Обзор города", "City overview")
NOTE = Text("Қала бір қарағанда.", "Город одним взглядом.", "The city in one look.")
OTHERS = Text("Өзге дабылдар", "Прочие тревоги", "Other alerts")
UNSEEN = Text("Расталмаған", "Не подтверждено", "Not acknowledged")
SILENT = Text("Үнсіз құрылғылар", "Молчащие устройства", "Silent publishers")
UTILITIES = Text("Аудандар", "Районы", "Districts")
AIR = Text("Ауа мен ауа райы", "Воздух и погода", "Air and weather")
SILENT_SECONDS = 300
# What each district does, side by side: title, property, kinds of things, how to put together.
SIGNS = (
    (Text("Электр жүктемесі", "Электрическая нагрузка", "Electric load"), "active_power", ("transformer_point",), "sum"),
    (Text("Ең төмен су қысымы", "Наименьшее давление воды", "Lowest water pressure"), "water_pressure", ("measuring_point",), "min"),
    (Text("Ағынды су деңгейі", "Уровень сточных вод", "Highest wastewater level"), "sewage_level", ("lift_station",), "max"),
    (Text("Ең төмен газ қысымы", "Наименьшее давление газа", "Lowest gas pressure"), "gas_low_pressure", (), "min"),
    (Text("PM2.5", "PM2.5", "PM2.5"), "pm2_5", (), "max"),
)  # fmt: skip
VEHICLES = Text("Сағатына көлік", "Автомобилей в час", "Vehicles an hour")


def top(setting: Setting) -> tuple[Panel, ...]:
    warning = Look(steps=(Step(None, GREY), Step(1, ORANGE)), decimals=0)
    return (
        firing(setting, CRITICAL, ("critical",)),
        firing(setting, HIGH, ("high",)),
        firing(setting, OTHERS, ("medium", "low")),
        number(setting.say(UNSEEN), alert_queries.waiting_for_somebody(), warning),
        number(setting.say(SILENT), silent_publishers(SILENT_SECONDS), warning),
        alive(setting),
    )


def signs(setting: Setting) -> tuple[Panel, ...]:
    panels = [
        district_chart(
            setting, title, Choice(key, kinds, by_thing=False), aggregate, width=8
        )
        for title, key, kinds, aggregate in SIGNS
        if setting.knows(key)
    ]
    if setting.knows("vehicle_count"):
        counted = Choice("vehicle_count", by_thing=False)
        panels.append(count_chart(setting, VEHICLES, counted, width=8))
    return tuple(panels)


def overview_board(setting: Setting) -> Board:
    say = setting.say
    inbox = alert_queries.inbox((), setting.language)
    environment = setting.properties(Domain.ENVIRONMENT)
    sections = (
        Section(say(TITLE), top(setting)),
        Section(say(UTILITIES), signs(setting)),
        Section(say(ALERTS), (alert_table(say(ALERTS), inbox),)),
        Section(
            f"{say(AIR)}: {say(EVERYTHING)}",
            weather(setting, environment),
            collapsed=True,
        ),
    )
    return Board(
        "alatau-overview",
        f"{say(setting.city.name)}: {say(TITLE)}",
        say(NOTE),
        tuple(section for section in sections if section.panels),
        (district_variable(setting),),
        alert_queries.annotations((), setting.language),
        since="3h",
    )


def weather(setting: Setting, keys: list[str]) -> tuple[Panel, ...]:
    return every_property(setting, keys, by_thing=False)
