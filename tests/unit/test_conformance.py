"""The conformance checklist: each check passes, fails, and says that it has seen nothing."""

from typing import Any

import pytest

from services.core.conformance.checks import Check, Declared, Verdict, judge
from services.core.conformance.words import CHECKS, VERDICTS, write_report

PASSED, FAILED, NOT_SEEN = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_SEEN
DECLARED = Declared("probe-1", "probe", 5000, ("voltage", "current"))


def data(at_ms: int, seq: int | None = None, epoch: int = 1, **changes: Any) -> Any:
    """A message as a well-behaved device sends it; changes: by stage."""
    told: dict[str, Any] = {
        "kind": "message",
        "received": {"at_ms": at_ms, "bytes": 90, "qos": 1},
        "decoded": {
            "as": "data",
            "seq": seq,
            "epoch": None if seq is None else epoch,
            "items": 1,
        },
        "checked": {
            "age_ms": [100],
            "without_time": 0,
            "unsynced": 0,
            "channels": {"probe-1": ["current", "voltage"]},
        },
        "refused": [],
        "committed": {"latency_ms": 5, "stored": 1},
    }
    for stage, change in changes.items():
        told[stage] = {**told[stage], **change} if isinstance(change, dict) else change
    return told


def birth(**facts: Any) -> Any:
    decoded = {"as": "birth", "epoch": 1, "oldest_seq": 1, **facts}
    return data(0, decoded=decoded)


def receipt(at_ms: int, through: int) -> Any:
    body = {"epoch": 1, "stored_through": through, "also": []}
    return {"kind": "receipt", "at_ms": at_ms, "receipt": body}


def refusing(reason: str, channel: str | None = None) -> Any:
    refusal = {"reason": reason, "channel": channel, "device": None, "scope": "value"}
    return data(0, refused=[refusal])


def of(key: str, *reports: Any) -> Check:
    (check,) = [check for check in judge(DECLARED, reports) if check.key == key]
    return check


GOOD = [data(5000 * n, n) for n in range(1, 6)]


def test_a_well_behaved_device_passes_everything() -> None:
    checks = judge(DECLARED, [birth(), *GOOD, receipt(26_000, 5)])
    assert {check.verdict for check in checks} == {PASSED}
    assert [check.key for check in checks] == list(CHECKS)


def test_of_what_was_not_seen_nothing_is_claimed() -> None:
    assert {check.verdict for check in judge(DECLARED, [])} == {NOT_SEEN}


@pytest.mark.parametrize(
    ("key", "reports"),
    [
        ("birth", [birth(epoch=None)]),
        ("birth", [birth(oldest_seq=None), data(1, 1)]),
        ("sequence", [data(1, 1), data(2, 3)]),
        ("epoch", [data(1, 1, epoch=2), data(2, 1, epoch=1)]),
        ("receipts", [data(1, 1), receipt(2, 1), data(3, 1)]),
        ("times", [refusing("too_old")]),
        ("clock", [data(1, checked={"age_ms": [-5000]})]),
        ("period", [data(60_000 * n) for n in range(5)]),
        ("channels", [refusing("unknown_channel", "U")]),
        (
            "channels",
            [data(1, checked={"channels": {"probe-1": ["voltage"]}})],
        ),
        ("values", [refusing("range", "voltage")]),
        ("shape", [refusing("malformed")]),
        ("size", [data(1, received={"bytes": 70_000})]),
        ("duplicates", [data(1, committed={"stored": 0, "duplicate": 1})]),
        ("qos", [data(1, received={"qos": 0})]),
    ],
)
def test_a_fault_is_found(key: str, reports: list[Any]) -> None:
    assert of(key, *reports).verdict is FAILED


def test_a_message_sent_again_before_its_receipt_is_no_fault() -> None:
    assert of("receipts", data(1, 1), data(2, 1), receipt(3, 1)).verdict is PASSED


def test_the_report_is_there_in_three_languages() -> None:
    checks = judge(DECLARED, [*GOOD, refusing("range", "voltage")])
    written = {
        write_report("probe-1", checks, language) for language in ("kk", "ru", "en")
    }
    assert len(written) == 3
    for text in written:
        assert "range 1" in text
    assert {len(words) for words in (*CHECKS.values(), *VERDICTS.values())} == {3}
