"""Where the rules go on: from the stored memory and a replay, or from the latest values where the log cannot tell."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from services.core.clock import to_milliseconds
from services.core.errors import CursorTooOldError
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, load_cursor, read, tail
from services.core.storage.log_batch import ObservationBatch
from services.core.storage.pool import Connection
from services.rules import store
from services.rules.catching_up import batch_of_latest
from services.rules.evaluation import Evaluation
from services.rules.memory import Memory, decode_memory
from services.rules.rule_clock import RuleClock
from services.rules.stored import LatestRow
from services.rules.targets import NONE, Targets

log = structlog.get_logger()

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Recollection:
    """missed: the latest values, to be judged at the cursor's time; None: nothing was missed."""

    memory: Memory
    clock: RuleClock
    cursor: Cursor
    missed: ObservationBatch | None = None


async def recall(connection: Connection, targets: Targets) -> Recollection:
    cursor = await load_cursor(connection, store.CONSUMER, "observations")
    stored = await store.load_memory(connection)
    if cursor is not None and stored is not None:
        try:
            await read(connection, "observations", cursor, 1)
            return await _replay(connection, targets, cursor, stored)
        except CursorTooOldError:
            log.warning(
                "the event log was dropped behind the rules: going on from the latest values",
                action="left_behind",
                batch=cursor.batch,
            )
    return await _from_latest(connection, targets)


async def _replay(
    connection: Connection,
    targets: Targets,
    cursor: Cursor,
    stored: tuple[list[bytes], Cursor],
) -> Recollection:
    pieces, at = stored
    memory, clock = decode_memory(pieces, targets)
    evaluation = Evaluation(targets, memory, clock, {})
    while at.batch < cursor.batch:
        limit = min(_PAGE, cursor.batch - at.batch)
        entries = await read(connection, "observations", at, limit)
        if not entries:
            raise CursorTooOldError
        for entry in entries:
            evaluation.learn(
                log_batch.decode(entry.body),
                to_milliseconds(entry.logged_at),
                caught_up=entry.caught_up,
            )
        at = entries[-1].cursor
    return Recollection(memory, clock, cursor)


async def _from_latest(connection: Connection, targets: Targets) -> Recollection:
    """Latest values are those of history's cursor: what came after it is still in the log."""
    cursor = await _history_cursor(connection)
    memory, clock = Memory.blank(len(targets)), RuleClock()
    if not cursor.batch:
        return Recollection(memory, clock, cursor)
    clock.now_ms = to_milliseconds(cursor.logged_at)
    frames = np.unique(targets.frame_id[targets.frame_id != NONE]).tolist()
    rows = await store.load_latest(connection, frames)
    _hear_slots(targets, memory, rows)
    await _hear_devices(connection, targets, memory)
    return Recollection(memory, clock, cursor, batch_of_latest(rows))


async def _history_cursor(connection: Connection) -> Cursor:
    cursor = await load_cursor(connection, "history", "observations") or Cursor()
    try:
        await read(connection, "observations", cursor, 1)
    except CursorTooOldError:
        return await tail(connection, "observations")
    return cursor


def _hear_slots(targets: Targets, memory: Memory, rows: list[LatestRow]) -> None:
    times = {row.frame_id: row.times_ms for row in rows}
    listens = [rule.dead_man is not None for rule in targets.rules]
    of_slots = np.array(listens, np.bool_)[targets.rule_of] & (targets.slot != NONE)
    for target in np.flatnonzero(of_slots).tolist():
        by_slot = times.get(int(targets.frame_id[target]), ())
        slot = int(targets.slot[target])
        time_ms = by_slot[slot] if slot < len(by_slot) else None
        if time_ms is not None:
            memory.heard_ms[target], memory.heard_counted[target] = time_ms, 0


async def _hear_devices(
    connection: Connection, targets: Targets, memory: Memory
) -> None:
    of_devices = np.flatnonzero(targets.slot == NONE).tolist()
    device_ids = targets.source_id[of_devices].tolist()
    seen = await store.load_last_seen(connection, device_ids)
    for target, device_id in zip(of_devices, device_ids, strict=True):
        if last_seen := seen.get(device_id):
            memory.heard_ms[target] = to_milliseconds(last_seen)
            memory.heard_counted[target] = 0
