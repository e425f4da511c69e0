"""Ingest's own counters, for Prometheus."""

from collections import Counter as Tally

from prometheus_client import Counter, Gauge, Histogram

from services.ingest.plan import Plan

MESSAGES = Counter(
    "alatau_ingest_messages_total", "Messages committed, repeats included"
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
WEBHOOK_EVENTS = Counter(
    "alatau_ingest_webhook_events_total",
    "Events of network servers that came by webhook, those without values included",
    ["format", "event"],
)
SET_ASIDE = Gauge(
    "alatau_ingest_set_aside_messages",
    "Messages of publishers that send too much, waiting for their turn",
)
RECEIPTS = Counter("alatau_ingest_receipts_total", "Receipts sent")
REGISTRY_REVISION = Gauge(
    "alatau_ingest_registry_revision", "Revision of the registry in use"
)


def count(plan: Plan) -> None:
    """Count what was committed."""
    accounts = plan.log.accounts
    for fate in ("stored", "merged", "duplicate", "rejected"):
        ITEMS.labels(fate).inc(int(getattr(accounts, fate).sum()))
    BATCH_ITEMS.observe(int(accounts.received.sum()))
    refused = Tally((refusal.scope, refusal.reason) for refusal in plan.refused)
    for (scope, reason), times in refused.items():
        REFUSED.labels(scope, reason.value).inc(times)
