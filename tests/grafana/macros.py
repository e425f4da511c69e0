"""What Grafana makes of a panel's SQL before PostgreSQL sees it.

Variables first (the formats its documentation lists under "Advanced variable format options"), then the macros of
the PostgreSQL data source with TimescaleDB switched on (its documentation's table of macros). An unknown name is an
error, as it is there.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)|\[\[(\w+)\]\]")
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
EVERY = "'*'"  # the dashboards' own value for All, put in as it is

Chosen = str | Sequence[str]


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_FORMATS: dict[str, Callable[[Sequence[str]], str]] = {
    "csv": ",".join,
    "raw": ",".join,
    "sqlstring": lambda values: ",".join(map(_quoted, values)),
    "singlequote": lambda values: ",".join(
        "'" + value.replace("'", "\\'") + "'" for value in values
    ),
    "doublequote": lambda values: ",".join(f'"{value}"' for value in values),
}


@dataclass(frozen=True)
class Viewed:
    """The chosen time range; interval: the step Grafana derives from it (30s)."""

    begins_at: dt.datetime
    ends_at: dt.datetime
    interval: str


def seconds_of(interval: str) -> float:
    """As Grafana reads intervals: 30s, 5m, 1h.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", interval.strip("' "))
    if found is None:
        raise ValueError(f"error parsing interval {interval!r}")
    return float(found[1]) * _UNITS[found[2]]


def expand(
    sql: str, viewed: Viewed, variables: Mapping[str, Chosen] | None = None
) -> str:
    """The SQL that PostgreSQL gets.

    Raises:
        ValueError: a variable, a format or a macro is unknown.
    """
    known = variables or {}
    text = _VARIABLE.sub(lambda found: _value(found, known), sql)
    width = seconds_of(viewed.interval)
    text = text.replace("$__interval_ms", f"{width * 1000:.0f}")
    text = text.replace("$__interval", viewed.interval)
    expanded = _MACRO.sub(lambda found: _macro(found, text, viewed), text)
    if left := re.search(r"\$__\w+", expanded):
        raise ValueError(f"{left[0]} is left")
    return expanded


def _value(found: re.Match[str], variables: Mapping[str, Chosen]) -> str:
    name = found[1] or found[3] or found[4]
    if name not in variables:
        raise ValueError(f"the dashboard has no variable {name}")
    chosen = variables[name]
    if chosen == EVERY:
        return EVERY
    values = [chosen] if isinstance(chosen, str) else list(chosen)
    if found[2]:
        return _FORMATS[found[2]](values)
    many = not isinstance(chosen, str)
    return ",".join(map(_quoted, values)) if many else values[0].replace("'", "''")


def _macro(found: re.Match[str], sql: str, viewed: Viewed) -> str:
    name, arguments = found[1], [part.strip(" ") for part in found[2].split(",")]
    if name == "__timeGroup" and sql[found.end() : found.end() + 1] == ",":
        name = "__timeGroupAlias"
    if name in ("__timeGroup", "__timeGroupAlias"):
        bucket = f"time_bucket('{seconds_of(arguments[1]):.3f}s',{arguments[0]})"
        return bucket if name == "__timeGroup" else f'{bucket} AS "time"'
    if name in ("__unixEpochGroup", "__unixEpochGroupAlias"):
        width = seconds_of(arguments[1])
        bucket = f"floor(({arguments[0]})/{width:g})*{width:g}"
        return bucket if name == "__unixEpochGroup" else f'{bucket} AS "time"'
    made = _simple(name, arguments[0], viewed)
    if made is None:
        raise ValueError(f"unknown macro {name!r}")
    return made


def _simple(name: str, column: str, viewed: Viewed) -> str | None:
    begin, end = viewed.begins_at, viewed.ends_at
    first, last = f"'{_rfc3339(begin)}'", f"'{_rfc3339(end)}'"
    from_epoch, to_epoch = int(begin.timestamp()), int(end.timestamp())
    return {
        "__time": f'{column} AS "time"',
        "__timeEpoch": f'extract(epoch from {column}) as "time"',
        "__timeFilter": f"{column} BETWEEN {first} AND {last}",
        "__timeFrom": first,
        "__timeTo": last,
        "__unixEpochFilter": f"{column} >= {from_epoch} AND {column} <= {to_epoch}",
        "__unixEpochFrom": str(from_epoch),
        "__unixEpochTo": str(to_epoch),
        "__unixEpochNanoFilter": f"{column} >= {from_epoch}000000000 AND {column} <= {to_epoch}000000000",
        "__unixEpochNanoFrom": f"{from_epoch}000000000",
        "__unixEpochNanoTo": f"{to_epoch}000000000",
    }.get(name)


def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
