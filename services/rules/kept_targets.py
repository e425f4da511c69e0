"""PURE: targets as they are kept between two starts, so that a rules service which was killed need not find millions again."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import msgspec
import numpy as np

from services.core.alerting.rule import Rule
from services.rules.targets import Targets

_VERSION: Final = version(
    "alatau"
)  # another one may see other targets in the same city
_COLUMNS: Final = ("source_id", "period_ms", "frame_id", "slot")


class _Kept(msgspec.Struct, frozen=True):
    version: str
    rules: list[str]
    starts: list[int]
    columns: dict[str, bytes]


def encode_targets(targets: Targets) -> bytes:
    columns = {
        name: getattr(targets, name).astype("<i4").tobytes() for name in _COLUMNS
    }
    rules = [rule.key for rule in targets.rules]
    kept = _Kept(_VERSION, rules, targets.starts.tolist(), columns)
    return msgspec.msgpack.encode(kept)


def decode_targets(body: bytes, rules: Sequence[Rule]) -> Targets | None:
    """None: they are of other rules, or of another version of the platform."""
    kept = msgspec.msgpack.decode(body, type=_Kept)
    if (kept.version, kept.rules) != (_VERSION, [rule.key for rule in rules]):
        return None
    columns = (
        np.frombuffer(kept.columns[name], "<i4").astype(np.int32) for name in _COLUMNS
    )
    return Targets(tuple(rules), np.array(kept.starts, np.int64), *columns)
