"""Single places for the rules to look at."""

from collections.abc import Mapping

import numpy as np

from services.rules.targets import NONE, Places


def one_place(
    source_id: int,
    frame_id: int,
    slot: int = NONE,
    period_ms: int = 1_000,
    labels: Mapping[str, str] | None = None,
) -> Places:
    source, frame, at, period = (
        np.array([number], np.int32)
        for number in (source_id, frame_id, slot, period_ms)
    )
    return Places(labels or {}, source, frame, at, period)
