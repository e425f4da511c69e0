"""PURE: from what a batch has (frame and slot, frame, device) to targets, by NumPy indexing alone.

Where several rules look at one place, each further one is in a further layer.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.storage.log_batch import ObservationBatch
from services.rules.targets import NONE, Int32, Int64, Targets

_EMPTY: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """layers[l][place] is a target, or NONE. Places outside are nobody's."""

    layers: tuple[Int32, ...]

    @classmethod
    def of(cls, places: Int64, targets: Int64) -> "Layers":
        order = np.argsort(places, kind="stable")
        places, targets = places[order], targets[order]
        starts = np.flatnonzero(np.diff(places, prepend=NONE))
        sizes = np.diff(np.append(starts, len(places)))
        depth = np.arange(len(places)) - np.repeat(starts, sizes)
        layers = []
        for layer in range(int(sizes.max(initial=0))):
            column = np.full(int(places[-1]) + 1, NONE, np.int32)
            at = depth == layer
            column[places[at]] = targets[at]
            layers.append(column)
        return cls(tuple(layers))

    def find(self, places: Int64) -> tuple[Int64, Int64]:
        """(indexes into places, targets) of every target at any of the places."""
        rows, targets = [_EMPTY], [_EMPTY]
        for layer in self.layers:
            found = np.full(len(places), NONE, np.int64)
            inside = (places >= 0) & (places < len(layer))
            found[inside] = layer[places[inside]]
            at = np.flatnonzero(found >= 0)
            rows.append(at)
            targets.append(found[at])
        return np.concatenate(rows), np.concatenate(targets)


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """first_place, width: by frame; a frame's slots have places first_place … first_place + width - 1."""

    first_place: Int64
    width: Int64
    of_slots: Layers
    of_frames: Layers
    of_devices: Layers
    without_frame: NDArray[np.bool_]  # by target: a gateway that measures nothing

    @classmethod
    def of(cls, targets: Targets) -> "Lookup":
        everyone = np.arange(len(targets))
        in_slot = np.flatnonzero(targets.slot != NONE)
        frames = targets.frame_id[in_slot]
        width = np.zeros(int(frames.max(initial=0)) + 1, np.int64)
        np.maximum.at(width, frames, targets.slot[in_slot] + 1)
        first_place = np.cumsum(width) - width
        of_device = np.flatnonzero(targets.slot == NONE)
        heard_by_frame = of_device[targets.frame_id[of_device] != NONE]
        return cls(
            first_place=first_place,
            width=width,
            of_slots=Layers.of(
                first_place[frames] + targets.slot[in_slot], everyone[in_slot]
            ),
            of_frames=Layers.of(
                targets.frame_id[heard_by_frame].astype(np.int64), heard_by_frame
            ),
            of_devices=Layers.of(
                targets.source_id[of_device].astype(np.int64), of_device
            ),
            without_frame=targets.frame_id == NONE,
        )

    def values_of_interest(self, batch: ObservationBatch) -> tuple[Int64, Int64, Int64]:
        """(indexes into the batch's values, their items, their places) of what is in watched frames and slots."""
        frames = batch.frame_ids.astype(np.int64)
        known = np.where(frames < len(self.width), frames, 0)  # no frame has the id 0
        count = np.minimum(self.width[known], np.diff(batch.offsets))
        items = np.flatnonzero(count)
        count = count[items]
        slot = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        values = np.repeat(batch.offsets[items].astype(np.int64), count) + slot
        places = np.repeat(self.first_place[frames[items]], count) + slot
        return values, np.repeat(items, count), places
