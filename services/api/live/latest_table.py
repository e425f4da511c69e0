"""PURE: the newest value of every datastream and the batch that brought it, in NumPy columns.

A client is not queued for: it says up to which batch it knows, and gets what has changed since. So a slow
client costs no memory, and any number of changes of one datastream in between are one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.core.city.catalogue import Kind
from services.core.city.quality import ALL_GOOD
from services.core.storage.log_batch import ObservationBatch

NEVER: Final = np.iinfo(np.int64).min
_SLOT_BITS: Final = 16

Cells = NDArray[np.int64]  # places in the table, one a datastream


@dataclass(frozen=True, slots=True)
class Cell:
    """A datastream. frame_id, slot: where it is reported now, from valid_from_ms on; None: nowhere."""

    datastream_id: int
    key: str
    thing: str
    domain: str
    district: str
    observed_property: str
    household: bool
    in_service: bool
    frame_id: int | None
    slot: int | None
    valid_from_ms: int


@dataclass(frozen=True, slots=True)
class Coding:
    """How a property's numbers are to be read."""

    kind: Kind
    unit: str
    codes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which datastreams somebody wants and may see. None: all. datastreams: keys or ids."""

    domains: Collection[str] | None = None
    districts: Collection[str] | None = None
    things: Collection[str] | None = None
    observed_properties: Collection[str] | None = None
    datastreams: Collection[str] | None = None
    household: bool = False
    only_public: bool = False


@dataclass(slots=True)
class _Words:
    """Words that repeat, as small numbers."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, word: str) -> int:
        return self.numbers.setdefault(word, len(self.numbers))

    def among(
        self, column: NDArray[np.int32], wanted: Collection[str]
    ) -> NDArray[np.bool_]:
        numbers = [self.numbers[word] for word in wanted if word in self.numbers]
        found: NDArray[np.bool_] = np.isin(column, numbers)
        return found

    def words(self) -> list[str]:
        return list(self.numbers)


class LatestTable:
    def __init__(self) -> None:
        self.codings: Mapping[str, Coding] = {}
        self._place: dict[int, int] = {}  # datastream id → cell
        self._keys: list[str] = []
        self._words = {
            name: _Words()
            for name in ("thing", "domain", "district", "observed_property")
        }
        self._columns: dict[str, NDArray[np.int32]] = {
            name: np.empty(0, np.int32) for name in self._words
        }
        self._ids = np.empty(0, np.int64)
        self._household = np.empty(0, np.bool_)
        self._in_service = np.empty(0, np.bool_)
        self._public = np.empty(0, np.bool_)
        self._home = np.empty(0, np.int64)  # frame and slot as one number; -1: none
        self._valid_from = np.empty(0, np.int64)
        self._results = np.empty(0, np.float64)
        self._times = np.empty(0, np.int64)
        self._quality = np.empty(0, np.uint8)
        self._changed = np.empty(0, np.int64)  # number of the batch
        self._homes = np.empty(0, np.int64)  # sorted, with the cells they belong to
        self._cells_of_homes: Cells = np.empty(0, np.int64)
        self._held = np.empty(0, np.bool_)  # by frame id: some of its slots are here

    def __len__(self) -> int:
        return len(self._keys)

    def take_cells(self, cells: Iterable[Cell]) -> None:
        """New and changed datastreams; their values stay."""
        taken = list(cells)
        for cell in taken:
            if cell.datastream_id not in self._place:
                self._place[cell.datastream_id] = len(self._keys)
                self._keys.append(cell.key)
        self._grow(len(self._keys))
        for cell in taken:
            self._set(self._place[cell.datastream_id], cell)

    def _set(self, at: int, cell: Cell) -> None:
        self._ids[at] = cell.datastream_id
        for name, words in self._words.items():
            self._columns[name][at] = words.number(getattr(cell, name))
        self._household[at] = cell.household
        self._in_service[at] = cell.in_service
        self._valid_from[at] = cell.valid_from_ms
        self._home[at] = (
            -1
            if cell.frame_id is None or cell.slot is None
            else cell.frame_id << _SLOT_BITS | cell.slot
        )

    def _grow(self, size: int) -> None:
        more = size - len(self._ids)
        fresh: dict[str, Any] = {
            "_ids": 0,
            "_household": True,
            "_in_service": False,
            "_public": False,
            "_home": -1,
            "_valid_from": 0,
            "_results": np.nan,
            "_times": NEVER,
            "_quality": ALL_GOOD,
            "_changed": -1,
        }
        for name, value in fresh.items():
            column = getattr(self, name)
            added = np.full(more, value, column.dtype)
            setattr(self, name, np.concatenate([column, added]))
        for name, column in self._columns.items():
            self._columns[name] = np.concatenate([column, np.zeros(more, np.int32)])

    def cells_of(self, cells: Iterable[Cell]) -> Cells:
        """Where these, which were taken, are."""
        return np.array([self._place[cell.datastream_id] for cell in cells], np.int64)

    def settle(self, public_ids: Collection[int], newest_frame: int = 0) -> None:
        """After taking cells: which of them the publication filter lets pass, and how frames lead to them.

        newest_frame: of the registry; a later one may be of a datastream that belongs here.
        """
        self._public = np.isin(self._ids, np.fromiter(public_ids, np.int64))
        housed = np.flatnonzero(self._home >= 0)
        order = housed[np.argsort(self._home[housed], kind="stable")]
        self._homes, self._cells_of_homes = self._home[order], order
        frames = self._homes >> _SLOT_BITS
        self._held = np.zeros(
            max(newest_frame, int(frames.max(initial=0))) + 1, np.bool_
        )
        self._held[frames] = True

    def frames(self, cells: Cells | None = None) -> list[int]:
        """Where the datastreams of these cells, or all, are reported."""
        homes = self._home if cells is None else self._home[cells]
        found: list[int] = np.unique(homes[homes >= 0] >> _SLOT_BITS).tolist()
        return found

    def apply(self, number: int, batch: ObservationBatch) -> bool:
        """Take each value that is as new as what is held, or newer; False: some may be of datastreams to come."""
        if not len(batch):
            return True
        item = batch.item_of_value()
        home = (
            batch.frame_ids[item].astype(np.int64) << _SLOT_BITS
        ) | batch.slot_of_value()
        present = ~np.isnan(batch.results)
        cells, housed = self._find(home)
        times = batch.times_ms[item]
        taken = np.flatnonzero(
            present
            & housed
            & (times >= self._times[cells])
            & (times >= self._valid_from[cells])
        )
        # A datastream may come twice in a batch: the newest, and of equals the last, is assigned last.
        order = taken[np.argsort(times[taken], kind="stable")]
        self._results[cells[order]] = batch.results[order]
        self._times[cells[order]] = times[order]
        self._quality[cells[order]] = batch.quality[order]
        self._changed[cells[order]] = number
        return not self._to_come(batch.frame_ids[item[present & ~housed]])

    def _to_come(self, frames: NDArray[np.int32]) -> bool:
        """Whether any of these may soon have a datastream here: it is new, or has other slots here."""
        known = frames < len(self._held)
        return not known.all() or bool(self._held[frames].any())

    def _find(self, home: NDArray[np.int64]) -> tuple[Cells, NDArray[np.bool_]]:
        """The cell of each (frame, slot), and whether there is one; where not, the cell is 0."""
        if not len(self._homes):
            return np.zeros(len(home), np.int64), np.zeros(len(home), np.bool_)
        at = np.minimum(np.searchsorted(self._homes, home), len(self._homes) - 1)
        housed = self._homes[at] == home
        return np.where(housed, self._cells_of_homes[at], 0), housed

    def select(self, wanted: Selection) -> Cells:
        """The cells of a selection, by age of their datastreams in the registry."""
        chosen = self._in_service.copy()
        if not wanted.household:
            chosen &= ~self._household
        if wanted.only_public:
            chosen &= self._public
        for name, keys in (
            ("domain", wanted.domains),
            ("district", wanted.districts),
            ("thing", wanted.things),
            ("observed_property", wanted.observed_properties),
        ):
            if keys is not None:
                chosen &= self._words[name].among(self._columns[name], keys)
        if wanted.datastreams is not None:
            chosen &= self._named(wanted.datastreams)
        cells: Cells = np.flatnonzero(chosen)
        return cells

    def _named(self, names: Collection[str]) -> NDArray[np.bool_]:
        keys = {name for name in names if not name.isdecimal()}
        ids = [int(name) for name in names if name.isdecimal()]
        by_key = np.fromiter((key in keys for key in self._keys), np.bool_, len(self))
        by_id = np.isin(self._ids, np.array([i for i in ids if i < 1 << 62], np.int64))
        chosen: NDArray[np.bool_] = by_key | by_id
        return chosen

    def known(self, cells: Cells) -> Cells:
        """Those that have a value."""
        found: Cells = cells[self._times[cells] != NEVER]
        return found

    def changed_since(self, cells: Cells, number: int) -> Cells:
        """Those that a batch after this one has changed."""
        changed: Cells = cells[self._changed[cells] > number]
        return changed

    def values(self, cells: Cells) -> list["Value"]:
        columns = {name: words.words() for name, words in self._words.items()}
        return [
            Value(
                datastream_id=int(self._ids[cell]),
                datastream=self._keys[cell],
                thing=columns["thing"][self._columns["thing"][cell]],
                observed_property=columns["observed_property"][
                    self._columns["observed_property"][cell]
                ],
                result=float(self._results[cell]),
                quality=int(self._quality[cell]),
                time_ms=int(self._times[cell]),
            )
            for cell in cells.tolist()
        ]


@dataclass(frozen=True, slots=True)
class Value:
    """The newest value of a datastream. quality: packed; time_ms: Unix milliseconds."""

    datastream_id: int
    datastream: str
    thing: str
    observed_property: str
    result: float
    quality: int
    time_ms: int
