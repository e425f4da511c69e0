"""Every panel's SQL on the real TimescaleDB, as the role that Grafana has: columns, types, and that something is seen."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from deploy.grafana.build import dashboards
from deploy.grafana.spec import Setting
from deploy.native.postgres import PostgresCluster
from services.core.storage.pool import Connection, connect
from tests.dashboard_data import NOW, reference_city
from tests.grafana.macros import Viewed
from tests.grafana.questions import Question, questions

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

LAST_HOUR = Viewed(NOW - dt.timedelta(hours=1), NOW, "1m")
NUMBERS = {"float8", "int8", "int4", "numeric"}
SHOWABLE = NUMBERS | {"text", "timestamptz", "bool"}
QUESTIONS = questions(dashboards(Setting(reference_city(), "en")))


async def answer(
    reader: Connection, question: Question, **chosen: Any
) -> tuple[dict[str, str], list[Any]]:
    """Types by column, and the rows."""
    statement = await reader.prepare(question.expanded(LAST_HOUR, chosen))
    attributes = statement.get_attributes()
    columns = {column.name: column.type.name for column in attributes}
    assert len(columns) == len(attributes), f"{question}: two columns have one name"
    return columns, await statement.fetch()


def check_series(
    columns: dict[str, str], rows: list[Any], *, gaps: bool = False
) -> None:
    """Long form: Grafana makes a line of each metric."""
    assert list(columns) == ["time", "metric", "value"]
    assert columns["time"] == "timestamptz"
    assert columns["metric"] == "text"
    assert columns["value"] in NUMBERS
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    assert len({(row["time"], row["metric"]) for row in rows}) == len(rows)
    assert all(row["metric"] for row in rows)
    if not gaps:
        assert all(row["value"] is not None for row in rows)


def check_figure(columns: dict[str, str], rows: list[Any]) -> None:
    assert list(columns) == ["value"]
    assert columns["value"] in NUMBERS
    assert len(rows) == 1


def check_bars(columns: dict[str, str], rows: list[Any]) -> None:
    kinds = list(columns.values())
    assert kinds[0] == "text"
    assert len(kinds) == 2
    assert kinds[1] in NUMBERS
    assert len({row[0] for row in rows}) == len(rows) <= 20


def check_table(columns: dict[str, str], rows: list[Any]) -> None:
    assert set(columns.values()) <= SHOWABLE
    assert len(rows) <= 500


def check_annotations(columns: dict[str, str], rows: list[Any]) -> None:
    assert columns == {
        "time": "timestamptz", "timeend": "timestamptz", "text": "text", "tags": "text",
    }  # fmt: skip
    assert all(row["timeend"] >= row["time"] for row in rows)


def check_variable(columns: dict[str, str], rows: list[Any]) -> None:
    assert columns == {"__text": "text", "__value": "text"}
    assert all(row["__text"] and row["__value"] for row in rows)


CHECKS: dict[str, Callable[[dict[str, str], list[Any]], None]] = {
    "timeseries": check_series,
    "state-timeline": partial(check_series, gaps=True),
    "stat": check_figure,
    "bargauge": check_bars,
    "table": check_table,
    "annotation": check_annotations,
    "variable": check_variable,
}


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_it_answers_in_the_shape_its_panel_draws(
    reader: Connection, question: Question
) -> None:
    columns, rows = await answer(reader, question)
    assert rows, "nothing to see"
    CHECKS[question.kind](columns, rows)


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_a_choice_that_fits_nothing_shows_nothing_and_breaks_nothing(
    reader: Connection, question: Question
) -> None:
    if question.kind == "variable":
        return
    no_such = {"district": ["it's"], "thing": ["no", "such"], "asset": "it's"}
    columns, rows = await answer(reader, question, **no_such)
    CHECKS[question.kind](columns, rows)
    if "${thing" in question.sql or "${asset" in question.sql:
        shown = [row for row in rows if any(value is not None for value in row)]
        assert not shown


async def test_a_district_narrows_what_is_shown(reader: Connection) -> None:
    narrowed = next(
        question for question in QUESTIONS if question.title == "Line current: highest"
    )
    _, everywhere = await answer(reader, narrowed)
    _, in_one = await answer(reader, narrowed, district=["growing"])
    _, in_none = await answer(reader, narrowed, district=["gate"])
    assert len(everywhere) == len(in_one) > len(in_none)


async def test_a_state_lasts_a_while_and_then_nothing_is_known(
    postgres: PostgresCluster, reader: Connection, city_database: str
) -> None:
    """A pump said its state last at 3:30; the grid goes on, so that the gap is drawn."""
    owner = await connect(postgres.dsn(city_database), "test")
    silenced = owner.transaction()
    await silenced.start()
    try:
        frame = await owner.fetchval(
            """SELECT frame_id FROM datastream_slots s JOIN dashboards.datastreams d USING (datastream_id)
               WHERE property = 'blower_state' ORDER BY datastream LIMIT 1"""
        )
        await owner.execute(
            "DELETE FROM observations WHERE frame_id = $1 AND phenomenon_time > $2",
            frame,
            NOW - dt.timedelta(minutes=30),
        )
        blowers = next(q for q in QUESTIONS if q.title == "Blower state")
        _, rows = await answer(owner, blowers)
    finally:
        await silenced.rollback()
        await owner.close()
    by_metric: dict[str, list[Any]] = {}
    for row in rows:
        by_metric.setdefault(row["metric"], []).append(row["value"])
    lengths = {len(values) for values in by_metric.values()}
    unknown = [values.count(None) for values in by_metric.values()]
    assert lengths == {61}
    assert sorted(unknown)[:3] == [0, 0, 0]
    assert 26 <= max(unknown) <= 29
