"""PURE: the dashboard Power."""

from deploy.grafana.boards.domain import Utility, utility_board
from deploy.grafana.panels import bars, chart, district_chart, figure
from deploy.grafana.queries import Choice
from deploy.grafana.spec import Board, Section, Setting
from services.core.city.catalogue import Domain
from services.core.city.language import Text

LOAD = Text("Фидерлердің жүктемесі", "Нагрузка фидеров", "Load of the feeders")
CONSUMED = Text("Аудандардың жүктемесі", "Нагрузка районов", "Load of the districts")
LOAD_AND_HEAT = Text("Жүктеме және қызу", "Загрузка и нагрев", "Loading and heating")
FREQUENCY = Text("Желі жиілігі", "Частота сети", "Grid frequency")
VOLTAGE = Text("Кернеу", "Напряжение", "Voltage")
FEEDERS = Choice("active_power", kinds=("feeder",))
POINTS = Choice("active_power", kinds=("transformer_point",))


def power_board(setting: Setting) -> Board:
    say = setting.say
    figures = (
        [figure(setting, LOAD, FEEDERS, "sum")] if setting.knows("active_power") else []
    )
    if setting.knows("grid_frequency"):
        figures.append(figure(setting, FREQUENCY, Choice("grid_frequency"), "avg"))
    loads = (
        [
            district_chart(setting, CONSUMED, POINTS, "sum"),
            chart(setting, FEEDERS),
        ]
        if setting.knows("active_power")
        else []
    )
    heat = [
        bars(setting, Choice(key))
        for key in ("transformer_load", "transformer_oil_temperature", "feeder_current")
        if setting.knows(key)
    ]
    voltages = [
        chart(setting, Choice(key))
        for key in ("low_voltage", "feeder_voltage", "grid_frequency", "feeder_current")
        if setting.knows(key)
    ]
    sections = (
        Section(say(LOAD), tuple(loads)),
        Section(say(LOAD_AND_HEAT), tuple(heat)),
        Section(say(VOLTAGE), tuple(voltages)),
    )
    utility = Utility(
        "alatau-power",
        Text("Электр қуаты", "Электроснабжение", "Power"),
        Text(
            "Желілер, фидерлер, трансформаторлар.",
            "Линии, фидеры, трансформаторы.",
            "Lines, feeders and transformers.",
        ),
        (Domain.POWER,),
        tuple(figures),
        sections,
    )
    return utility_board(setting, utility)
