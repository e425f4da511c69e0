"""The rejected inbox as ingest writes it, in the batch's own transaction: new refusals, and the fates of old ones."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.core.storage.pool import Connection
from services.ingest.again import Replayed, Settlement, settle
from services.ingest.messages import Message
from services.ingest.resolve import Refused

_MOST_ROWS: Final = 20_000  # of a publisher in an hour; what is beyond is counted
_MOST_BYTES: Final = (
    16_000_000  # of raw messages, likewise; rows beyond are kept without
)
_LONGEST_TEXT: Final = 1_000
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
_MEND: Final = """
UPDATE rejected_messages SET state = 'replayed', replay_id = $1, settled_at = $2, settled_by = $3
WHERE received_at = $4 AND rejected_id = ANY ($5::bigint[]) AND state = 'open'
"""
_REFUSE_AGAIN: Final = """
UPDATE rejected_messages r
SET reason = again.reason, detail = again.detail, attempts = attempts + 1, replay_id = $1
FROM unnest($3::bigint[], $4::text[], $5::text[]) AS again (rejected_id, reason, detail)
WHERE r.received_at = $2 AND r.rejected_id = again.rejected_id AND r.state = 'open'
"""
_TALLY: Final = """
UPDATE replays SET messages = messages + 1, mended = mended + $2, refused = refused + $3 WHERE replay_id = $1
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


@dataclass(slots=True)
class _Admission:
    """What of a batch is kept as rows; beyond: (publisher, reason) → how many are only counted."""

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

    async def write(
        self,
        connection: Connection,
        refused: Sequence[Refused],
        replayed: Sequence[Replayed],
        now: dt.datetime,
    ) -> None:
        fresh = [
            refusal
            for refusal in refused
            if not isinstance(refusal.received.publication, Replayed)
        ]
        if fresh:
            await self._write_fresh(connection, fresh, now)
        for message in replayed:
            await _settle(connection, message, refused, now)

    async def _write_fresh(
        self, connection: Connection, fresh: Sequence[Refused], now: dt.datetime
    ) -> None:
        admitted = self._admit(fresh, now)
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
        """A batch that is tried again takes a second helping: the allowance is a bound, not an account."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._kept = hour, {}
        most_rows, most_bytes = self._most
        admitted = _Admission()
        for refusal, message_no, is_first in _numbered(fresh):
            publisher = refusal.received.publisher
            kept = self._kept.setdefault(publisher, _Kept())
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


async def _settle(
    connection: Connection,
    message: Replayed,
    refused: Sequence[Refused],
    now: dt.datetime,
) -> None:
    mine = [refusal for refusal in refused if refusal.received.publication is message]
    settlement = settle(message.entries, mine)
    await _write_fates(connection, message, settlement, now)
    await _insert(
        connection,
        [
            _record(
                refusal,
                message.received_at,
                message.message_no,
                replay_id=message.replay_id,
            )
            for refusal in settlement.new
        ],
    )
    await connection.execute(
        _TALLY,
        message.replay_id,
        len(settlement.mended),
        len(settlement.again) + len(settlement.new),
    )


async def _write_fates(
    connection: Connection,
    message: Replayed,
    settlement: Settlement,
    now: dt.datetime,
) -> None:
    if settlement.mended:
        await connection.execute(
            _MEND,
            message.replay_id,
            now,
            message.asked_by,
            message.received_at,
            settlement.mended,
        )
    if settlement.again:
        await connection.execute(
            _REFUSE_AGAIN,
            message.replay_id,
            message.received_at,
            [rejected_id for rejected_id, _ in settlement.again],
            [refusal.reason.value for _, refusal in settlement.again],
            [storable(refusal.detail) for _, refusal in settlement.again],
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
        None if refusal.device is None else storable(refusal.device),
        None if refusal.channel is None else storable(refusal.channel),
        refusal.index,
        message and message.epoch,
        message and message.seq,
        raw.payload,
        raw.length,
        message_no,
        replay_id,
    )


def storable(text: str) -> str:
    """What PostgreSQL can keep: no NUL, no half of a surrogate pair, not endless."""
    printable = text[:_LONGEST_TEXT].replace("\x00", "\\0")
    return printable.encode("utf-8", "backslashreplace").decode("utf-8")
