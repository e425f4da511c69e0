"""The expander does what Grafana's documentation says of each macro and format."""

import datetime as dt

import pytest

from tests.grafana.macros import EVERY, Viewed, expand, seconds_of

VIEWED = Viewed(
    dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC),
    "30s",
)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("$__time(t)", 't AS "time"'),
        (
            "$__timeFilter(t)",
            "t BETWEEN '2026-11-22T03:00:00Z' AND '2026-11-22T04:00:00Z'",
        ),
        ("$__timeFrom()", "'2026-11-22T03:00:00Z'"),
        ("$__timeTo()", "'2026-11-22T04:00:00Z'"),
        ("$__timeGroup(t, '5m')", "time_bucket('300.000s',t)"),
        ("$__timeGroup(t, '$__interval')", "time_bucket('30.000s',t)"),
        ("SELECT $__timeGroup(t,1h), 1", 'SELECT time_bucket(\'3600.000s\',t) AS "time", 1'),
        ("$__timeGroupAlias(t,'1m')", 'time_bucket(\'60.000s\',t) AS "time"'),
        ("$__unixEpochFilter(e)", "e >= 1795316400 AND e <= 1795320000"),
        ("$__unixEpochGroup(e,'5m')", "floor((e)/300)*300"),
        ("$__interval_ms", "30000"),
        ("x IN (${many:sqlstring})", "x IN ('a','b''c')"),
        ("x IN (${many:singlequote})", r"x IN ('a','b\'c')"),
        ("${many:csv}", "a,b'c"),
        ("x IN ($many)", "x IN ('a','b''c')"),
        ("x = '$one'", "x = 'it''s'"),
        ("x IN (${every:sqlstring})", "x IN ('*')"),
    ],
)  # fmt: skip
def test_a_macro_becomes(sql: str, expanded: str) -> None:
    variables = {"many": ["a", "b'c"], "one": "it's", "every": EVERY}
    assert expand(sql, VIEWED, variables) == expanded


@pytest.mark.parametrize(
    "sql", ["$__nonsense(x)", "${missing:sqlstring}", "$__timeGroup(t, 'soon')"]
)
def test_what_grafana_does_not_know_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|no variable|error parsing"):
        expand(sql, VIEWED)


def test_intervals() -> None:
    assert [seconds_of(text) for text in ("500ms", "10s", "2m", "1h", "1d")] == [
        0.5, 10, 120, 3600, 86400,
    ]  # fmt: skip
