"""PURE: `repeat` in a city file: one entry that stands for a numbered series."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from services.core.city.fields import MAPPINGS, Entry, Fields, Notes

Variables = Mapping[str, int]

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)(?::0(\d))?\}")
_NESTED: Final = frozenset(
    {"parts", "supplies", "devices"}
)  # filled in when they are expanded themselves
_LONGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Instance:
    """One of a series: index of count; a lone entry is the first of one. series: the key before filling in."""

    series: str
    key: str
    raw: Entry
    variables: Variables
    index: int
    count: int


def expand(
    entries: Mapping[str, Any], variables: Variables, notes: Notes
) -> Iterator[Instance]:
    """Every instance of every entry, keys and texts filled in.

    `repeat: {f: 20}` numbers f from 1 to 20, `{f: [5, 9]}` from 5 to 9, `{f: 20, t: 2}` is all pairs.
    In texts `{f}` is the number, `{f:02}` the number padded to two digits.
    """
    for template, raw in entries.items():
        fields = Fields(raw, str(template), notes)
        if isinstance(raw, MAPPINGS):
            yield from _instances(str(template), raw, variables, fields)


def _instances(
    template: str, raw: Mapping[str, Any], outer: Variables, fields: Fields
) -> Iterator[Instance]:
    ranges = {
        name: range_of(name, bounds, fields)
        for name, bounds in fields.mapping("repeat").items()
    }
    count = math.prod(map(len, ranges.values()))
    for index, numbers in enumerate(itertools.product(*ranges.values())):
        variables = {**outer, **dict(zip(ranges, numbers, strict=True))}
        try:
            yield Instance(
                template,
                _fill_text(template, variables),
                _fill_entry(raw, variables),
                variables,
                index,
                count,
            )
        except KeyError as error:
            fields.wrong(f"nothing repeats {error.args[0]!r}")
            return


def range_of(name: str, bounds: object, fields: Fields) -> range:
    """The numbers that an entry of `repeat` stands for; none where it is wrong, which is noted."""
    first, last = (
        bounds
        if isinstance(bounds, list) and len(bounds) == len(("first", "last"))
        else (1, bounds)
    )
    if (
        type(first) is int
        and type(last) is int
        and 0 <= first <= last < first + _LONGEST
    ):
        return range(first, last + 1)
    fields.wrong(f"{name} needs a count or [first, last], is {bounds!r}", "repeat")
    return range(0)


def _fill_entry(raw: Mapping[str, Any], variables: Variables) -> Entry:
    filled = Entry(
        {
            name: value if name in _NESTED else _fill(value, variables)
            for name, value in raw.items()
            if name != "repeat"
        }
    )
    filled.place = getattr(raw, "place", "")
    return filled


def _fill(value: Any, variables: Variables) -> Any:
    if isinstance(value, str):
        return _fill_text(value, variables)
    if isinstance(value, MAPPINGS):
        return {
            _fill(name, variables): _fill(inner, variables)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_fill(inner, variables) for inner in value]
    return value


def _fill_text(text: str, variables: Variables) -> str:
    if "{" not in text:
        return text
    return "".join(
        [
            literal + f"{variables[name]:{width}}" if name else literal
            for literal, name, width in _parts(text)
        ]
    )


@lru_cache(maxsize=10_000)
def _parts(text: str) -> tuple[tuple[str, str, str], ...]:
    """(what stands before, name, format) of each placeholder; and what stands behind the last."""
    pieces = _PLACEHOLDER.split(text)
    places = zip(pieces[0::3], pieces[1::3], pieces[2::3], strict=False)
    found = [(literal, name, f"0{width or 1}") for literal, name, width in places]
    return (*found, (pieces[-1], "", ""))
