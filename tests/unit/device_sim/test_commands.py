"""What the simulated devices answer: the truth, and the same when they are asked twice."""

from pathlib import Path

import msgspec
import pytest

from device_sim.commands import CommandDesk
from device_sim.outbox import Outbox, Standing, Unnumbered
from device_sim.rotation import KeptSecrets
from services.core.broker.messages import Command, Receipt, Result
from tests.unit.device_sim.test_outbox import EPOCH, number, send_due

NOW_MS = 1_795_320_000_000


class Asked:
    def __init__(self, outbox: Outbox | Unnumbered) -> None:
        self.outbox = outbox
        self.lost: list[tuple[int, int]] = []
        self.desk = CommandDesk(outbox, lambda *told: self.lost.append(told))
        outbox.birth_due = False

    def ask(self, command: Command) -> Result | None:
        return self.desk.answer(msgspec.json.encode(command), NOW_MS)

    def replay(self, first: int, last: int, epoch: int = EPOCH) -> Result:
        args: dict[str, int | float | bool | str]
        args = {"epoch": epoch, "from": first, "to": last}
        result = self.ask(Command(id="c-1", name="replay", args=args))
        assert result is not None
        return result


def sent_outbox(count: int) -> Outbox:
    outbox = Outbox("pump-1", Standing(EPOCH))
    number(outbox, count)
    assert len(send_due(outbox, 0.0)) == count
    return outbox


def test_a_replay_sends_at_once_what_is_kept() -> None:
    asked = Asked(sent_outbox(6))
    assert asked.replay(2, 4) == Result(
        id="c-1", ok=True, detail="3 of 3 messages are sent again"
    )
    assert send_due(asked.outbox, 0.1) == [2, 3, 4]  # type: ignore[arg-type]
    assert not asked.outbox.birth_due


def test_what_is_gone_is_told_by_a_birth() -> None:
    outbox = sent_outbox(6)
    outbox.settle(Receipt(epoch=EPOCH, stored_through=3), 0.0)
    asked = Asked(outbox)
    assert asked.replay(2, 4).detail == "1 of 3 messages are sent again"
    assert outbox.birth_due
    assert outbox.oldest_seq == 4


def test_of_a_former_epoch_all_is_lost() -> None:
    asked = Asked(sent_outbox(1))
    assert not asked.replay(2, 4, epoch=6).ok
    assert asked.lost == [(6, 5)]


def test_who_does_not_number_keeps_nothing() -> None:
    assert not Asked(Unnumbered()).replay(1, 2).ok


def test_the_same_command_again_is_answered_and_not_done_again() -> None:
    asked = Asked(sent_outbox(3))
    first = asked.ask(Command(id="c-9", name="rebirth"))
    assert first is not None
    assert first.ok
    assert asked.outbox.birth_due
    asked.outbox.birth_due = False
    assert asked.ask(Command(id="c-9", name="rebirth")) == first
    assert not asked.outbox.birth_due


def test_a_secret_that_cannot_be_kept_is_refused_and_the_old_one_stays(
    tmp_path: Path,
) -> None:
    ring = KeptSecrets(tmp_path / "gone" / "rotated.json").ring("pump-1", "given")
    desk = CommandDesk(sent_outbox(1), lambda *_: None, ring.take)
    asked = Command(id="c-1", name="rotate", args={"secret": "a new one"})
    result = desk.answer(msgspec.json.encode(asked), NOW_MS)
    assert result is not None
    assert not result.ok
    assert "a new one" not in str(result.detail)
    assert ring.secrets == ("given",)


def test_what_cannot_be_done_is_said() -> None:
    result = Asked(sent_outbox(1)).ask(Command(id="c-2", name="configure"))
    assert result is not None
    assert not result.ok


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b'{"id": "c-1", "name": "open_valve"}',
        msgspec.json.encode(Command(id="c-1", name="rebirth", expires_at=NOW_MS)),
    ],
)
def test_the_unknown_and_the_expired_are_ignored(payload: bytes) -> None:
    asked = Asked(sent_outbox(1))
    assert asked.desk.answer(payload, NOW_MS) is None
    assert not asked.outbox.birth_due
