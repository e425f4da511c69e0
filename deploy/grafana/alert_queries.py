"""PURE: the SQL of panels about alerts."""

from deploy.grafana.queries import ANY_DISTRICT, in_domains, literal
from services.core.city.catalogue import Domain
from services.core.city.language import Language


def firing(severities: tuple[str, ...], domains: tuple[Domain, ...] = ()) -> str:
    kinds = ", ".join(literal(severity) for severity in severities)
    return f"""\
SELECT count(*) AS value
FROM dashboards.alerts
WHERE state = 'firing' AND severity IN ({kinds}) AND {in_domains(domains)} AND {ANY_DISTRICT}"""


def waiting_for_somebody() -> str:
    return f"""\
SELECT count(*) AS value
FROM dashboards.alerts
WHERE in_inbox AND acknowledged_at IS NULL AND {ANY_DISTRICT}"""


def inbox(domains: tuple[Domain, ...], language: Language) -> str:
    """What fires, and what ended before anybody acknowledged it; the gravest and newest first."""
    return f"""\
SELECT severity, state, starts_at AS since, thing AS key, thing_name ->> '{language}' AS thing,
       rule_name ->> '{language}' AS alert, annotations -> 'action' ->> '{language}' AS action,
       acknowledged_at AS acknowledged
FROM dashboards.alerts
WHERE in_inbox AND {in_domains(domains)} AND {ANY_DISTRICT}
ORDER BY severity_rank DESC, starts_at DESC LIMIT 200"""


def history(language: Language) -> str:
    return f"""\
SELECT severity, state, starts_at AS since, ends_at AS until, thing AS key, thing_name ->> '{language}' AS thing,
       rule_name ->> '{language}' AS alert, annotations -> 'cause' ->> '{language}' AS cause
FROM dashboards.alerts
WHERE starts_at BETWEEN $__timeFrom() AND $__timeTo() AND {ANY_DISTRICT}
ORDER BY starts_at DESC LIMIT 500"""


def begun_over_time() -> str:
    return f"""\
SELECT $__timeGroupAlias(starts_at, '$__interval'), severity AS metric, count(*)::float8 AS value
FROM dashboards.alerts
WHERE $__timeFilter(starts_at) AND state <> 'pending' AND {ANY_DISTRICT}
GROUP BY 1, 2 ORDER BY 1"""


def most_frequent(language: Language) -> str:
    """Rules that raise the most alerts: those to be tuned first (ISA-18.2: bad actors)."""
    return f"""\
SELECT coalesce(rule_name ->> '{language}', rule) AS alert, count(*) AS value
FROM dashboards.alerts
WHERE $__timeFilter(starts_at) AND state <> 'pending' AND {ANY_DISTRICT}
GROUP BY 1 ORDER BY 2 DESC LIMIT 12"""


def median_time(since: str, until: str) -> str:
    """Seconds; of alerts that began within the range."""
    return f"""\
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM {until} - {since})) AS value
FROM dashboards.alerts
WHERE $__timeFilter(starts_at) AND {until} >= {since} AND {ANY_DISTRICT}"""


def annotations(domains: tuple[Domain, ...], language: Language) -> str:
    return f"""\
SELECT starts_at AS time, coalesce(ends_at, $__timeTo()) AS timeend,
       concat_ws(': ', thing_name ->> '{language}', coalesce(rule_name ->> '{language}', rule)) AS text, severity AS tags
FROM dashboards.alerts
WHERE state <> 'pending' AND severity_rank >= 3 AND {in_domains(domains)}
  AND starts_at <= $__timeTo() AND (ends_at IS NULL OR ends_at >= $__timeFrom())
ORDER BY severity_rank DESC, starts_at DESC LIMIT 100"""


def of_asset(language: Language) -> str:
    return f"""\
SELECT severity, state, starts_at AS since, ends_at AS until, rule_name ->> '{language}' AS alert,
       annotations -> 'action' ->> '{language}' AS action, value, unit
FROM dashboards.alerts
WHERE thing = ${{asset:sqlstring}}
ORDER BY starts_at DESC LIMIT 50"""
