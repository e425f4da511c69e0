"""PURE: the functions a filter may call: what they take, what they give, and their SQL.

Source: OGC 18-088, clause 9.3.3.5.2 (built-in query functions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.api.sensorthings.model import Kind

_T, _N, _I, _M, _B = Kind.TEXT, Kind.NUMBER, Kind.INTEGER, Kind.TIME, Kind.TRUTH


@dataclass(frozen=True, slots=True)
class Function:
    """sql: {0}, {1}, … are the arguments."""

    takes: Sequence[Kind]
    gives: Kind
    sql: str


def _part(of_time: str) -> Function:
    return Function((_M,), _I, f"extract({of_time} FROM {{0}} AT TIME ZONE 'UTC')::int")


FUNCTIONS: Final = {
    "substringof": Function((_T, _T), _B, "(strpos({1}, {0}) > 0)"),
    "contains": Function((_T, _T), _B, "(strpos({0}, {1}) > 0)"),
    "startswith": Function((_T, _T), _B, "starts_with({0}, {1})"),
    "endswith": Function((_T, _T), _B, "(right({0}, length({1})) = {1})"),
    "length": Function((_T,), _I, "length({0})"),
    "indexof": Function((_T, _T), _I, "(strpos({0}, {1}) - 1)"),
    "substring": Function((_T, _N), _T, "substr({0}, ({1})::int + 1)"),
    "tolower": Function((_T,), _T, "lower({0})"),
    "toupper": Function((_T,), _T, "upper({0})"),
    "trim": Function((_T,), _T, "btrim({0})"),
    "concat": Function((_T, _T), _T, "({0} || {1})"),
    "year": _part("year"),
    "month": _part("month"),
    "day": _part("day"),
    "hour": _part("hour"),
    "minute": _part("minute"),
    "second": Function(
        (_M,), _I, "floor(extract(second FROM {0} AT TIME ZONE 'UTC'))::int"
    ),
    "fractionalseconds": Function(
        (_M,), _N, "(extract(milliseconds FROM {0})::int % 1000 / 1000.0)::float8"
    ),
    "date": Function((_M,), _M, "date_trunc('day', {0}, 'UTC')"),
    "totaloffsetminutes": Function((_M,), _I, "(extract(timezone FROM {0})::int / 60)"),
    "round": Function((_N,), _N, "round(({0})::numeric)::float8"),
    "floor": Function((_N,), _N, "floor({0})"),
    "ceiling": Function((_N,), _N, "ceil({0})"),
    "now": Function((), _M, "{now}"),
}
GEOGRAPHY: Final = ("geo.", "st_")
