"""PURE: the SQL of panels about the platform itself, and about one asset."""

from typing import Final

from deploy.grafana.queries import RANGE
from services.core.city.language import Language


def ledger(column: str) -> str:
    return f"SELECT {column} AS value FROM dashboards.ledger"


NOT_BALANCED: Final = """\
SELECT abs(received - stored - merged - duplicate - rejected) AS value FROM dashboards.ledger"""

VIOLATIONS: Final = "SELECT count(*) AS value FROM dashboards.violations"

MISSING_NOW: Final = """\
SELECT coalesce(sum(missing), 0) AS value FROM dashboards.gaps WHERE closed_at IS NULL AND NOT lost"""

LOST: Final = """\
SELECT coalesce(sum(missing), 0) AS value FROM dashboards.gaps WHERE lost"""

GAPS: Final = """\
SELECT $__timeGroupAlias(g.at, '$__interval'), g.metric, sum(g.missing)::float8 AS value
FROM (SELECT recorded_at AS at, 'recorded' AS metric, missing FROM dashboards.gaps WHERE $__timeFilter(recorded_at)
      UNION ALL
      SELECT closed_at, 'closed', missing FROM dashboards.gaps WHERE $__timeFilter(closed_at)) g
GROUP BY 1, 2 ORDER BY 1"""

WAITING_NOW: Final = """\
SELECT waiting AS value FROM dashboards.log_batches
WHERE stream = 'observations' AND logged_at > $__timeTo()::timestamptz - interval '10 minutes'
ORDER BY logged_at DESC LIMIT 1"""

LOG: Final = """\
SELECT $__timeGroupAlias(logged_at, '$__interval'), stream AS metric, count(*)::float8 AS value
FROM dashboards.log_batches
WHERE $__timeFilter(logged_at)
GROUP BY 1, 2 ORDER BY 1"""

LOG_BYTES: Final = """\
SELECT $__timeGroupAlias(logged_at, '$__interval'), stream AS metric, sum(bytes)::float8 AS value
FROM dashboards.log_batches
WHERE $__timeFilter(logged_at)
GROUP BY 1, 2 ORDER BY 1"""

WAITING: Final = """\
SELECT $__timeGroupAlias(logged_at, '$__interval'), 'waiting' AS metric, max(waiting)::float8 AS value
FROM dashboards.log_batches
WHERE $__timeFilter(logged_at) AND stream = 'observations'
GROUP BY 1, 2 ORDER BY 1"""

CONSUMERS: Final = """\
SELECT consumer, stream, batches_behind AS batches, seconds_behind AS seconds
FROM dashboards.consumers ORDER BY seconds_behind DESC"""

REJECTED: Final = """\
SELECT $__timeGroupAlias(received_at, '$__interval'), reason AS metric, count(*)::float8 AS value
FROM dashboards.rejections
WHERE $__timeFilter(received_at)
GROUP BY 1, 2 ORDER BY 1"""

REJECTED_BY_REASON: Final = """\
SELECT reason, count(*) AS value
FROM dashboards.rejections
WHERE $__timeFilter(received_at)
GROUP BY 1 ORDER BY 2 DESC LIMIT 20"""

MISSING: Final = """\
SELECT p.publisher, sum(g.missing) AS missing, coalesce(sum(g.missing) FILTER (WHERE g.lost), 0) AS lost,
       max(g.recorded_at) AS since
FROM dashboards.gaps g JOIN dashboards.publishers p USING (publisher_id)
WHERE g.closed_at IS NULL
GROUP BY 1 ORDER BY 2 DESC LIMIT 100"""

STORE: Final = (
    "SELECT relation, bytes, chunks FROM dashboards.store_sizes() ORDER BY bytes DESC"
)
WHOLE_STORE: Final = "SELECT bytes AS value FROM dashboards.store_sizes() WHERE relation = 'whole database'"


def silence(language: Language) -> str:
    """seconds: since we last heard a publisher; NULL first: never."""
    return f"""\
SELECT publisher, thing_name ->> '{language}' AS thing, district_name ->> '{language}' AS district,
       greatest(extract(epoch FROM $__timeTo()::timestamptz - last_seen), 0) AS silent, online, firmware,
       coalesce(received, 0) AS received, coalesce(rejected, 0) AS rejected
FROM dashboards.publishers
ORDER BY last_seen ASC NULLS FIRST LIMIT 200"""


def silent_publishers(seconds: int) -> str:
    return f"""\
SELECT count(*) AS value
FROM dashboards.publishers
WHERE last_seen IS NULL OR last_seen < $__timeTo()::timestamptz - interval '{seconds} seconds'"""


def asset_now(language: Language) -> str:
    return f"""\
SELECT property_name ->> '{language}' AS property, channel, round(value::numeric, 3)::float8 AS value, unit, time
FROM dashboards.latest
WHERE thing = ${{asset:sqlstring}}
ORDER BY 1, 2"""


ASSET_CHART: Final = f"""\
SELECT s.time, m.metric, m.value
FROM dashboards.averaged(
  ARRAY(SELECT datastream_id FROM dashboards.datastreams
        WHERE thing = ${{asset:sqlstring}} AND datastream = ${{datastream:sqlstring}}), {RANGE}) s
CROSS JOIN LATERAL (VALUES ('mean', s.average), ('lowest', s.lowest), ('highest', s.highest)) m(metric, value)
ORDER BY 1"""

ASSET_ALL: Final = f"""\
WITH chosen AS MATERIALIZED (
  SELECT datastream_id, channel AS metric
  FROM dashboards.datastreams
  WHERE thing = ${{asset:sqlstring}} AND kind IN ('measurement', 'counter'))
SELECT s.time, c.metric, s.value
FROM dashboards.sampled(ARRAY(SELECT datastream_id FROM chosen), {RANGE}) s
JOIN chosen c USING (datastream_id)
ORDER BY 1"""
