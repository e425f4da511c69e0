"""PURE: what the rules service keeps in, and reads from, the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Levels = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredHold:
    """Where a target that is not at rest stands. levels: by severity, {on, since}."""

    rule_key: str
    source_id: int
    fingerprint: str
    levels: Levels


@dataclass(frozen=True, slots=True, eq=False)
class LatestRow:
    """A frame's newest values by slot, as history has folded them. times_ms: None where there is none."""

    frame_id: int
    results: Sequence[float | None]
    times_ms: Sequence[int | None]
    quality: Sequence[int]
