"""PURE: the quantities of one kind of thing: a row a thing, a column a quantity, named as devices' channels."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from device_sim.signals import Floats, Places

Reader = Callable[[], float]


class Table:
    def __init__(self, things: Sequence[str]) -> None:
        self.things = tuple(things)
        self._columns: dict[str, Floats] = {}

    def __len__(self) -> int:
        return len(self.things)

    def __getitem__(self, quantity: str) -> Floats:
        return self._columns[quantity]

    def write(self, **columns: Floats) -> None:
        self._columns.update(columns)

    def readers(self) -> Mapping[tuple[str, str], Reader]:
        """Of each (thing, quantity), what gives its present value."""
        return {
            (thing, quantity): self._reader(quantity, place)
            for place, thing in enumerate(self.things)
            for quantity in self._columns
        }

    def _reader(self, quantity: str, place: int) -> Reader:
        columns = self._columns
        return lambda: float(columns[quantity][place])


def places_of(wanted: Sequence[str], things: Sequence[str]) -> Places:
    """The row of each wanted thing.

    Raises:
        ValueError: one is not among the things.
    """
    rows = {thing: place for place, thing in enumerate(things)}
    try:
        return np.array([rows[thing] for thing in wanted], dtype=np.intp)
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is not there") from error
