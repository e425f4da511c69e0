"""Makes Grafana's JSON of a description, with Grafana's own builders; equal descriptions give equal bytes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.boards.every import every_board
from deploy.grafana.build_panel import DATASOURCE, SqlQuery, grafana_panel
from deploy.grafana.spec import FULL_WIDTH, Board, Setting, Variable
from services.core.city.language import Text

TAG: Final = "alatau"
EVERY: Final = Text("Барлығы", "Все", "All")
OTHER_BOARDS: Final = Text("Тақталар", "Панели", "Dashboards")
ALERTS: Final = Text("Дабылдар", "Тревоги", "Alerts")


def dashboards(setting: Setting) -> dict[str, dict[str, Any]]:
    """All dashboards by uid, as /api/dashboards/db and the provisioning take them."""
    return {board.uid: dashboard_json(board, setting) for board in every_board(setting)}


def as_text(document: dict[str, Any]) -> str:
    return (
        json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).strip()
        + "\n"
    )


def dashboard_json(board: Board, setting: Setting) -> dict[str, Any]:
    made = (
        build.Dashboard(board.title)
        .uid(board.uid)
        .description(board.note)
        .tags([TAG])
        .timezone(setting.city.time_zone)
        .week_start("monday")
        .time(f"now-{board.since}", "now")
        .refresh(board.refresh)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_other_boards(setting))
    )
    for variable in board.variables:
        made.with_variable(_variable(variable, setting))
    if board.annotations:
        made.annotation(_annotation(board, setting))
    _lay_out(made, board)
    document: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    _leave_out_the_unknown(document)
    return document


def panels_of(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All but rows, also those within collapsed rows."""
    for panel in document["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def _leave_out_the_unknown(document: dict[str, Any]) -> None:
    """What the SDK still writes and Grafana 13's own types no longer have."""
    for variable in document["templating"].get("list", ()):
        for member in ("auto", "auto_min", "auto_count"):
            variable.pop(member, None)
    for panel in panels_of(document):
        if panel["type"] == "table":
            panel["options"].pop("footer", None)


def _lay_out(made: build.Dashboard, board: Board) -> None:
    """Rows of panels from left to right; the numbers of the panels are their places."""
    number = 0
    for section in board.sections:
        number += 1
        row = build.Row(section.title).id(number)
        if not section.collapsed:
            made.with_row(row)
        for panel in section.panels:
            number += 1
            drawn = grafana_panel(panel).id(number)
            drawn.span(min(panel.width, FULL_WIDTH)).height(panel.height)
            if section.collapsed:
                row.with_panel(drawn)
            else:
                made.with_panel(drawn)
        if section.collapsed:
            made.with_row(row)


def _other_boards(setting: Setting) -> build.DashboardLink:
    title = setting.say(OTHER_BOARDS)
    link = build.DashboardLink(title).type(model.DashboardLinkType.DASHBOARDS)
    return link.tags([TAG]).as_dropdown(as_dropdown=True).keep_time(keep_time=True)


def _variable(variable: Variable, setting: Setting) -> build.QueryVariable:
    made = (
        build.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query(variable.sql)
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(model.VariableSort.DISABLED)
        .multi(variable.many)
        .include_all(variable.many)
    )
    if variable.many:
        # Quoted here, for Grafana puts this value into the SQL as it is.
        made.all_value("'*'")
        every = setting.say(EVERY)
        made.current(model.VariableOption(text=[every], value=["$__all"]))
    return made


def _annotation(board: Board, setting: Setting) -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name(setting.say(ALERTS))
        .datasource(DATASOURCE)
        .enable(enable=True)
        .hide(hide=False)
        .icon_color("red")
        .target(SqlQuery(board.annotations, "table"))
    )
