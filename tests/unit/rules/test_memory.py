"""The rules' memory survives being stored, and a change of what is looked at."""

import numpy as np
import pytest

from services.rules import memory
from services.rules.memory import NEVER, Memory, decode_memory, encode_memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import TargetFinder, Targets
from tests.rule_places import one_place
from tests.rule_stories import checked_rules, rule_document
from tests.unit.city.small_city import small_city

RULES = [
    checked.rule
    for checked in checked_rules(
        small_city(), low=rule_document(), also=rule_document()
    )
]


def targets(datastreams: list[int], rules: int = 2) -> Targets:
    finder = TargetFinder(RULES[:rules])
    for place in datastreams:
        labels = {"observed_property": "level"}
        finder.add_datastreams(one_place(place, place, 0, 5_000, labels))
    return finder.targets()


def numbered(of: Targets) -> Memory:
    """Every target remembers its own datastream, and whether it is the second rule's."""
    held = Memory.blank(len(of))
    own = of.source_id * 10 + of.rule_of
    for column in (held.newest_ms, held.heard_ms, held.heard_counted):
        column[:] = own
    held.value[:] = own / 2
    held.dead[:] = own % 2 == 1
    return held


@pytest.mark.parametrize("way", ["stored", "carried over"])
def test_what_is_still_looked_at_is_remembered(way: str) -> None:
    before, after = targets([7, 3, 5]), targets([5, 9, 3])
    if way == "stored":
        clock = RuleClock(1_000, True, 5, 2, 0)
        pieces = encode_memory(before, numbered(before), clock)
        found, clock = decode_memory(list(pieces), after)
        assert clock == RuleClock(1_000, True, 5, 2, 0)
    else:
        found = Memory.blank(len(after))
        found.carry_over(before, numbered(before), after)
    for target in range(len(after)):
        own = int(after.source_id[target] * 10 + after.rule_of[target])
        new = after.source_id[target] == 9
        assert found.newest_ms[target] == (NEVER if new else own)
        assert found.heard_counted[target] == (NEVER if new else own)
        assert found.dead[target] == (not new and own % 2 == 1)
        assert np.isnan(found.value[target]) if new else found.value[target] == own / 2


def test_a_long_column_is_stored_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PIECE", 2)
    of = targets([1, 2, 3])
    pieces = list(encode_memory(of, numbered(of), RuleClock()))
    assert len(pieces) == 1 + 2 * 6 * 2  # of both rules six columns, each in two
    found, _ = decode_memory(pieces, of)
    for name in ("newest_ms", "value", "heard_ms", "heard_counted", "dead"):
        assert np.array_equal(getattr(found, name), getattr(numbered(of), name))


def test_a_retired_rule_is_forgotten() -> None:
    before, after = targets([1, 2]), targets([1, 2], rules=1)
    pieces = encode_memory(before, numbered(before), RuleClock())
    found, _ = decode_memory(list(pieces), after)
    assert found.newest_ms.tolist() == [10, 20]


def test_of_several_readings_the_newest_is_kept_and_of_one_time_the_last() -> None:
    held = Memory.blank(2)
    held.take_newest(
        np.array([0, 1, 0, 0]),
        np.array([30, 5, 20, 30]),
        np.array([1.0, 2.0, 3.0, 4.0]),
    )
    assert held.newest_ms.tolist() == [30, 5]
    assert held.value.tolist() == [4.0, 2.0]
