"""Receipts from committed batches."""

import json
from typing import Any

import numpy as np

from services.core.broker.sequences import MOST_RANGES, PublisherSequences
from services.core.reasons import Reason
from services.core.storage.log_batch import (
    Notice,
    NumberedMessages,
    ObservationBatch,
)
from services.ingest.receipts import Receipts
from services.ingest.resolve import Refused
from tests.unit.ingest.profiles import message, reading, received

KEYS = {1: "p"}
LARGEST_RECEIPT = 16_384


def committed(
    *seqs: int, epoch: int = 1, notices: tuple[Notice, ...] = ()
) -> ObservationBatch:
    empty = ObservationBatch.empty()
    count = len(seqs)
    return ObservationBatch(
        empty.frame_ids,
        empty.times_ms,
        empty.flags,
        empty.offsets,
        empty.results,
        empty.quality,
        numbered=NumberedMessages(
            np.full(count, 1, np.int32),
            np.full(count, epoch, np.int64),
            np.array(seqs, np.int64),
        ),
        notices=notices,
    )


def birth(epoch: int | None = 1, oldest_seq: int | None = None) -> Notice:
    return Notice(
        kind="birth",
        device_id=1,
        publisher_id=1,
        time_ms=0,
        epoch=epoch,
        oldest_seq=oldest_seq,
    )


def due(receipts: Receipts) -> list[dict[str, Any]]:
    messages = receipts.take_due(KEYS.get)
    assert {topic for topic, _ in messages} <= {"city/v1/p/receipt"}
    return [json.loads(payload) for _, payload in messages]


def test_many_commits_make_one_receipt() -> None:
    receipts = Receipts()
    receipts.fold(committed(1, 2))
    receipts.fold(committed(3, 9))
    assert due(receipts) == [{"epoch": 1, "stored_through": 3, "also": [[9, 9]]}]
    assert due(receipts) == []


def test_epochs_have_receipts_of_their_own() -> None:
    receipts = Receipts()
    receipts.fold(committed(1))
    receipts.fold(committed(1, 2, epoch=2))
    assert [(r["epoch"], r["stored_through"]) for r in due(receipts)] == [
        (1, 1),
        (2, 2),
    ]


def test_a_birth_asks_for_the_receipt_only_of_numbers_that_are_known() -> None:
    receipts = Receipts()
    receipts.fold(committed(notices=(birth(), birth(None))))
    assert due(receipts) == []
    receipts.fold(committed(notices=(birth(oldest_seq=5),)))
    assert due(receipts) == [{"epoch": 1, "stored_through": 4}]
    receipts.fold(committed(notices=(birth(),)))
    assert due(receipts) == [{"epoch": 1, "stored_through": 4}]


def test_refusals_are_named_once_and_split_when_they_are_many() -> None:
    receipts = Receipts()
    receipts.fold(committed(1))
    refused = [
        Refused(
            0,
            "value",
            Reason.RANGE,
            "said",
            received(message(reading(), seq=1)),
            index,
            "\x07" * 64,
            "c" * 1000,
        )
        for index in range(501)
    ]
    receipts.refuse(refused, {"p": 1}.get)
    receipts.fold(committed(*range(3, 2000, 2)))
    messages = receipts.take_due(KEYS.get)
    assert max(len(payload) for _, payload in messages) <= LARGEST_RECEIPT
    said = [json.loads(payload) for _, payload in messages]
    named = [refusal for receipt in said for refusal in receipt.get("rejected", [])]
    assert [refusal.get("index", 0) for refusal in named] == list(range(501))
    assert named[0]["channel"] == "c" * 128
    assert [r for receipt in said for r in receipt.get("also", [])] == [
        [seq, seq] for seq in range(3, 2000, 2)
    ]
    receipts.fold(committed(1))
    assert due(receipts) == [{"epoch": 1, "stored_through": 1}]


def test_names_that_are_no_text_are_escaped() -> None:
    """JSON cannot hold half of a surrogate pair: the receipt could not be written, and ingest would end."""
    receipts = Receipts()
    receipts.fold(committed(1))
    sent = received(message(reading(), seq=1))
    names = "\ud800", "a\x00b"
    receipts.refuse([Refused(0, "value", Reason.RANGE, "", sent, 0, *names)], {"p": 1}.get)  # fmt: skip
    (receipt,) = due(receipts)
    (refusal,) = receipt["rejected"]
    assert (refusal["device"], refusal["channel"]) == ("\\ud800", "a\\0b")


def test_too_many_ranges_are_cut_to_those_that_grew() -> None:
    receipts = Receipts()
    receipts.remember(
        (1, 1),
        PublisherSequences([(n, n) for n in range(10, 2000, 10)] + [(3000, 3000)]),
    )
    receipts.fold(committed(3001, 21, *range(5000, 5600, 2)))
    ranges = [r for receipt in due(receipts) for r in receipt["also"]]
    assert ranges[:2] == [[20, 21], [3000, 3001]]
    assert ranges[2:] == [[seq, seq] for seq in range(5000, 5600, 2)]


def test_a_publisher_with_more_holes_than_are_kept_hears_of_what_was_stored() -> None:
    """Else it would send those messages for ever."""
    receipts = Receipts()
    receipts.fold(committed(*range(1, 2 * MOST_RANGES + 2, 2)))
    due(receipts)
    receipts.fold(committed(20_000, 20_001, 20_005))
    (receipt,) = due(receipts)
    assert receipt["also"] == [[20_000, 20_001], [20_005, 20_005]]


def test_the_epochs_that_were_last_used_are_kept() -> None:
    """Not the highest ones: a boot counter begins anew when the hardware is exchanged."""
    receipts = Receipts()
    for epoch in range(93, 101):
        receipts.fold(committed(1, epoch=epoch))
    receipts.fold(committed(2, epoch=93))
    receipts.fold(committed(1, epoch=1))
    due(receipts)
    receipts.fold(committed(2, epoch=94))
    receipts.fold(committed(3, epoch=93))
    receipts.fold(committed(2, epoch=1))
    answers = {receipt["epoch"]: receipt["stored_through"] for receipt in due(receipts)}
    assert answers == {94: 0, 93: 3, 1: 2}


def test_publishers_that_are_gone_get_none() -> None:
    receipts = Receipts()
    receipts.fold(committed(1))
    assert receipts.take_due(lambda _: None) == []
