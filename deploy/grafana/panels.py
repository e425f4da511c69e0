"""PURE: panels made from the catalogue: title, unit, codes and thresholds come from the observed property."""

from collections.abc import Sequence
from typing import Final

from deploy.grafana import alert_queries, queries
from deploy.grafana.queries import Choice, Extreme
from deploy.grafana.spec import Code, Look, Panel, Setting, Shape, Step, Variable
from deploy.grafana.units import grafana_unit
from services.core.city.catalogue import Domain, Kind, ObservedProperty
from services.core.city.language import Text

GREEN: Final = "green"
ORANGE: Final = "orange"
RED: Final = "red"
GREY: Final = "text"
SEVERITY_COLOURS: Final = {
    "critical": "dark-red",
    "high": "red",
    "medium": "orange",
    "low": "yellow",
}
HIGHEST: Final = Text("ең жоғары", "наибольшие", "highest")
LOWEST: Final = Text("ең төмен", "наименьшие", "lowest")
NOW: Final = Text("қазір", "сейчас", "now")
AN_HOUR: Final = Text("сағатына", "в час", "an hour")
SAMPLED: Final = Text(
    "Әр қадамның соңғы мәні; қысқа өзгерістерді көру үшін уақыт аралығын тарылтыңыз.",
    "Последнее значение каждого шага; чтобы увидеть короткие изменения, сузьте интервал.",
    "The last value of each step; narrow the time range to see what is shorter than a step.",
)
# Where low is what hurts: the lowest things are shown, not the highest.
WATCHED_FROM_BELOW: Final = frozenset(
    {
        "water_pressure", "gas_high_pressure", "gas_medium_pressure", "gas_low_pressure", "free_chlorine", "odorant",
        "dissolved_oxygen", "reservoir_level", "vehicle_speed", "battery_voltage", "low_voltage", "feeder_voltage",
        "transmission_voltage", "subtransmission_voltage", "grid_frequency", "visibility",
    }
)  # fmt: skip


def extreme_of(key: str) -> Extreme:
    return Extreme.LOWEST if key in WATCHED_FROM_BELOW else Extreme.HIGHEST


def plausible_steps(entry: ObservedProperty) -> tuple[Step, ...]:
    """Red outside the plausible range, where it is bounded."""
    low, high = entry.plausible.minimum, entry.plausible.maximum
    lowest = Step(None, RED if low is not None else GREEN)
    steps = [lowest]
    if low is not None:
        steps.append(Step(low, GREEN))
    if high is not None:
        steps.append(Step(high, RED))
    return tuple(steps) if len(steps) > 1 else ()


def look_of(entry: ObservedProperty) -> Look:
    return Look(grafana_unit(entry.unit), plausible_steps(entry))


def chart(setting: Setting, choice: Choice, width: int = 12) -> Panel:
    """The things at the extreme end of a property; of a counter, how fast it rises."""
    entry = setting.city.catalogue[choice.property]
    name = setting.say(entry.name)
    if entry.kind is Kind.COUNTER:
        look = Look(f"{grafana_suffix(entry.unit)}/h")
        sql = queries.risen_an_hour(choice, setting.language)
        return Panel(f"{name}, {setting.say(AN_HOUR)}", Shape.CHART, sql, width, look)
    extreme = extreme_of(choice.property)
    end = setting.say(HIGHEST if extreme is Extreme.HIGHEST else LOWEST)
    return Panel(
        f"{name}: {end}",
        Shape.CHART,
        queries.extremes(choice, extreme, setting.language),
        width,
        look_of(entry),
        setting.say(SAMPLED),
    )


def grafana_suffix(ucum: str) -> str:
    shown = {"kW.h": "kWh", "m3": "m³"}.get(ucum, ucum)
    return f"suffix: {shown}"


def district_chart(
    setting: Setting, title: Text, choice: Choice, aggregate: str, width: int = 12
) -> Panel:
    entry = setting.city.catalogue[choice.property]
    sql = queries.by_district(choice, aggregate, setting.language)
    look = Look(grafana_unit(entry.unit), stacked=aggregate == "sum")
    return Panel(
        setting.say(title), Shape.CHART, sql, width, look, setting.say(SAMPLED)
    )


def count_chart(
    setting: Setting, title: Text, choice: Choice, width: int = 12
) -> Panel:
    sql = queries.counted_an_hour(choice, setting.language)
    return Panel(
        setting.say(title), Shape.CHART, sql, width, Look(decimals=0, stacked=True)
    )


def state_timeline(setting: Setting, choice: Choice, width: int = 24) -> Panel:
    entry = setting.city.catalogue[choice.property]
    codes = tuple(
        Code(code.value, setting.say(code.name), code.abnormal) for code in entry.codes
    )
    return Panel(
        setting.say(entry.name),
        Shape.STATES,
        queries.states(choice, setting.language),
        width,
        Look(codes=codes),
        setting.say(SAMPLED),
        height=10,
    )


def figure(
    setting: Setting, title: Text, choice: Choice, aggregate: str, width: int = 4
) -> Panel:
    entry = setting.city.catalogue[choice.property]
    return Panel(
        setting.say(title),
        Shape.FIGURE,
        queries.now_of_city(choice, aggregate),
        width,
        Look(grafana_unit(entry.unit)),
        height=4,
    )


def bars(setting: Setting, choice: Choice, width: int = 8) -> Panel:
    entry = setting.city.catalogue[choice.property]
    sql = queries.now_of_things(choice, extreme_of(choice.property), setting.language)
    title = f"{setting.say(entry.name)}, {setting.say(NOW)}"
    return Panel(title, Shape.BARS, sql, width, look_of(entry))


def number(
    title: str, sql: str, look: Look | None = None, width: int = 4, note: str = ""
) -> Panel:
    return Panel(title, Shape.FIGURE, sql, width, look or Look(), note, height=4)


def firing(
    setting: Setting, title: Text, severities: tuple[str, ...], *domains: Domain
) -> Panel:
    colour = SEVERITY_COLOURS[severities[0]]
    look = Look(steps=(Step(None, GREY), Step(1, colour)), decimals=0)
    return number(setting.say(title), alert_queries.firing(severities, domains), look)


def alert_table(title: str, sql: str, width: int = 24, height: int = 10) -> Panel:
    look = Look(severity_column="severity", asset_column="key")
    return Panel(title, Shape.TABLE, sql, width, look, height=height)


def equipment_alarms(setting: Setting, *domains: Domain) -> Panel:
    title = Text("Жабдық дабылдары", "Сигнализация оборудования", "Equipment alarms")
    sql = queries.equipment_alarms(domains, setting.language)
    return Panel(
        setting.say(title), Shape.TABLE, sql, 12, Look(asset_column="key"), height=10
    )


def alive(setting: Setting, *domains: Domain, width: int = 4) -> Panel:
    title = Text("Деректер ағыны тірі", "Потоки данных живы", "Datastreams alive")
    steps = (Step(None, RED), Step(90, ORANGE), Step(98, GREEN))
    look = Look("percent", steps, decimals=1)
    return number(setting.say(title), queries.share_alive(domains), look, width)


def every_property(
    setting: Setting, keys: Sequence[str], *, by_thing: bool = True
) -> tuple[Panel, ...]:
    """A chart of each measurement and counter among the keys."""
    catalogue = setting.city.catalogue
    numbers = (Kind.MEASUREMENT, Kind.COUNTER)
    return tuple(
        chart(setting, Choice(key, by_thing=by_thing), 8)
        for key in keys
        if catalogue[key].kind in numbers
    )


def every_state(setting: Setting, keys: Sequence[str]) -> tuple[Panel, ...]:
    catalogue = setting.city.catalogue
    return tuple(
        state_timeline(setting, Choice(key))
        for key in keys
        if catalogue[key].kind is Kind.STATE
    )


def district_variable(setting: Setting) -> Variable:
    sql = queries.district_choice(setting.language)
    return Variable("district", setting.say(Text("Аудан", "Район", "District")), sql)


def thing_variable(setting: Setting, *domains: Domain) -> Variable:
    sql = queries.thing_choice(domains, setting.language)
    return Variable("thing", setting.say(Text("Нысан", "Объект", "Asset")), sql)
