"""The power is cut at any system call: what was said to be kept is there, and no number is used again."""

import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from device_sim.outbox_file import OutboxFile
from tests.integration.outbox_writer import EPOCH, payload
from tests.integration.test_device_client import c_example
from tests.power_loss import STRACE, Disk, record

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(STRACE is None, reason="there is no strace on this machine"),
]

SEED = 20_261_122
MESSAGES = 30
CARELESS = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1] + "/outbox.db", isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = NORMAL")
database.execute("CREATE TABLE kept (seq INTEGER)")
for seq, _ in enumerate(sys.stdin, 1):
    database.execute("INSERT INTO kept VALUES (?)", [seq])
    os.write(1, b"%d\\n" % seq)
"""


def after_each_call(trace: Path, folder: Path, to: Path, share: float) -> list[Disk]:
    """As often as share says, the power is cut; to has a folder for each."""
    chance = random.Random(SEED)
    disk, cuts = Disk(folder), []
    for place, _ in enumerate(disk.play(trace)):
        if chance.random() < share:
            left = to / str(place)
            left.mkdir(parents=True)
            disk.cut_power(left, chance)
            cuts.append(Disk(left, list(disk.said)))
    return cuts


def test_the_sqlite_outbox_keeps_what_it_said(tmp_path: Path) -> None:
    folder, trace = tmp_path / "outbox", tmp_path / "trace"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.integration.outbox_writer", str(folder)]
    record(command, trace, b"\n" * MESSAGES)
    cuts = after_each_call(trace, folder, tmp_path / "cuts", share=0.25)
    assert len(cuts) > 50
    for cut in cuts:
        said = max(cut.said, default=0)
        settled = max(0, -min(cut.said, default=0))
        file = OutboxFile(cut.folder / "outbox.db")
        box = file.open_outboxes(["pump-1"], EPOCH + 1)["pump-1"]
        kept = {}
        while entry := box.due(0.0):
            box.sent(entry, 0.0)
            kept[entry.seq] = entry.payload
        file.close()
        assert box.last_seq >= said, cut.folder
        assert not said or box.epoch == EPOCH
        assert kept.keys() >= set(range(settled + 1, said + 1)), cut.folder
        assert all(kept[seq] == payload(seq) for seq in kept)


def test_an_outbox_that_does_not_wait_for_the_disk_is_found_out(tmp_path: Path) -> None:
    """The test can fail: without fsync it does."""
    folder, trace = tmp_path / "outbox", tmp_path / "trace"
    folder.mkdir()
    record([sys.executable, "-c", CARELESS, str(folder)], trace, b"\n" * 10)
    cuts = after_each_call(trace, folder, tmp_path / "cuts", share=1.0)
    lost = 0
    for cut in cuts:
        database = sqlite3.connect(cut.folder / "outbox.db")
        try:
            [(kept,)] = database.execute("SELECT count(*) FROM kept")
        except sqlite3.DatabaseError:
            kept = 0
        database.close()
        lost += kept < max(cut.said, default=0)
    assert lost > 0


def test_the_c_example_keeps_what_it_said(tmp_path: Path) -> None:
    """With nobody to connect to: what it takes up again it says by the number that it goes on with."""
    program = str(c_example())
    folder, trace = tmp_path / "outbox", tmp_path / "trace"
    folder.mkdir()
    lines = b"".join(b'{"values": {"voltage": %d}}\n' % n for n in range(MESSAGES))
    command = [program, "127.0.0.1", "1", "pump-1"]
    record([*command, str(folder)], trace, lines)
    cuts = after_each_call(trace, folder, tmp_path / "cuts", share=0.15)
    assert len(cuts) > 20
    for cut in cuts:
        said = set(cut.said)
        kept = {path.name: path for path in cut.folder.iterdir()}
        for number in said:
            message = kept[str(number)].read_bytes()
            assert b'"seq":%d,' % number in message
            assert message.endswith(b"}")
        if said:
            assert int((cut.folder / "epoch").read_text(encoding="utf-8")) > 0
        again = subprocess.Popen(
            [*command, str(cut.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert again.stdin is not None
        assert again.stdout is not None
        again.stdin.write(b'{"values": {}}\n')
        again.stdin.flush()
        assert int(again.stdout.readline()) > max(said, default=0)
        again.kill()
        again.communicate()
        shutil.rmtree(cut.folder)
