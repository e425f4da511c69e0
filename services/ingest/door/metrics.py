"""The door's own counters, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "alatau_ingest_door_requests_total",
    "Requests answered by the HTTPS door",
    ["kind", "status"],
)
SECONDS = Histogram(
    "alatau_ingest_door_seconds",
    "From a request of the HTTPS door to its answer, commit included",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
WAITING = Gauge(
    "alatau_ingest_door_waiting_messages",
    "Messages of the HTTPS door that are not committed yet",
)
