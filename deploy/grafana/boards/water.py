"""PURE: the dashboard Water: drinking water and wastewater."""

from deploy.grafana.boards.domain import Utility, utility_board
from deploy.grafana.panels import bars, chart, district_chart, figure
from deploy.grafana.queries import Choice
from deploy.grafana.spec import Board, Panel, Section, Setting
from services.core.city.catalogue import Domain
from services.core.city.language import Text

WON = Text("Ұңғымалардан алынған су", "Добыча из скважин", "Water won from the wells")
LEVEL = Text("Резервуарлардың орташа деңгейі", "Средний уровень резервуаров", "Mean level of the reservoirs")  # fmt: skip
SEWAGE = Text("Тазартуға келген ағын", "Приток на очистные", "Inflow of the works")
SUPPLY = Text("Сумен жабдықтау", "Водоснабжение", "Supply")
QUALITY = Text("Су сапасы", "Качество воды", "Water quality")
WASTEWATER = Text("Су бұру", "Водоотведение", "Wastewater")


def charts(setting: Setting, *keys: str) -> tuple[Panel, ...]:
    return tuple(chart(setting, Choice(key)) for key in keys if setting.knows(key))


def figures(setting: Setting) -> tuple[Panel, ...]:
    wanted = (
        (WON, Choice("well_flow"), "sum"),
        (LEVEL, Choice("reservoir_level"), "avg"),
        (SEWAGE, Choice("sewage_flow", kinds=("inlet",)), "sum"),
    )
    return tuple(
        figure(setting, title, choice, aggregate)
        for title, choice, aggregate in wanted
        if setting.knows(choice.property)
    )


def supply(setting: Setting) -> tuple[Panel, ...]:
    won = (
        (district_chart(setting, WON, Choice("well_flow"), "sum"),)
        if setting.knows("well_flow")
        else ()
    )
    return won + charts(setting, "reservoir_level", "water_pressure", "pump_power")


def wastewater(setting: Setting) -> tuple[Panel, ...]:
    levels = (
        (bars(setting, Choice("sewage_level", kinds=("lift_station",)), width=12),)
        if setting.knows("sewage_level")
        else ()
    )
    return levels + charts(
        setting, "sewage_flow", "dissolved_oxygen", "effluent_ammonium"
    )


def water_board(setting: Setting) -> Board:
    say = setting.say
    quality = charts(setting, "free_chlorine", "water_turbidity")
    utility = Utility(
        "alatau-water",
        Text("Су", "Вода", "Water"),
        Text(
            "Ұңғымалар, сорғылар, резервуарлар, су сапасы; су бұру.",
            "Скважины, насосы, резервуары, качество воды; водоотведение.",
            "Wells, pumps, reservoirs, water quality; wastewater.",
        ),
        (Domain.WATER, Domain.WASTEWATER),
        figures(setting),
        (
            Section(say(SUPPLY), supply(setting)),
            Section(say(QUALITY), quality),
            Section(say(WASTEWATER), wastewater(setting)),
        ),
    )
    return utility_board(setting, utility)
