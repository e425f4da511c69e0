"""Profiles and decoded messages without a registry, for tests of the pure stages."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.core.broker.link import Publication
from services.core.broker.topics import up_topic
from services.core.city.catalogue import Kind
from services.core.storage.registry_snapshot import Profile, RegisteredDevice
from services.ingest.messages import Decoded, Message, Reading, Received, Unusable
from services.ingest.resolve import Observed

NOW_MS = 1_795_320_000_000
CODES = {"open": 0, "closed": 1}


def floats(*values: float) -> Any:
    return np.array(values, np.float64)


def profile(*kinds: Kind, server_time: bool = False, **columns: Any) -> Profile:
    """Channels a, b, c, … of these kinds; open ranges unless given."""
    width = len(kinds)

    def column(name: str, value: float) -> Any:
        return columns.get(name, np.full(width, value))

    return Profile(
        device_type_id=columns.get("device_type_id", 1),
        key="type",
        period_ms=columns.get("period_ms", 1000),
        max_age_ms=1_000_000,
        max_ahead_ms=columns.get("max_ahead_ms", 1_000),
        clock_tolerance_ms=columns.get("clock_tolerance_ms", 1_000),
        server_time=server_time,
        channels=columns.get("channels", {chr(ord("a") + n): n for n in range(width)}),
        kinds=tuple(kinds),
        factor=column("factor", 1),
        addend=column("addend", 0),
        hard_min=column("hard_min", -math.inf),
        hard_max=column("hard_max", math.inf),
        plausible_min=column("plausible_min", -math.inf),
        plausible_max=column("plausible_max", math.inf),
        max_rate=column("max_rate", math.inf),
        max_spike=column("max_spike", math.inf),
        flat_line_ms=column("flat_line_ms", math.inf),
        codes=tuple(CODES if kind is Kind.STATE else None for kind in kinds),
        code_values=tuple(
            frozenset({0, 1})
            if kind is Kind.STATE
            else frozenset({1, 2, 4})
            if kind is Kind.BITS
            else None
            for kind in kinds
        ),
        units=columns.get("units", ("1",) * width),
    )


def received(content: Decoded, publisher: str = "p", kind: str = "data") -> Received:
    publication = Publication(up_topic(publisher, "data"), b"{}", 1, 1, 1)
    return Received(publication, publisher, kind, content)


def message(*items: Reading | Unusable, seq: int | None = None) -> Message:
    return Message(list(items), seq, None if seq is None else 1)


def observed(
    kind: Profile, *readings: Reading, frame_id: int = 1, first: int = 0
) -> list[Observed]:
    return [
        Observed(
            first + index, frame_id, kind, reading, received(message(reading)), index
        )
        for index, reading in enumerate(readings)
    ]


def reading(time: int | None = NOW_MS, /, **values: Any) -> Reading:
    return Reading(values=values, time=time)


def device(
    device_id: int,
    key: str,
    *,
    measures: Profile | None = None,
    hosts: Sequence[int] = (),
    retired: bool = False,
) -> RegisteredDevice:
    return RegisteredDevice(
        device_id=device_id,
        key=key,
        publishes=True,
        retired=retired,
        frame_id=None if measures is None else 100 + device_id,
        profile=measures,
        hosts=frozenset(hosts),
    )
