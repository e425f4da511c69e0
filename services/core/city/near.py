"""PURE: what somebody who mistyped a name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known name nearest to a word; nothing where none is near."""
    found = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
