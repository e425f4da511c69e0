"""What a publisher may forget, and when: against a model of a peer that loses and repeats."""

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.outbox import Entry, Outbox, Standing, Unnumbered
from device_sim.outbox_file import OutboxFile
from device_sim.report import as_ranges, read_report
from services.core.broker.messages import Receipt

EPOCH = 7


def build(epoch: int, seq: int) -> bytes:
    return f"{epoch}/{seq}".encode()


def outbox(bound: int = 1_000, window: int = 200) -> Outbox:
    return Outbox("pump-1", Standing(EPOCH), bound=bound, window=window)


def write(box: Outbox) -> None:
    if changes := box.take_changes():
        box.on_disk(changes)


def number(box: Outbox, count: int) -> None:
    """Number some messages and put them on the disk."""
    for _ in range(count):
        box.number(build)
    write(box)


def send_due(box: Outbox, now: float) -> list[int]:
    sent = []
    while entry := box.due(now):
        box.sent(entry, now)
        sent.append(entry.seq)
    return sent


def receipt(through: int, *also: tuple[int, int], epoch: int = EPOCH) -> Receipt:
    return Receipt(epoch=epoch, stored_through=through, also=also)


class TestSending:
    def test_nothing_is_sent_before_it_is_on_the_disk(self) -> None:
        box = outbox()
        box.number(build)
        changes = box.take_changes()
        assert changes is not None
        assert send_due(box, 0.0) == []
        box.on_disk(changes)
        assert send_due(box, 0.0) == [1]

    def test_messages_go_in_order_and_once(self) -> None:
        box = outbox()
        number(box, 3)
        assert send_due(box, 0.0) == [1, 2, 3]
        assert send_due(box, 1.0) == []

    def test_without_a_receipt_it_is_sent_again_ever_more_rarely(self) -> None:
        box = outbox()
        number(box, 1)
        times = [now for now in range(200) if send_due(box, float(now))]
        assert times == [0, 10, 30, 70, 130, 190]

    def test_after_a_reconnect_all_unreceipted_go_again_oldest_first(self) -> None:
        box = outbox()
        number(box, 4)
        send_due(box, 0.0)
        box.settle(receipt(1, (3, 3)), 0.0)
        number(box, 1)
        box.disconnected()
        assert send_due(box, 1.0) == [2, 4, 5]
        assert box.birth_due

    def test_no_more_than_the_window_wait_for_receipts(self) -> None:
        box = outbox(window=3)
        number(box, 10)
        assert send_due(box, 0.0) == [1, 2, 3]
        box.settle(receipt(2), 0.0)
        assert send_due(box, 0.1) == [4, 5]


class TestSettling:
    def test_a_receipt_of_another_epoch_means_nothing(self) -> None:
        box = outbox()
        number(box, 2)
        assert box.settle(receipt(2, epoch=EPOCH - 1), 0.0) == 0
        assert box.pending == 2

    def test_the_oldest_number_rises_with_receipts_only(self) -> None:
        box = outbox()
        number(box, 3)
        send_due(box, 0.0)
        box.settle(receipt(0, (2, 3)), 0.0)
        assert box.oldest_seq == 1
        box.settle(receipt(3), 0.0)
        assert box.oldest_seq == 4

    def test_beyond_the_bound_the_oldest_is_dropped_and_the_birth_says_so(self) -> None:
        box = outbox(bound=5)
        number(box, 5)
        box.announced(-10.0)
        number(box, 2)
        assert (box.oldest_seq, box.dropped, box.pending) == (3, 2, 5)
        assert box.wants_birth(0.0)
        assert send_due(box, 0.0) == [3, 4, 5, 6, 7]

    @given(
        chance=st.randoms(use_true_random=False),
        steps=st.lists(
            st.sampled_from(["number", "write", "send", "receipt", "reconnect"]),
            max_size=60,
        ),
    )
    def test_whatever_happens_all_that_is_unreceipted_is_kept_and_goes_again(
        self, chance: random.Random, steps: list[str]
    ) -> None:
        box, stored = outbox(), set[int]()
        now = 0.0
        for step in steps:
            now += chance.uniform(0, 20)
            if step == "number":
                box.number(build)
            elif step == "write":
                write(box)
            elif step == "send":
                stored |= {seq for seq in send_due(box, now) if chance.random() < 0.6}
            elif step == "receipt":
                box.settle(_receipt_for(stored), now)
            else:
                box.disconnected()
        write(box)
        for second in range(300):
            if sent := send_due(box, now + second):  # who is heard is answered
                stored |= set(sent)
                box.settle(_receipt_for(stored), now + second)
        assert stored == set(range(1, box.last_seq + 1))
        assert box.pending == 0


class TestSilence:
    def unanswered(self, count: int, seconds: int) -> tuple[Outbox, list[int]]:
        """Sent at once, and nothing came back for so long; what was sent again meanwhile."""
        box = outbox()
        number(box, count)
        assert len(send_due(box, 0.0)) == count
        again = [n for now in range(1, seconds) for n in send_due(box, float(now))]
        return box, again

    def test_one_message_asks_and_what_the_answer_leaves_out_goes_again(self) -> None:
        box, again = self.unanswered(200, seconds=120)
        assert again == [1, 1, 1]
        box.settle(receipt(50, (101, 200)), 120.0)
        assert send_due(box, 120.0) == list(range(51, 101))

    def test_what_stands_in_a_long_line_is_not_sent_again(self) -> None:
        box, _ = self.unanswered(200, seconds=120)
        for through in range(1, 151):
            box.settle(receipt(through), 120.0 + through)
            assert send_due(box, 121.9 + through) == []
        assert send_due(box, 272.0) == list(range(151, 201))

    def test_a_loss_among_others_waits_for_its_first_repeat_as_ever(self) -> None:
        box = outbox()
        number(box, 3)
        send_due(box, 0.0)
        box.settle(receipt(1, (3, 3)), 0.1)
        assert [now for now in range(100) if send_due(box, float(now))] == [10, 30, 70]

    def test_a_new_connection_asks_again_and_keeps_the_order(self) -> None:
        box, _ = self.unanswered(50, seconds=60)
        for now in (60.0, 61.0):
            box.disconnected()
            number(box, 1)
            assert send_due(box, now) == [1]
        box.settle(receipt(1), 62.0)
        assert send_due(box, 63.0) == []
        assert send_due(box, 64.0) == list(range(2, 53))

    def test_a_full_outbox_does_not_ask_more_often(self) -> None:
        box = outbox(bound=20)
        number(box, 20)
        assert send_due(box, 0.0) == list(range(1, 21))
        again = []
        for now in range(1, 120):
            number(box, 1)
            again += [n for n in send_due(box, float(now)) if n < box.last_seq]
        assert again == [11, 31, 71]

    def test_a_week_of_it_changes_nothing(self) -> None:
        box, again = self.unanswered(2, seconds=1)
        times = range(0, 7 * 86_400, 60)
        again = [n for now in times for n in send_due(box, float(now))]
        assert again == [1] * (len(times) - 1)
        box.settle(receipt(0, (2, 2)), times[-1] + 1.0)
        assert send_due(box, times[-1] + 10.0) == [1]

    def test_dropping_is_told_every_ten_seconds(self) -> None:
        box = outbox(bound=5)
        number(box, 5)
        births = []
        for drop in range(4_000):
            number(box, 1)
            if box.wants_birth(drop / 200):
                box.announced(drop / 200)
                births.append(drop / 200)
        assert births == [0, 10]
        assert box.wants_birth(20.0)


def _receipt_for(stored: set[int]) -> Receipt:
    through = 0
    while through + 1 in stored:
        through += 1
    return receipt(through, *as_ranges(sorted(n for n in stored if n > through)))


class TestUnnumbered:
    def test_a_message_waits_for_the_broker_only(self) -> None:
        box = Unnumbered()
        box.number(lambda *_: b"1")
        entry = box.due(0.0)
        assert entry is not None
        box.disconnected()
        assert box.due(0.0) is entry
        box.delivered(entry)
        assert box.due(0.0) is None


class TestFile:
    def test_an_outbox_comes_back_as_it_was_written(self, tmp_path: Path) -> None:
        file = OutboxFile(tmp_path / "outbox.db")
        box = file.open_outboxes(["pump-1"], EPOCH)["pump-1"]
        for _ in range(4):
            box.number(build, items=2)
        changes = box.take_changes()
        assert changes is not None
        file.write([changes], {"counters": b"12"})
        box.on_disk(changes)
        box.settle(receipt(2), 0.0)
        last = box.take_changes()
        assert last is not None
        file.write([last], {})
        file.close()

        again = OutboxFile(tmp_path / "outbox.db")
        box = again.open_outboxes(["pump-1"], EPOCH + 1)["pump-1"]
        assert (box.epoch, box.last_seq, box.oldest_seq) == (EPOCH, 4, 3)
        assert send_due(box, 0.0) == [3, 4]
        assert again.recall("counters") == b"12"
        box.number(build)
        assert box.last_seq == 5
        again.close()

    def test_what_was_numbered_but_not_written_was_never_sent(
        self, tmp_path: Path
    ) -> None:
        file = OutboxFile(tmp_path / "outbox.db")
        box = file.open_outboxes(["pump-1"], EPOCH)["pump-1"]
        box.number(build)
        assert box.due(0.0) is None
        file.close()
        again = OutboxFile(tmp_path / "outbox.db")
        box = again.open_outboxes(["pump-1"], EPOCH + 1)["pump-1"]
        # The epoch may have been announced all the same.
        assert (box.epoch, box.last_seq) == (EPOCH, 0)
        again.close()

    def test_a_write_is_all_or_nothing(self, tmp_path: Path) -> None:
        file = OutboxFile(tmp_path / "outbox.db")
        box = file.open_outboxes(["pump-1"], EPOCH)["pump-1"]
        box.number(build)
        changes = box.take_changes()
        assert changes is not None
        with pytest.raises(Exception, match="UNIQUE"):
            file.write([changes, changes], {"counters": b"12"})
        assert file.recall("counters") is None
        file.write([changes], {})
        file.close()
        assert read_report(tmp_path / "outbox.db").pending_messages == 1

    def test_the_report_says_what_is_pending(self, tmp_path: Path) -> None:
        file = OutboxFile(tmp_path / "outbox.db")
        box = file.open_outboxes(["pump-1"], EPOCH)["pump-1"]
        for _ in range(6):
            box.number(build, items=3)
        box.settle(receipt(1, (4, 5)), 0.0)
        changes = box.take_changes()
        assert changes is not None
        file.write([changes], {})
        file.close()
        [publisher] = read_report(tmp_path / "outbox.db").publishers
        assert publisher.pending == ((2, 3), (6, 6))
        assert (publisher.first_seq, publisher.last_seq) == (1, 6)
        assert publisher.receipted_through == 1
        assert (publisher.items, publisher.pending_items) == (18, 9)

    def test_a_report_needs_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_report(tmp_path / "outbox.db")


@settings(max_examples=50)
@given(st.sets(st.integers(0, 40)))
def test_ranges_hold_exactly_their_numbers(numbers: set[int]) -> None:
    ranges = as_ranges(sorted(numbers))
    assert {n for first, last in ranges for n in range(first, last + 1)} == numbers
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))


def test_an_entry_that_was_never_sent_is_not_overdue() -> None:
    assert not Entry(1, b"", 1).overdue(1e9)
