"""PURE: the figures of the city as lines for people."""

from collections.abc import Mapping
from typing import Any


def in_words(result: Mapping[str, Any]) -> str:
    latency, memory = result["alert_latency_ms"], result["resident_mib"]
    lines = [
        (
            f"{result['datastreams']:,} datastreams in {result['frames']:,} frames behind {result['publishers']:,} publishers:"
            f" registered in {result['registration_s']} s"
        ),
        f"ready: {_listed(result['ready_s'], 's')}",
        (
            f"speed {result['speed']:g} for {result['seconds']} s: {result['items_per_second']:,} items/s of"
            f" {result['planned_items_per_second']:,} planned, {result['readings_per_second']:,} readings/s in"
            f" {result['messages_per_second']:,} messages/s"
        ),
        (
            f"lost {result['lost']}, duplicates {result['duplicates']}, refused {result['ledger']['rejected']}"
            f" (values {result['ledger']['rejected_values']}), not receipted {result['not_receipted']};"
            f" drained in {result['drain_s']} s; unreceipted meanwhile {_listed(result['unreceipted_messages'], '')}"
        ),
        (
            f"publish to alert committed: p50 {latency['p50']} ms, p99 {latency['p99']} ms of {latency['alerts']} alerts;"
            f" {latency['missing']} missing, {latency['unasked_for']} unasked for; until written"
            f" {_listed(latency['to_write'], 'ms')}; from then on {_listed(latency['from_write'], 'ms')}"
        ),
        f"resident: {_listed(memory, 'MiB')}",
        f"processor, in cores: {_listed(result['cpu_shares'], '')}",
        f"disk an hour at this speed: {_listed(result['disk_mib_an_hour'], 'MiB')}",
    ]
    return "\n".join(lines)


def _listed(figures: Mapping[str, Any], unit: str) -> str:
    return ", ".join(
        f"{name} {figure} {unit}".strip() for name, figure in figures.items()
    )
