"""Numbers messages on a disk outbox, one a line of input, and settles some; says each number once it is kept.

Arguments: folder. A negative number says that a receipt covers all through it.
"""

import os
import sys
from pathlib import Path

from device_sim.outbox import Outbox
from device_sim.outbox_file import OutboxFile
from services.core.broker.messages import Receipt

EPOCH = 7
SETTLED_EVERY = 4


def payload(seq: int) -> bytes:
    return b"%d/" % seq + b"x" * 300


def _write(file: OutboxFile, box: Outbox) -> None:
    if changes := box.take_changes():
        file.write([changes], {})
        box.on_disk(changes)


def main() -> None:
    file = OutboxFile(Path(sys.argv[1]) / "outbox.db")
    # Often enough that a checkpoint and a new beginning of the log are among it.
    file._database.execute("PRAGMA wal_autocheckpoint = 12")
    box = file.open_outboxes(["pump-1"], EPOCH)["pump-1"]
    for _ in sys.stdin:
        box.number(lambda _epoch, seq: payload(seq))
        _write(file, box)
        os.write(1, b"%d\n" % box.last_seq)
        if box.last_seq % SETTLED_EVERY == 0:
            through = box.last_seq - SETTLED_EVERY // 2
            os.write(1, b"-%d\n" % through)
            box.settle(Receipt(epoch=EPOCH, stored_through=through), 0.0)
            _write(file, box)


if __name__ == "__main__":
    main()
