"""PURE: from a batch to what its transaction writes: rows by lane, the event log's body, refusals, accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.core.reasons import Reason
from services.core.storage.log_batch import (
    Accounts,
    ItemFlag,
    NumberedMessages,
    ObservationBatch,
)
from services.ingest.again import Replayed
from services.ingest.batch import Batch
from services.ingest.check import Block
from services.ingest.lanes import NOTHING_STORED, UNKNOWN, NewestTimes, fast_lane
from services.ingest.merge import (
    Change,
    Conflict,
    Effect,
    Fate,
    Key,
    LateItem,
    Merged,
    Row,
)
from services.ingest.pgcopy import Rows
from services.ingest.resolve import Answer, Numbered, Observed, Refused, Scope


@dataclass(frozen=True, slots=True)
class Lanes:
    """fast: blocks of items that are newer than all of their frame; late: the others, in order within a frame."""

    fast: list[Block]
    late: list[LateItem]
    observed: dict[int, tuple[Observed, Block]]  # the late ones, by entry

    def keys(self) -> set[Key]:
        """The rows that a merge will want to see; of states also the next millisecond's."""
        keys = {(item.frame_id, item.time_ms) for item in self.late}
        return keys | {
            (item.frame_id, item.time_ms + 1) for item in self.late if item.states
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What one transaction writes, but for the number of its log batch."""

    copied: list[Rows]
    upserted: list[Rows]
    changes: list[Change]
    refused: list[Refused]
    log: ObservationBatch
    answers: Sequence[Answer]
    memories: Mapping[tuple[str, str], bytes]
    replayed: Sequence[Replayed]
    first: int
    fates: NDArray[np.uint8]  # of Fate, by entry from first on

    @property
    def is_plain(self) -> bool:
        """Whether it is new rows and their log batch and nothing else, as nearly always."""
        return not (
            self.upserted
            or self.changes
            or self.refused
            or self.answers
            or self.memories
            or self.replayed
        )


def divide(batch: Batch, newest: NewestTimes, *, all_late: bool = False) -> Lanes:
    if not batch.blocks:
        return Lanes([], [], {})
    frame_ids = np.concatenate([block.frame_ids for block in batch.blocks])
    times_ms = np.concatenate([block.times_ms for block in batch.blocks])
    newest_ms = newest.of(frame_ids)
    slow = np.concatenate([block.revising for block in batch.blocks]) | all_late
    fast = fast_lane(frame_ids, times_ms, newest_ms, slow)
    if fast.all():
        return Lanes(batch.blocks, [], {})
    lanes = Lanes([], [], {})
    start = 0
    for block in batch.blocks:
        end = start + len(block.items)
        second_hand = batch.is_second_hand(block.entries)
        of_block = slice(start, end)
        _divide_block(lanes, block, fast[of_block], newest_ms[of_block], second_hand)
        start = end
    return lanes


def _divide_block(
    lanes: Lanes,
    block: Block,
    fast: NDArray[np.bool_],
    newest_ms: NDArray[np.int64],
    second_hand: NDArray[np.bool_],
) -> None:
    if fast.any():
        lanes.fast.append(block.take(fast))
    for place in np.flatnonzero(~fast).tolist():
        item = block.items[place]
        known = int(newest_ms[place])
        lanes.observed[item.entry] = (item, block)
        lanes.late.append(
            LateItem(
                entry=item.entry,
                frame_id=item.frame_id,
                time_ms=int(block.times_ms[place]),
                results=block.results[place].tolist(),
                quality=block.quality[place].tolist(),
                states=block.form.states,
                publisher=item.received.by or item.received.publisher,
                revises=item.reading.revises,
                newest_ms=None if known in (UNKNOWN, NOTHING_STORED) else known,
                by_person=item.received.by is not None,
                second_hand=bool(second_hand[place]),
            )
        )


def plan(batch: Batch, lanes: Lanes, merged: Merged) -> Plan:
    refused = [*batch.refused, *_conflicts(lanes, merged)]
    refused.sort(key=lambda refusal: refusal.entry)
    fates = np.full(len(batch.publishers), Fate.REJECTED, np.uint8)
    for block in lanes.fast:
        fates[block.entries - batch.first] = Fate.STORED
    for entry, fate in merged.fates.items():
        fates[entry - batch.first] = fate
    return Plan(
        copied=[
            Rows(block.frame_ids, block.times_ms, block.results, block.quality)
            for block in lanes.fast
        ],
        upserted=_rows(merged),
        changes=merged.changes,
        refused=refused,
        log=_log(batch, lanes, merged.effects, _accounts(batch, fates, refused)),
        answers=batch.answers,
        memories=batch.memories,
        replayed=batch.replayed,
        first=batch.first,
        fates=fates,
    )


def _rows(merged: Merged) -> list[Rows]:
    by_width: dict[int, list[tuple[Key, Row]]] = {}
    for key, row in merged.rows.items():
        if row.changed:
            by_width.setdefault(len(row.results), []).append((key, row))
    return [
        Rows(
            np.array([frame_id for (frame_id, _), _ in rows], np.int32),
            np.array([time_ms for (_, time_ms), _ in rows], np.int64),
            np.array([row.results for _, row in rows], np.float64),
            np.array([row.quality for _, row in rows], np.uint8),
        )
        for rows in by_width.values()
    ]


def _conflicts(lanes: Lanes, merged: Merged) -> Iterable[Refused]:
    """Of an item of which nothing else is left, one refusal; else one for each value."""
    by_entry: dict[int, list[Conflict]] = {}
    for conflict in merged.conflicts:
        by_entry.setdefault(conflict.entry, []).append(conflict)
    for entry, conflicts in by_entry.items():
        item, block = lanes.observed[entry]
        names = {slot: name for name, slot in block.form.slots.items()}
        said = [(names[c.slot], _spell(names[c.slot], c)) for c in conflicts]
        if merged.fates[entry] is not Fate.REJECTED:
            for channel, detail in said:
                yield _refused(item, "value", detail, channel)
        elif len(said) == 1:
            yield _refused(item, "item", said[0][1], said[0][0])
        else:
            detail = "; ".join(text for _, text in said)
            yield _refused(item, "item", detail, None)


def _spell(channel: str, conflict: Conflict) -> str:
    if conflict.stored is None:
        return f"{channel} is {conflict.sent:g}: too many transitions at one time"
    return (
        f"{channel} is {conflict.sent:g}, and {conflict.stored:g} is stored for this time"
        ' (send "revises" if yours is right)'
    )


def _refused(item: Observed, scope: Scope, detail: str, channel: str | None) -> Refused:
    return Refused(
        item.entry,
        scope,
        Reason.CONFLICT,
        detail,
        item.received,
        item.index,
        item.reading.device,
        channel,
    )


def _accounts(
    batch: Batch, fates: NDArray[np.uint8], refused: Sequence[Refused]
) -> Accounts:
    ids, sender = np.unique(np.array(batch.publishers, np.int32), return_inverse=True)

    def count(entries: NDArray[np.intp]) -> NDArray[np.int32]:
        return np.bincount(sender[entries], minlength=len(ids)).astype(np.int32)

    values = [r.entry - batch.first for r in refused if r.scope == "value"]
    return Accounts(
        publisher_ids=ids,
        received=count(np.arange(len(sender))),
        stored=count(np.flatnonzero(fates == Fate.STORED)),
        merged=count(np.flatnonzero(fates == Fate.MERGED)),
        duplicate=count(np.flatnonzero(fates == Fate.DUPLICATE)),
        rejected=count(np.flatnonzero(fates == Fate.REJECTED)),
        rejected_values=count(np.array(values, np.intp)),
    )


def _log(
    batch: Batch, lanes: Lanes, effects: Sequence[Effect], accounts: Accounts
) -> ObservationBatch:
    """The fast lane's items first; frames are in one lane only, so each frame's items stay in order."""
    fast = lanes.fast
    widths = [np.full(len(b.items), b.form.width, np.int32) for b in fast]
    widths.append(np.array([len(effect.results) for effect in effects], np.int32))
    new = [_flags_of_new(batch, block) for block in fast]
    return ObservationBatch(
        frame_ids=_joined([b.frame_ids for b in fast], effects, "frame_id", np.int32),
        times_ms=_joined([b.times_ms for b in fast], effects, "time_ms", np.int64),
        flags=_joined(new, effects, "flags", np.uint8),
        offsets=np.concatenate(([0], np.cumsum(np.concatenate(widths)))).astype(
            np.int32
        ),
        results=np.concatenate(
            [b.results.ravel() for b in fast]
            + [np.array(effect.results, np.float64) for effect in effects]
            or [np.empty(0, np.float64)]
        ),
        quality=np.concatenate(
            [b.quality.ravel() for b in fast]
            + [np.array(effect.quality, np.uint8) for effect in effects]
            or [np.empty(0, np.uint8)]
        ),
        accounts=accounts,
        numbered=_numbered(batch.numbered),
        notices=tuple(notice for _, notice in batch.notices),
        unheard=_unheard(batch, accounts),
    )


def _flags_of_new(batch: Batch, block: Block) -> NDArray[np.uint8]:
    flags = np.full(len(block.items), ItemFlag.NEW, np.uint8)
    if batch.second_hand:
        again = batch.is_second_hand(block.entries)
        flags[again] = ItemFlag.NEW | ItemFlag.SECOND_HAND
    return flags


def _unheard(batch: Batch, accounts: Accounts) -> NDArray[np.int32]:
    """The publishers of which the batch has nothing that they sent themselves."""
    if not batch.second_hand:
        return np.empty(0, np.int32)
    entries = np.arange(batch.first, batch.end, dtype=np.int32)
    senders = np.array(batch.publishers, np.int32)
    return np.setdiff1d(accounts.publisher_ids, senders[~batch.is_second_hand(entries)])


def _joined(
    fast: list[NDArray[Any]], effects: Sequence[Effect], name: str, kind: type[Any]
) -> NDArray[Any]:
    late = np.array([getattr(effect, name) for effect in effects], kind)
    return np.concatenate([*fast, late])


def _numbered(numbered: Sequence[Numbered]) -> NumberedMessages:
    return NumberedMessages(
        np.array([message.publisher_id for message in numbered], np.int32),
        np.array([message.epoch for message in numbered], np.int64),
        np.array([message.seq for message in numbered], np.int64),
    )
