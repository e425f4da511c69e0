"""PURE: the SQL of the panels, for PostgreSQL through Grafana's macros and variables.

Everything is asked of the schema dashboards (services/core/storage/schema/dashboards.sql). "Now" is the end of the
chosen time range, so that a panel can be tried on any day.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.core.city.catalogue import Domain
from services.core.city.ids import KEY
from services.core.city.language import Language

RANGE: Final = "$__timeFrom(), $__timeTo(), '$__interval'"
FRESH: Final = "time > $__timeTo()::timestamptz - interval '10 minutes'"
ANY_DISTRICT: Final = (
    "(district IN (${district:sqlstring}) OR '*' IN (${district:sqlstring}))"
)
ANY_THING: Final = "(thing IN (${thing:sqlstring}) OR '*' IN (${thing:sqlstring}))"
SHOWN_THINGS: Final = 12  # lines a chart; more cannot be told apart
SHOWN_STATES: Final = 60
LASTING: Final = (
    "interval '3 minutes'"  # that a state is taken to last without being said again
)


class Extreme(StrEnum):
    """Which end of a property is the one to watch."""

    HIGHEST = "max"
    LOWEST = "min"


@dataclass(frozen=True, slots=True)
class Choice:
    """Datastreams of one property, of what the variables at the top leave; kinds: only of such things."""

    property: str
    kinds: tuple[str, ...] = ()
    by_thing: bool = True

    def where(self) -> str:
        conditions = [f"property = {literal(self.property)}", ANY_DISTRICT]
        if self.by_thing:
            conditions.append(ANY_THING)
        if self.kinds:
            conditions.append(f"thing_kind IN ({literals(self.kinds)})")
        return " AND ".join(conditions)


def literal(key: str) -> str:
    """A key of the city file as an SQL string.

    Raises:
        ValueError: it is none.
    """
    if not KEY.match(key):
        raise ValueError(f"{key!r} is not a key")
    return f"'{key}'"


def literals(keys: tuple[str, ...] | tuple[Domain, ...]) -> str:
    return ", ".join(literal(str(key)) for key in keys)


def in_domains(domains: tuple[Domain, ...]) -> str:
    return f"domain IN ({literals(domains)})" if domains else "true"


def extremes(choice: Choice, extreme: Extreme, language: Language) -> str:
    """Of each thing its highest (lowest) value of the property over time, for the things that lead now."""
    order = "DESC" if extreme is Extreme.HIGHEST else "ASC"
    return f"""\
WITH chosen AS MATERIALIZED (
  SELECT thing_name ->> '{language}' AS metric, array_agg(datastream_id) AS ids
  FROM dashboards.latest
  WHERE {choice.where()}
  GROUP BY 1 ORDER BY {extreme}(value) {order} LIMIT {SHOWN_THINGS})
SELECT s.time, c.metric, {extreme}(s.value) AS value
FROM dashboards.sampled(ARRAY(SELECT unnest(ids) FROM chosen), {RANGE}) s
JOIN chosen c ON s.datastream_id = ANY (c.ids)
GROUP BY 1, 2 ORDER BY 1"""


def by_district(choice: Choice, aggregate: str, language: Language) -> str:
    """aggregate: sum, avg, min or max of what was true at the same moment."""
    return f"""\
WITH chosen AS MATERIALIZED (
  SELECT datastream_id, district_name ->> '{language}' AS metric
  FROM dashboards.datastreams
  WHERE {choice.where()})
SELECT s.time, c.metric, {aggregate}(s.value) AS value
FROM dashboards.sampled(ARRAY(SELECT datastream_id FROM chosen), {RANGE}) s
JOIN chosen c USING (datastream_id)
GROUP BY 1, 2 ORDER BY 1"""


def counted_an_hour(choice: Choice, language: Language) -> str:
    """Counts over periods, added up by district, as a rate an hour; whole steps only."""
    return f"""\
WITH chosen AS MATERIALIZED (
  SELECT datastream_id, thing_id, district_name ->> '{language}' AS metric
  FROM dashboards.datastreams
  WHERE {choice.where()})
SELECT s.time, c.metric, sum(s.value) * 3600 / extract(epoch FROM '$__interval'::interval) AS value
FROM dashboards.summed(ARRAY(SELECT datastream_id FROM chosen), {RANGE}) s
JOIN (SELECT DISTINCT thing_id, metric FROM chosen) c USING (thing_id)
WHERE s.time + '$__interval'::interval <= $__timeTo()
GROUP BY 1, 2 ORDER BY 1"""


def risen_an_hour(choice: Choice, language: Language) -> str:
    """How fast counters rise, by thing, an hour; a counter that was set back gives nothing."""
    return f"""\
WITH chosen AS MATERIALIZED (
  SELECT datastream_id, thing_name ->> '{language}' AS metric
  FROM dashboards.datastreams
  WHERE {choice.where()}
  ORDER BY thing LIMIT {SHOWN_THINGS}),
risen AS (
  SELECT s.time, c.metric, s.value - lag(s.value) OVER w AS by,
         extract(epoch FROM s.time - lag(s.time) OVER w) / 3600 AS hours
  FROM dashboards.sampled(ARRAY(SELECT datastream_id FROM chosen), {RANGE}) s
  JOIN chosen c USING (datastream_id)
  WINDOW w AS (PARTITION BY s.datastream_id ORDER BY s.time))
SELECT time, metric, sum(by / hours) AS value FROM risen WHERE by >= 0 GROUP BY 1, 2 ORDER BY 1"""


def states(choice: Choice, language: Language) -> str:
    """Codes over time. A step without a value has the one before, for three minutes; then nothing is known."""
    return f"""\
WITH chosen AS MATERIALIZED (
  SELECT datastream_id, (thing_name ->> '{language}')
         || CASE WHEN count(*) OVER (PARTITION BY thing) > 1 THEN ' · ' || channel ELSE '' END AS metric
  FROM dashboards.datastreams
  WHERE {choice.where()}
  ORDER BY thing, channel LIMIT {SHOWN_STATES}),
width AS (SELECT dashboards.width_of({RANGE}) AS step),
known AS (
  SELECT t.time, c.metric, s.value, count(s.value) OVER (PARTITION BY c.datastream_id ORDER BY t.time) AS place,
         c.datastream_id
  FROM width CROSS JOIN chosen c
  CROSS JOIN generate_series(date_bin(step, $__timeFrom()::timestamptz, 'epoch'), $__timeTo()::timestamptz, step) t(time)
  LEFT JOIN dashboards.sampled(ARRAY(SELECT datastream_id FROM chosen), {RANGE}) s
         ON s.datastream_id = c.datastream_id AND s.time = t.time)
SELECT time, metric, CASE WHEN time - min(time) OVER w <= {LASTING} THEN max(value) OVER w END AS value
FROM known
WINDOW w AS (PARTITION BY datastream_id, place)
ORDER BY 1"""


def now_of_things(choice: Choice, extreme: Extreme, language: Language) -> str:
    order = "DESC" if extreme is Extreme.HIGHEST else "ASC"
    return f"""\
SELECT thing_name ->> '{language}' AS thing, {extreme}(value) AS value
FROM dashboards.latest
WHERE {choice.where()} AND {FRESH}
GROUP BY 1 ORDER BY 2 {order} LIMIT {SHOWN_THINGS}"""


def now_of_city(choice: Choice, aggregate: str) -> str:
    return f"""\
SELECT {aggregate}(value) AS value
FROM dashboards.latest
WHERE {choice.where()} AND {FRESH}"""


def equipment_alarms(domains: tuple[Domain, ...], language: Language) -> str:
    """What equipment says is wrong with it: bits that are set."""
    return f"""\
SELECT l.time, l.thing AS key, l.thing_name ->> '{language}' AS thing, c.name ->> '{language}' AS alarm
FROM dashboards.latest l
JOIN dashboards.codes c ON c.property = l.property AND (l.value::bigint & c.value) <> 0
WHERE l.kind = 'bits' AND {in_domains(domains)} AND c.abnormal AND {ANY_DISTRICT}
ORDER BY 1 DESC LIMIT 100"""


def share_alive(domains: tuple[Domain, ...]) -> str:
    """Percent of the datastreams that were heard within three of their periods, and half a minute of grace."""
    return f"""\
WITH chosen AS MATERIALIZED (
  SELECT datastream_id, period_ms FROM dashboards.datastreams WHERE {in_domains(domains)} AND {ANY_DISTRICT})
SELECT 100.0 * count(l.time) FILTER (WHERE
         l.time > $__timeTo()::timestamptz - interval '30 s' - 3 * c.period_ms * interval '1 ms')
       / nullif(count(*), 0) AS value
FROM chosen c LEFT JOIN dashboards.latest l USING (datastream_id)"""


def district_choice(language: Language) -> str:
    return f"SELECT name ->> '{language}' AS __text, district AS __value FROM dashboards.districts ORDER BY 1"


def thing_choice(domains: tuple[Domain, ...], language: Language) -> str:
    return f"""\
SELECT name ->> '{language}' AS __text, thing AS __value
FROM dashboards.things
WHERE {in_domains(domains)} AND {ANY_DISTRICT}
ORDER BY 1"""


def asset_choice(language: Language) -> str:
    """Things that measure something."""
    return f"""\
SELECT DISTINCT thing_name ->> '{language}' AS __text, thing AS __value
FROM dashboards.datastreams
WHERE {ANY_DISTRICT}
ORDER BY 1"""


def datastream_choice(language: Language) -> str:
    return f"""\
SELECT (property_name ->> '{language}') || ' · ' || channel AS __text, datastream AS __value
FROM dashboards.datastreams
WHERE thing = ${{asset:sqlstring}}
ORDER BY 1"""
