"""The rejected inbox as ingest writes it, in the batch's own transaction: new refusals, and the fates of old ones."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.core.storage.pool import Connection
from services.core.storage.texts import storable, storable_name
from services.ingest.again import Replayed, Settlement, settle
from services.ingest.messages import Message
from services.ingest.resolve import Refused

_MOST_ROWS: Final = 20_000  # of a publisher in an hour; what is beyond is counted
_MOST_BYTES: Final = (
    16_000_000  # of raw messages, likewise; rows beyond are kept without
)
_COLUMNS: Final = (
    "received_at",
    "scope",
    "reason",
    "detail",
    "topic",
    "publisher",
    "device",
    "channel",
    "item_index",
    "epoch",
    "seq",
    "payload",
    "payload_bytes",
    "message_no",
    "replay_id",
)
_COUNT: Final = """
INSERT INTO rejection_floods AS held (publisher, hour, reason, refused)
SELECT publisher, $1, reason, refused FROM unnest($2::text[], $3::text[], $4::bigint[]) AS f (publisher, reason, refused)
ON CONFLICT (publisher, hour, reason) DO UPDATE SET refused = held.refused + excluded.refused
"""
# Bounds and keys as parameters: the chunks of other days are left out, and each entry is found by its key.
_MEND: Final = """
UPDATE rejected_messages r
SET state = 'replayed', replay_id = m.replay_id, settled_at = $6, settled_by = m.asked_by
FROM unnest($3::timestamptz[], $4::bigint[], $5::bigint[], $7::text[]) AS m (received_at, rejected_id, replay_id, asked_by)
WHERE r.received_at >= $1 AND r.received_at <= $2 AND r.received_at = m.received_at AND r.rejected_id = m.rejected_id
  AND r.state = 'open'
"""
_REFUSE_AGAIN: Final = """
UPDATE rejected_messages r SET reason = a.reason, detail = a.detail, attempts = attempts + 1, replay_id = a.replay_id
FROM unnest($3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
     AS a (received_at, rejected_id, replay_id, reason, detail)
WHERE r.received_at >= $1 AND r.received_at <= $2 AND r.received_at = a.received_at AND r.rejected_id = a.rejected_id
  AND r.state = 'open'
"""
_TALLY: Final = """
UPDATE replays SET messages = messages + $2, mended = mended + $3, refused = refused + $4 WHERE replay_id = $1
"""


@dataclass(slots=True)
class _Kept:
    """Of a publisher in this hour."""

    rows: int = 0
    payload_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Raw:
    """The message itself, which goes with the first row of it."""

    payload: bytes | None = None
    length: int | None = None


_NO_RAW: Final = _Raw()
_NOTHING: Final = _Kept()


@dataclass(slots=True)
class _Admission:
    """What of a batch is kept as rows; beyond: (publisher, reason) → how many are only counted.

    kept: of its publishers, with these rows.
    """

    kept: dict[str, _Kept] = field(default_factory=dict)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    beyond: Counter[tuple[str, str]] = field(default_factory=Counter)


class Inbox:
    """Bounded: a publisher that floods fills its own allowance of the hour, and is counted from then on."""

    def __init__(
        self, most_rows: int = _MOST_ROWS, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._most = (most_rows, most_bytes)
        self._hour = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._kept: dict[str, _Kept] = {}
        self._written: dict[str, _Kept] = {}  # and not known to be committed

    def begin(self) -> None:
        """What was written and not committed is forgotten."""
        self._written = {}

    async def write(
        self,
        connection: Connection,
        refused: Sequence[Refused],
        replayed: Sequence[Replayed],
        now: dt.datetime,
    ) -> None:
        """In the caller's transaction; committed() is to follow, or else this was no part of the allowance."""
        fresh = [
            refusal
            for refusal in refused
            if not isinstance(refusal.received.publication, Replayed)
        ]
        if fresh:
            await self._write_fresh(connection, fresh, now)
        if replayed:
            await _write_settled(connection, _settled(replayed, refused), now)

    def committed(self) -> None:
        """What was written last."""
        self._kept |= self._written
        self._written = {}

    async def _write_fresh(
        self, connection: Connection, fresh: Sequence[Refused], now: dt.datetime
    ) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._kept = hour, {}
        admitted = self._admit(fresh, now)
        self._written = admitted.kept
        await _insert(connection, admitted.rows)
        if admitted.beyond:
            await connection.execute(
                _COUNT,
                self._hour,
                [publisher for publisher, _ in admitted.beyond],
                [reason for _, reason in admitted.beyond],
                list(admitted.beyond.values()),
            )

    def _admit(self, fresh: Sequence[Refused], now: dt.datetime) -> _Admission:
        most_rows, most_bytes = self._most
        admitted = _Admission()
        for refusal, message_no, is_first in _numbered(fresh):
            publisher = refusal.received.publisher
            kept = admitted.kept.get(publisher)
            if kept is None:
                kept = replace(self._kept.get(publisher, _NOTHING))
                admitted.kept[publisher] = kept
            if kept.rows >= most_rows:
                admitted.beyond[publisher, refusal.reason.value] += 1
                continue
            kept.rows += 1
            payload = refusal.received.publication.payload if is_first else None
            size = len(payload or b"")
            with_payload = kept.payload_bytes + size <= most_bytes
            kept.payload_bytes += size if with_payload else 0
            raw = _Raw(payload if with_payload else None, size if is_first else None)
            admitted.rows.append(_record(refusal, now, message_no, raw))
        return admitted


def _numbered(refused: Sequence[Refused]) -> Iterator[tuple[Refused, int, bool]]:
    """With the number of its message, and whether it is the first of it."""
    numbers: dict[int, int] = {}
    for refusal in refused:
        key = id(refusal.received)
        is_first = key not in numbers
        yield refusal, numbers.setdefault(key, len(numbers)), is_first


Settled = Sequence[tuple[Replayed, Settlement]]


def _settled(replayed: Sequence[Replayed], refused: Sequence[Refused]) -> Settled:
    by_message: dict[int, list[Refused]] = {}
    for refusal in refused:
        by_message.setdefault(id(refusal.received.publication), []).append(refusal)
    return [
        (message, settle(message.entries, by_message.get(id(message), ())))
        for message in replayed
    ]


async def _write_settled(
    connection: Connection, settled: Settled, now: dt.datetime
) -> None:
    await _mend(connection, settled, now)
    await _refuse_again(connection, settled)
    await _insert(
        connection,
        [
            _record(
                refusal,
                message.received_at,
                message.message_no,
                replay_id=message.replay_id,
            )
            for message, settlement in settled
            for refusal in settlement.new
        ],
    )
    for replay_id in {message.replay_id for message, _ in settled}:
        mine = [s for message, s in settled if message.replay_id == replay_id]
        await connection.execute(
            _TALLY,
            replay_id,
            len(mine),
            sum(len(settlement.mended) for settlement in mine),
            sum(len(settlement.again) + len(settlement.new) for settlement in mine),
        )


async def _mend(connection: Connection, settled: Settled, now: dt.datetime) -> None:
    rows = [
        (message, rejected_id)
        for message, settlement in settled
        for rejected_id in settlement.mended
    ]
    if rows:
        times = [message.received_at for message, _ in rows]
        await connection.execute(
            _MEND,
            min(times),
            max(times),
            times,
            [rejected_id for _, rejected_id in rows],
            [message.replay_id for message, _ in rows],
            now,
            [message.asked_by for message, _ in rows],
        )


async def _refuse_again(connection: Connection, settled: Settled) -> None:
    rows = [
        (message, rejected_id, refusal)
        for message, settlement in settled
        for rejected_id, refusal in settlement.again
    ]
    if rows:
        times = [message.received_at for message, _, _ in rows]
        await connection.execute(
            _REFUSE_AGAIN,
            min(times),
            max(times),
            times,
            [rejected_id for _, rejected_id, _ in rows],
            [message.replay_id for message, _, _ in rows],
            [refusal.reason.value for _, _, refusal in rows],
            [storable(refusal.detail) for _, _, refusal in rows],
        )


async def _insert(connection: Connection, records: Sequence[tuple[Any, ...]]) -> None:
    if records:
        await connection.copy_records_to_table(
            "rejected_messages", records=records, columns=_COLUMNS
        )


def _record(
    refusal: Refused,
    received_at: dt.datetime,
    message_no: int,
    raw: _Raw = _NO_RAW,
    replay_id: int | None = None,
) -> tuple[Any, ...]:
    received = refusal.received
    message = received.content if isinstance(received.content, Message) else None
    return (
        received_at,
        refusal.scope,
        refusal.reason.value,
        storable(refusal.detail),
        storable(received.publication.topic),
        received.publisher,
        storable_name(refusal.device),
        storable_name(refusal.channel),
        refusal.index,
        message and message.epoch,
        message and message.seq,
        raw.payload,
        raw.length,
        message_no,
        replay_id,
    )
