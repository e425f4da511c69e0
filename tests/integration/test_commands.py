"""Commands reach their device until it answers, and no answer is lost or believed from a stranger."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
from typing_extensions import override

from services.core.broker.topics import down_topic
from services.core.clock import ManualClock
from services.core.storage.commands import (
    AskedCommand,
    BadCommandError,
    CommandName,
    CommandState,
    NewCommand,
    ask,
    ask_for_a_person,
    list_commands,
    read_command,
)
from services.core.storage.log_batch import Notice
from services.core.storage.registry_device import UnknownDeviceError
from services.ingest.commands import Commands
from services.ingest.side_connection import SideConnection
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import (
    CLOCK,
    Speaker,
    Stage,
    ingest_stage,
    until,
)
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration
REPLAY = NewCommand("probe-1", CommandName.REPLAY, {"epoch": 7, "from": 2, "to": 5})


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 2)
        yield stage


async def asked(stage: Stage, command: NewCommand) -> int:
    return await ask(stage.database, command, asked_by="test", now=CLOCK.now())


async def heard(device: Speaker) -> dict[str, Any]:
    command: dict[str, Any] = await device.receipt()
    return command


async def reached(stage: Stage, command_id: int, state: CommandState) -> AskedCommand:
    async def has() -> bool:
        command = await read_command(stage.database, command_id)
        return command is not None and command.state is state

    await until(has)
    command = await read_command(stage.database, command_id)
    assert command is not None
    return command


async def test_a_command_is_sent_again_at_a_birth_and_ends_with_the_first_answer(
    stage: Stage,
) -> None:
    sealed = NewCommand(
        "probe-1", CommandName.ROTATE, {"step": 1}, sealed={"secret": "s3cret"}
    )
    async with stage.ingest(), stage.device("probe-1") as probe:
        await probe.client.subscribe([down_topic("probe-1", "command")])
        command_id = await asked(stage, sealed)
        first = await heard(probe)
        assert first["id"] == f"c-{command_id}"
        assert first["args"] == {"step": 1, "secret": "s3cret"}
        assert first["expires_at"] > CLOCK.now_ms()
        await probe.send({"time": CLOCK.now_ms()}, "birth")
        assert await heard(probe) == first
        await probe.send({"id": first["id"], "ok": True, "detail": "in use"}, "result")
        await probe.send({"id": first["id"], "ok": False}, "result")
        done = await reached(stage, command_id, CommandState.DONE)
        assert (done.detail, done.attempts) == ("in use", 2)
        await probe.send({"time": CLOCK.now_ms()}, "birth")
        await probe.send(b"never mind", "result")
        await stage.settled(1)
    left = "SELECT sealed FROM commands WHERE command_id = $1"
    assert await stage.database.fetchval(left, command_id) is None
    assert [reason for _, reason, _, _ in await stage.rejected()] == ["malformed"]
    assert not probe.receipts


class BirthEveryTenth(ManualClock):
    """Who sleeps on it finds at waking that the device has been born again."""

    def __init__(self, device_id: int) -> None:
        super().__init__(CLOCK.now())
        self.tenths = 0
        self.commands: Commands | None = None
        self._born = Notice(
            kind="birth", device_id=device_id, publisher_id=device_id, time_ms=0
        )

    @override
    async def sleep(self, seconds: float) -> None:
        assert seconds == 0.1
        assert self.commands is not None
        self.tenths += 1
        self.advance(seconds)
        self.commands.greet([self._born])
        if self.tenths == 600:
            raise asyncio.CancelledError


class Told:
    """Keeps when something was published, in tenths of a second."""

    def __init__(self, clock: BirthEveryTenth) -> None:
        self._clock = clock
        self.at: list[int] = []

    async def publish(self, _topic: str, _payload: bytes) -> None:
        self.at.append(self._clock.tenths)


async def test_who_answers_by_births_alone_is_told_ever_more_seldom(
    stage: Stage, database_url: str
) -> None:
    """Else command and birth would follow one another for as long as the command lasts."""
    await asked(stage, REPLAY)
    device = "SELECT device_id FROM devices WHERE key = 'probe-1'"
    clock = BirthEveryTenth(await stage.database.fetchval(device))
    told, connection = Told(clock), SideConnection(database_url, "test")
    clock.commands = Commands(connection, told, clock)
    with pytest.raises(asyncio.CancelledError):
        await clock.commands.run()
    connection.terminate()
    assert told.at == [0, 1, 6, 21, 56, 131, 286, 586]


async def test_an_answer_of_a_stranger_is_refused_and_counted(stage: Stage) -> None:
    command_id = await asked(stage, REPLAY)
    async with (
        stage.ingest(),
        stage.device("probe-1") as asked_one,
        stage.device("probe-2") as stranger,
    ):
        await reached(stage, command_id, CommandState.SENT)
        for spelled in (f"c-{command_id}", "c-999", "999", f"c-0{command_id}"):
            await stranger.send({"id": spelled, "ok": True}, "result")
        ledger = await stage.settled(4)
        assert ledger.devices["probe-2"].rejected == 4
        refused = await stage.rejected()
        assert refused == [("message", "unknown_command", None, None)] * 4
        await asked_one.send({"id": f"c-{command_id}", "ok": False}, "result")
        await reached(stage, command_id, CommandState.REFUSED)


async def test_what_nobody_answers_expires_with_its_secret(stage: Stage) -> None:
    short = NewCommand(
        "probe-1",
        CommandName.ROTATE,
        expires_in=dt.timedelta(seconds=1),
        sealed={"secret": "x"},
    )
    gone = await asked(stage, NewCommand("probe-2", CommandName.REBIRTH))
    expiring = await asked(stage, short)
    await stage.database.execute(
        "UPDATE devices SET retired_at = now() WHERE key = 'probe-2'"
    )
    async with stage.ingest(), stage.device("probe-1") as probe:
        await reached(stage, gone, CommandState.EXPIRED)
        await reached(stage, expiring, CommandState.EXPIRED)
        sealed = "SELECT count(*) FROM commands WHERE sealed IS NOT NULL"
        assert await stage.database.fetchval(sealed) == 0
        late = {"id": f"c-{expiring}", "ok": True, "detail": "late, but done"}
        await probe.send(late, "result")
        await reached(stage, expiring, CommandState.DONE)


async def test_who_asks_is_told_what_cannot_be_asked(stage: Stage) -> None:
    now = CLOCK.now()
    with pytest.raises(UnknownDeviceError):
        await asked(stage, NewCommand("nobody", CommandName.REBIRTH))
    command_id = await ask_for_a_person(stage.database, REPLAY, actor="ayan", now=now)
    [listed] = await list_commands(stage.database, "probe-1", None, 10)
    assert (listed.command_id, listed.asked_by) == (command_id, "ayan")
    audited = await stage.database.fetchval("SELECT new FROM audit WHERE actor='ayan'")
    assert audited == {"id": command_id, "name": "replay", "args": dict(REPLAY.args)}
    await stage.database.execute("UPDATE devices SET retired_at = now()")
    with pytest.raises(BadCommandError):
        await asked(stage, REPLAY)
