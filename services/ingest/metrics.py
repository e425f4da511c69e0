"""Ingest's own counters, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "alatau_ingest_messages_total", "Messages received, repeats included", ["kind"]
)
ITEMS = Counter("alatau_ingest_items_total", "Items committed, by fate", ["fate"])
REFUSED = Counter(
    "alatau_ingest_refused_total",
    "Messages, items and values refused",
    ["scope", "reason"],
)
BATCH_ITEMS = Histogram(
    "alatau_ingest_batch_items",
    "Items of a committed batch",
    buckets=(0, 1, 10, 100, 1_000, 10_000),
)
COMMIT_SECONDS = Histogram(
    "alatau_ingest_commit_seconds",
    "Duration of a batch's transaction",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
WAITING = Gauge(
    "alatau_ingest_waiting_items", "Items read from the broker and not yet committed"
)
RECEIPTS = Counter("alatau_ingest_receipts_total", "Receipts sent")
REGISTRY_REVISION = Gauge(
    "alatau_ingest_registry_revision", "Revision of the registry in use"
)
