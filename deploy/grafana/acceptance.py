"""Tries a real Grafana: applied twice, the data source well, every panel answered."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.grafana.apply import Change, Wanted, apply
from deploy.grafana.build import panels_of
from deploy.grafana.build_panel import DATASOURCE_UID, POINTS
from deploy.grafana.server import Document, GrafanaServer
from services.core.errors import PlatformError

_HOUR: Final = dt.timedelta(hours=1)
_EVERY: Final = "'*'"


@dataclass(frozen=True, slots=True)
class Finding:
    """fault: what is wrong; empty: nothing."""

    subject: str
    fault: str


def examine(
    server: GrafanaServer, wanted: Wanted, now: dt.datetime
) -> Iterator[Finding]:
    """One finding a thing tried.

    Raises:
        PlatformError: Grafana does not answer, or refuses to be written to.
    """
    for _ in apply(server, wanted):
        pass
    for outcome in apply(server, wanted):
        again = outcome.change is not Change.UNCHANGED
        fault = f"{outcome.change} at the second time" if again else ""
        yield Finding(f"{outcome.kind} {outcome.uid}", fault)
    health = server.health_of_datasource(DATASOURCE_UID)
    yield Finding("health of the data source", health or "")
    for uid, document in wanted.dashboards.items():
        for panel in panels_of(document):
            subject = f"{uid}: {panel['title']}"
            yield Finding(subject, _fault_of(server, panel, now))


def query_of(panel: Mapping[str, Any], now: dt.datetime) -> Document:
    """What /api/ds/query takes for a panel; variables are put in here, as the browser would: All."""
    step = _HOUR / POINTS
    target = panel["targets"][0]
    sql = target["rawSql"]
    for name in ("district", "thing"):
        sql = sql.replace(f"${{{name}:sqlstring}}", _EVERY)
    for name in ("asset", "datastream"):
        sql = sql.replace(f"${{{name}:sqlstring}}", "''")
    query = {
        **target,
        "rawSql": sql,
        "intervalMs": step / dt.timedelta(milliseconds=1),
        "maxDataPoints": POINTS,
    }
    begins_at = now - _HOUR
    return {
        "queries": [query],
        "from": str(int(begins_at.timestamp() * 1000)),
        "to": str(int(now.timestamp() * 1000)),
    }


def _fault_of(server: GrafanaServer, panel: Mapping[str, Any], now: dt.datetime) -> str:
    try:
        answer = server.query(query_of(panel, now))
    except PlatformError as error:
        return str(error)
    result = answer.get("results", {}).get("A", {})
    return str(result.get("error") or "") if result else "no answer"
