"""A table of keys and figures for any width of terminal: only keys are ever shortened."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

_ROOMY: Final = 100  # characters
_LEAST: Final = 6


def key_table(
    keys: Sequence[str],
    figures: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
) -> Table:
    """rows: the keys' cells, then the figures'. A figure's name may have two lines."""
    gap = 2 if width >= _ROOMY else 1
    columns = list(zip(*([*keys, *figures], *rows), strict=True))
    natural = [max(_longest(cell) for cell in column) for column in columns]
    room = width - sum(natural[len(keys) :]) - gap * len(columns)
    table = Table(box=None, padding=(0, gap, 0, 0))
    for name, size in zip(keys, fitted(natural[: len(keys)], room), strict=True):
        table.add_column(
            name, no_wrap=True, overflow="ellipsis", width=size, vertical="bottom"
        )
    for name, size in zip(figures, natural[len(keys) :], strict=True):
        table.add_column(name, no_wrap=True, width=size, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def fitted(natural: Sequence[int], room: int) -> list[int]:
    """Widths that fit: the longest give way first, and none below a few characters."""
    widths = list(natural)
    while sum(widths) > room and max(widths) > _LEAST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _longest(cell: str) -> int:
    return max(map(len, cell.split("\n")))
