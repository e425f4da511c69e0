"""PURE: the dashboard Traffic."""

from deploy.grafana.boards.domain import Utility, utility_board
from deploy.grafana.panels import bars, chart, count_chart, district_chart, figure
from deploy.grafana.queries import Choice
from deploy.grafana.spec import Board, Panel, Section, Setting
from services.core.city.catalogue import Domain
from services.core.city.language import Text

VEHICLES = Text("Сағатына көлік", "Автомобилей в час", "Vehicles an hour")
SPEED = Text("Орташа жылдамдық", "Средняя скорость", "Mean speed")
FLOWING = Text("Қозғалыс", "Движение", "Flow")
SLOW = Text("Кептеліс", "Заторы", "Congestion")


def flow(setting: Setting) -> tuple[Panel, ...]:
    panels = []
    if setting.knows("vehicle_count"):
        panels.append(count_chart(setting, VEHICLES, Choice("vehicle_count")))
    if setting.knows("vehicle_speed"):
        speed = Choice("vehicle_speed")
        panels.append(district_chart(setting, SPEED, speed, "avg"))
    return tuple(panels)


def congestion(setting: Setting) -> tuple[Panel, ...]:
    known = [key for key in ("lane_occupancy", "vehicle_speed") if setting.knows(key)]
    return tuple(
        make(setting, Choice(key), 12) for key in known for make in (bars, chart)
    )


def traffic_board(setting: Setting) -> Board:
    say = setting.say
    figures = (
        (figure(setting, SPEED, Choice("vehicle_speed"), "avg"),)
        if setting.knows("vehicle_speed")
        else ()
    )
    utility = Utility(
        "alatau-traffic",
        Text("Жол қозғалысы", "Дорожное движение", "Traffic"),
        Text(
            "Көлік саны, жылдамдық, бағдаршамдар.",
            "Число автомобилей, скорость, светофоры.",
            "Vehicles, speeds and signals.",
        ),
        (Domain.TRAFFIC,),
        figures,
        (
            Section(say(FLOWING), flow(setting)),
            Section(say(SLOW), congestion(setting)),
        ),
        since="3h",
    )
    return utility_board(setting, utility)
