"""PURE: the dashboard Gas."""

from deploy.grafana.boards.domain import Utility, utility_board
from deploy.grafana.boards.water import charts
from deploy.grafana.panels import figure
from deploy.grafana.queries import Choice
from deploy.grafana.spec import Board, Section, Setting
from services.core.city.catalogue import Domain
from services.core.city.language import Text

FLOW = Text("Қалаға берілген газ", "Подача газа в город", "Gas into the city")
SAFETY = Text("Қауіпсіздік", "Безопасность", "Safety")
PRESSURE = Text("Қысым мен шығын", "Давление и расход", "Pressure and flow")


def gas_board(setting: Setting) -> Board:
    say = setting.say
    figures = (
        (figure(setting, FLOW, Choice("gas_flow"), "sum"),)
        if setting.knows("gas_flow")
        else ()
    )
    pressures = charts(
        setting,
        "gas_flow",
        "gas_low_pressure",
        "gas_medium_pressure",
        "gas_high_pressure",
    )
    utility = Utility(
        "alatau-gas",
        Text("Газ", "Газ", "Gas"),
        Text(
            "Газ тарату станциялары мен реттеу пункттері.",
            "Газораспределительные станции и регуляторные пункты.",
            "Distribution stations and regulators.",
        ),
        (Domain.GAS,),
        figures,
        (
            Section(say(SAFETY), charts(setting, "methane", "odorant")),
            Section(say(PRESSURE), pressures),
        ),
    )
    return utility_board(setting, utility)
