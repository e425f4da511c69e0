"""PURE: the frame that the dashboards of one utility share: alerts, what matters, states, every measurement."""

from dataclasses import dataclass

from deploy.grafana import alert_queries
from deploy.grafana.panels import (
    alert_table,
    alive,
    district_variable,
    equipment_alarms,
    every_property,
    every_state,
    firing,
    thing_variable,
)
from deploy.grafana.spec import Board, Panel, Section, Setting
from services.core.city.catalogue import Domain, Kind
from services.core.city.language import Text

CRITICAL = Text("Қауіпті дабылдар", "Критические тревоги", "Critical alerts")
HIGH = Text("Маңызды дабылдар", "Важные тревоги", "High alerts")
ALERTS = Text("Дабылдар", "Тревоги", "Alerts")
STATES = Text("Күйлер", "Состояния", "States")
EVERYTHING = Text("Барлық өлшемдер", "Все измерения", "Every measurement")


@dataclass(frozen=True, slots=True)
class Utility:
    """A dashboard of one or two domains. figures: beside the alerts; sections: what its people look at first."""

    uid: str
    title: Text
    note: Text
    domains: tuple[Domain, ...]
    figures: tuple[Panel, ...]
    sections: tuple[Section, ...]
    since: str = "6h"


def utility_board(setting: Setting, utility: Utility) -> Board:
    domains, say = utility.domains, setting.say
    keys = setting.properties(*domains)
    top = (
        firing(setting, CRITICAL, ("critical",), *domains),
        firing(setting, HIGH, ("high",), *domains),
        alive(setting, *domains),
        *utility.figures,
    )
    inbox = alert_queries.inbox(domains, setting.language)
    catalogue = setting.city.catalogue
    says_alarms = any(catalogue[key].kind is Kind.BITS for key in keys)
    alarms = (
        (
            alert_table(say(ALERTS), inbox, width=12),
            equipment_alarms(setting, *domains),
        )
        if says_alarms
        else (alert_table(say(ALERTS), inbox),)
    )
    sections = (
        Section(say(utility.title), top),
        *(section for section in utility.sections if section.panels),
        Section(say(ALERTS), alarms),
        Section(say(STATES), every_state(setting, keys)),
        Section(say(EVERYTHING), every_property(setting, keys), collapsed=True),
    )
    return Board(
        utility.uid,
        say(utility.title),
        say(utility.note),
        tuple(section for section in sections if section.panels),
        (district_variable(setting), thing_variable(setting, *domains)),
        alert_queries.annotations(domains, setting.language),
        utility.since,
    )
