"""Makes one panel with Grafana's own builders."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import DataSourceRef
from typing_extensions import override

from deploy.grafana.panels import SEVERITY_COLOURS
from deploy.grafana.spec import Look, Panel, Shape, Step

DATASOURCE_UID: Final = "alatau-database"
DATASOURCE_TYPE: Final = "grafana-postgresql-datasource"
DATASOURCE: Final = DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)
POINTS: Final = 180  # a line; each is a look into the database's index for every frame
SHORTEST_STEP: Final = "10s"  # a sum needs a value of every device in each step
GAP_MS: Final = (
    180_000  # a step or two without a value is no outage; longer gaps are shown
)
NORMAL_STATES: Final = ("green", "blue", "super-light-blue", "purple", "semi-dark-green", "text")  # fmt: skip

Drawn: TypeAlias = (
    timeseries.Panel | statetimeline.Panel | stat.Panel | bargauge.Panel | table.Panel
)


class SqlQuery(Builder[variants.Dataquery], variants.Dataquery):
    """One query of the PostgreSQL data source; the SDK has no builder for it."""

    def __init__(self, sql: str, shape: str) -> None:
        self._sql, self._shape = sql, shape

    @override
    def build(self) -> variants.Dataquery:
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "refId": "A",
            "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
            "editorMode": "code",
            "format": self._shape,
            "rawQuery": True,
            "rawSql": self._sql,
        }


def grafana_panel(panel: Panel) -> Drawn:
    drawn = _DRAWN_BY[panel.shape](panel)
    over_time = panel.shape in (Shape.CHART, Shape.STATES)
    query = SqlQuery(panel.sql, "time_series" if over_time else "table")
    drawn.title(panel.title).datasource(DATASOURCE).with_target(query)
    shortest = "1s" if panel.shape is Shape.STATES else SHORTEST_STEP
    drawn.max_data_points(POINTS).interval(shortest)
    if panel.note:
        drawn.description(panel.note)
    return drawn


def _chart(panel: Panel) -> timeseries.Panel:
    look = panel.look
    drawn = timeseries.Panel().unit(look.unit).display_name("${__field.labels.metric}")
    drawn.line_width(1).fill_opacity(25 if look.stacked else 0)
    drawn.show_points(shapes.VisibilityMode.NEVER)
    drawn.span_nulls(GAP_MS)
    drawn.legend(
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    drawn.tooltip(
        common.VizTooltipOptions()
        .mode(shapes.TooltipDisplayMode.MULTI)
        .sort(shapes.SortOrder.DESCENDING)
    )
    if look.stacked:
        normal = common.StackingConfig().mode(shapes.StackingMode.NORMAL)
        drawn.stacking(normal.group("A"))
    _colour_lines(drawn, look)
    return drawn


def _colour_lines(drawn: timeseries.Panel, look: Look) -> None:
    if look.decimals is not None:
        drawn.decimals(look.decimals)
    if look.steps:
        drawn.thresholds(_thresholds(look.steps))
        dashed = shapes.GraphThresholdsStyleMode.DASHED
        drawn.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
    if look.severity_column:
        for severity, colour in SEVERITY_COLOURS.items():
            drawn.override_by_name(severity, [_fixed(colour)])


def _states(panel: Panel) -> statetimeline.Panel:
    drawn = statetimeline.Panel().display_name("${__field.labels.metric}")
    drawn.mappings([_code_mapping(panel.look)]).show_value(shapes.VisibilityMode.NEVER)
    drawn.merge_values(merge_values=True).row_height(0.8).per_page(20)
    return drawn.color_scheme(_scheme(model.FieldColorModeId.THRESHOLDS))


def _figure(panel: Panel) -> stat.Panel:
    look = panel.look
    drawn = stat.Panel().unit(look.unit).graph_mode(shapes.BigValueGraphMode.NONE)
    drawn.reduce_options(_newest()).no_value("–")
    drawn.color_scheme(_scheme(model.FieldColorModeId.THRESHOLDS))
    drawn.thresholds(_thresholds(look.steps or (Step(None, "text"),)))
    if look.steps:
        drawn.color_mode(shapes.BigValueColorMode.BACKGROUND)
    else:
        drawn.color_mode(shapes.BigValueColorMode.VALUE)
    if look.decimals is not None:
        drawn.decimals(look.decimals)
    return drawn


def _bars(panel: Panel) -> bargauge.Panel:
    look = panel.look
    drawn = bargauge.Panel().unit(look.unit)
    every_row = common.ReduceDataOptions().values(values=True).calcs(["lastNotNull"])
    drawn.reduce_options(every_row.limit(20))
    drawn.orientation(shapes.VizOrientation.HORIZONTAL)
    drawn.display_mode(shapes.BarGaugeDisplayMode.BASIC)
    drawn.color_scheme(_scheme(model.FieldColorModeId.THRESHOLDS))
    return drawn.thresholds(_thresholds(look.steps or (Step(None, "blue"),)))


def _table(panel: Panel) -> table.Panel:
    look = panel.look
    drawn = table.Panel().show_header(show_header=True)
    drawn.cell_height(shapes.TableCellHeight.SM).filterable(filterable=True)
    for column, unit in look.column_units.items():
        drawn.override_by_name(column, [model.DynamicConfigValue("unit", unit)])
    if look.severity_column:
        drawn.override_by_name(look.severity_column, _severity_cells())
    if look.asset_column:
        drawn.override_by_name(look.asset_column, [_to_asset()])
    return drawn


_DRAWN_BY: Final[dict[Shape, Callable[[Panel], Drawn]]] = {
    Shape.CHART: _chart,
    Shape.STATES: _states,
    Shape.FIGURE: _figure,
    Shape.BARS: _bars,
    Shape.TABLE: _table,
}


def _newest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().values(values=False).calcs(["lastNotNull"])


def _thresholds(steps: Sequence[Step]) -> build.ThresholdsConfig:
    levels = [model.Threshold(value=step.value, color=step.colour) for step in steps]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(levels)


def _scheme(mode: model.FieldColorModeId) -> build.FieldColor:
    return build.FieldColor().mode(mode)


def _fixed(colour: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def _code_mapping(look: Look) -> model.ValueMap:
    """Names of codes; the abnormal ones red, whatever else is true."""
    normal = iter(NORMAL_STATES * len(look.codes))
    results = {
        str(code.value): model.ValueMappingResult(
            text=code.name,
            color="red" if code.abnormal else next(normal),
            index=index,
        )
        for index, code in enumerate(look.codes)
    }
    return model.ValueMap(options=results)


def _severity_cells() -> list[model.DynamicConfigValue]:
    mapped = {
        severity: {"color": colour, "index": index}
        for index, (severity, colour) in enumerate(SEVERITY_COLOURS.items())
    }
    cell = {"type": "color-background", "mode": "basic"}
    return [
        model.DynamicConfigValue("mappings", [{"type": "value", "options": mapped}]),
        model.DynamicConfigValue("custom.cellOptions", cell),
    ]


def _to_asset() -> model.DynamicConfigValue:
    link = {
        "title": "${__value.text}",
        "url": "/d/alatau-asset?var-asset=${__value.raw:percentencode}&${__url_time_range}",
    }
    return model.DynamicConfigValue("links", [link])
