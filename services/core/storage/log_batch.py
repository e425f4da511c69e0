"""PURE: the body of an observations batch in the event log: columns, written and read without a copy per row.

Layout (little-endian): version byte, three zero bytes, uint32 counts of items, values, accounts, numbered
messages, notices' bytes, since version 2 waiting publishers, and since version 3 publishers that were not heard;
then each column whole, 8-byte columns first. A reader refuses versions that it does not know.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import IntFlag
from itertools import chain
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

VERSION: Final = 3
_HEADERS: Final = {
    1: struct.Struct("<B3x5I"),
    2: struct.Struct("<B3x6I4x"),  # keeps what follows aligned
    3: struct.Struct("<B3x7I"),
}
_COUNTS: Final = 7

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]


class ItemFlag(IntFlag):
    """What an item did to the store. An item that changed nothing (duplicate) is in no batch's items."""

    NEW = 1  # a row of its own
    MERGED = (
        2  # filled slots of a row that was there; the values here are those it filled
    )
    CORRECTED = 4  # replaced values ("revises"); the values here are the new ones
    LATE = 8  # older than the newest of its frame
    SECOND_HAND = 16  # not said by its device just now: a replay, or a person's word


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A device's birth or death, in the order of its publisher's messages."""

    kind: Literal["birth", "death"]
    device_id: int
    publisher_id: int
    time_ms: int  # of the message, or of its arrival
    epoch: int | None = None
    oldest_seq: int | None = None  # birth: numbers below are lost for good
    firmware: str | None = None


@dataclass(frozen=True, slots=True)
class Accounts:
    """Per publisher: what became of the items it sent. One row a publisher; publisher 0 is unknown."""

    publisher_ids: Int32
    received: Int32  # counted when the message is decoded, not derived from the fates
    stored: Int32
    merged: Int32
    duplicate: Int32
    rejected: Int32
    rejected_values: Int32


_FATES: Final = tuple(field.name for field in fields(Accounts))[1:]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Per publisher: items read from the broker and in no batch yet."""

    publisher_ids: Int32
    items: Int32

    @classmethod
    def of(cls, items: Mapping[int, int]) -> "Waiting":
        return cls(
            np.fromiter(items.keys(), np.int32, len(items)),
            np.fromiter(items.values(), np.int32, len(items)),
        )


@dataclass(frozen=True, slots=True)
class NumberedMessages:
    """Messages with seq whose fate this batch commits, repeats included."""

    publisher_ids: Int32
    epochs: Int64
    seqs: Int64

    def runs(self) -> Iterator[tuple[int, int, int, int]]:
        """(publisher id, epoch, first, last) of numbers that follow one another; those of an epoch in their order."""
        if not len(self.seqs):
            return iter(())
        order = np.lexsort(
            (self.epochs, self.publisher_ids)
        )  # keeps the order of equals
        publishers, epochs = self.publisher_ids[order], self.epochs[order]
        seqs = self.seqs[order]
        begins = np.ones(len(seqs), np.bool_)
        begins[1:] = (
            (publishers[1:] != publishers[:-1])
            | (epochs[1:] != epochs[:-1])
            | (seqs[1:] != seqs[:-1] + 1)
        )
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(seqs)) - 1
        columns = (publishers[first], epochs[first], seqs[first], seqs[last])
        return zip(*(column.tolist() for column in columns), strict=True)


def _empty_accounts() -> Accounts:
    return Accounts(*(np.empty(0, np.int32) for _ in range(7)))


def _empty_waiting() -> Waiting:
    return Waiting(np.empty(0, np.int32), np.empty(0, np.int32))


def _nobody() -> Int32:
    return np.empty(0, np.int32)


def _empty_numbered() -> NumberedMessages:
    return NumberedMessages(
        np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64)
    )


@dataclass(frozen=True, slots=True)
class ObservationBatch:
    """n items; item i has results[offsets[i]:offsets[i + 1]], by slot, NaN where missing."""

    frame_ids: Int32  # [n]
    times_ms: Int64  # [n] phenomenon_time, Unix milliseconds
    flags: UInt8  # [n] ItemFlag
    offsets: Int32  # [n + 1]
    results: Float64  # [offsets[n]]
    quality: UInt8  # [offsets[n]] packed as core.city.quality
    accounts: Accounts = field(default_factory=_empty_accounts)
    numbered: NumberedMessages = field(default_factory=_empty_numbered)
    notices: tuple[Notice, ...] = ()
    waiting: Waiting = field(default_factory=_empty_waiting)
    unheard: Int32 = field(default_factory=_nobody)  # all of theirs is second-hand

    @classmethod
    def empty(cls) -> "ObservationBatch":
        return cls(
            frame_ids=np.empty(0, np.int32),
            times_ms=np.empty(0, np.int64),
            flags=np.empty(0, np.uint8),
            offsets=np.zeros(1, np.int32),
            results=np.empty(0, np.float64),
            quality=np.empty(0, np.uint8),
        )

    def __len__(self) -> int:
        return len(self.frame_ids)

    @property
    def heard(self) -> Int32:
        """The publishers of accounts that sent something themselves."""
        ids = self.accounts.publisher_ids
        return ids[~np.isin(ids, self.unheard)] if len(self.unheard) else ids

    @property
    def first_hand(self) -> NDArray[np.bool_]:
        """[n] which items their devices said themselves, be it late."""
        own: NDArray[np.bool_] = (self.flags & ItemFlag.SECOND_HAND) == 0
        return own

    def item_of_value(self) -> Int64:
        """[values] the item each value belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))

    def slot_of_value(self) -> Int64:
        """[values] the slot of each value in its frame."""
        starts = np.repeat(self.offsets[:-1].astype(np.int64), np.diff(self.offsets))
        return np.arange(len(self.results), dtype=np.int64) - starts


def join(batches: Sequence[ObservationBatch]) -> ObservationBatch:
    """Batches that follow one another as one. One row a publisher in accounts; of waiting, what the last one says."""
    if len(batches) == 1:
        return batches[0]
    starts = np.cumsum([0, *(len(batch.results) for batch in batches[:-1])])
    begins = [
        batch.offsets[:-1] + start for batch, start in zip(batches, starts, strict=True)
    ]
    end = starts[-1] + len(batches[-1].results)
    return ObservationBatch(
        frame_ids=np.concatenate([batch.frame_ids for batch in batches]),
        times_ms=np.concatenate([batch.times_ms for batch in batches]),
        flags=np.concatenate([batch.flags for batch in batches]),
        offsets=np.concatenate([*begins, [end]]).astype(np.int32),
        results=np.concatenate([batch.results for batch in batches]),
        quality=np.concatenate([batch.quality for batch in batches]),
        accounts=_sum([batch.accounts for batch in batches]),
        numbered=_follow([batch.numbered for batch in batches]),
        notices=tuple(chain.from_iterable(batch.notices for batch in batches)),
        waiting=batches[-1].waiting,
        unheard=_never_heard(batches),
    )


def _never_heard(batches: Sequence[ObservationBatch]) -> Int32:
    unheard = np.concatenate([batch.unheard for batch in batches])
    if not len(unheard):
        return unheard
    heard = np.concatenate([batch.heard for batch in batches])
    return np.setdiff1d(unheard, heard)


def _sum(accounts: Sequence[Accounts]) -> Accounts:
    ids, row = np.unique(
        np.concatenate([each.publisher_ids for each in accounts]), return_inverse=True
    )
    sums = np.zeros((len(_FATES), len(ids)), np.int32)
    for fate, name in enumerate(_FATES):
        np.add.at(
            sums[fate], row, np.concatenate([getattr(each, name) for each in accounts])
        )
    return Accounts(ids, *sums)


def _follow(numbered: Sequence[NumberedMessages]) -> NumberedMessages:
    return NumberedMessages(
        np.concatenate([each.publisher_ids for each in numbered]),
        np.concatenate([each.epochs for each in numbered]),
        np.concatenate([each.seqs for each in numbered]),
    )


_notices_encoder = msgspec.msgpack.Encoder()
_notices_decoder = msgspec.msgpack.Decoder(tuple[Notice, ...])


def encode(batch: ObservationBatch) -> bytes:
    notices = _notices_encoder.encode(batch.notices) if batch.notices else b""
    accounts, numbered = batch.accounts, batch.numbered
    header = _HEADERS[VERSION].pack(
        VERSION,
        len(batch),
        len(batch.results),
        len(accounts.publisher_ids),
        len(numbered.seqs),
        len(notices),
        len(batch.waiting.items),
        len(batch.unheard),
    )
    columns = (
        *(
            column.astype("<i8", copy=False)
            for column in (batch.times_ms, numbered.epochs, numbered.seqs)
        ),
        batch.results.astype("<f8", copy=False),
        *(
            column.astype("<i4", copy=False)
            for column in (
                batch.frame_ids,
                batch.offsets,
                accounts.publisher_ids,
                accounts.received,
                accounts.stored,
                accounts.merged,
                accounts.duplicate,
                accounts.rejected,
                accounts.rejected_values,
                numbered.publisher_ids,
                batch.waiting.publisher_ids,
                batch.waiting.items,
                batch.unheard,
            )
        ),
        batch.flags,
        batch.quality,
    )
    return b"".join((header, *(column.tobytes() for column in columns), notices))


def decode(body: bytes) -> ObservationBatch:
    """The batch of a body; columns are read-only views into it.

    Raises:
        ValueError: the body has another version, or is cut short.
    """
    version = body[0] if body else 0
    header = _HEADERS.get(version)
    if header is None:
        raise ValueError(
            f"an event log batch of version {version}; this program reads {VERSION}"
        )
    _, *counts = header.unpack_from(body)
    counts += [0] * (_COUNTS - len(counts))
    items, values, accounts, numbered, notices, waiting, unheard = counts
    place = header.size

    def column(kind: str, count: int) -> NDArray[np.generic]:
        nonlocal place
        values_read = np.frombuffer(body, kind, count, place)
        place += values_read.nbytes
        return values_read

    times, epochs, seqs = (
        column("<i8", count) for count in (items, numbered, numbered)
    )
    results = column("<f8", values)
    frames, offsets = column("<i4", items), column("<i4", items + 1)
    account_columns = [column("<i4", accounts) for _ in range(7)]
    numbered_publishers = column("<i4", numbered)
    waiting_columns = [column("<i4", waiting) for _ in range(2)]
    unheard_publishers = column("<i4", unheard)
    flags, quality = column("u1", items), column("u1", values)
    return ObservationBatch(
        frame_ids=frames,  # type: ignore[arg-type] # the dtype is in the string above
        times_ms=times,  # type: ignore[arg-type]
        flags=flags,  # type: ignore[arg-type]
        offsets=offsets,  # type: ignore[arg-type]
        results=results,  # type: ignore[arg-type]
        quality=quality,  # type: ignore[arg-type]
        accounts=Accounts(*account_columns),  # type: ignore[arg-type]
        numbered=NumberedMessages(numbered_publishers, epochs, seqs),  # type: ignore[arg-type]
        notices=_notices_decoder.decode(body[place : place + notices])
        if notices
        else (),
        waiting=Waiting(*waiting_columns),  # type: ignore[arg-type]
        unheard=unheard_publishers,  # type: ignore[arg-type]
    )
