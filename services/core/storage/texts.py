"""PURE: texts of publishers, as PostgreSQL and JSON can keep them."""

from typing import Final

LONGEST_TEXT: Final = 1_000  # characters


def storable(text: str) -> str:
    """No NUL, no half of a surrogate pair, not endless."""
    printable = text[:LONGEST_TEXT].replace("\x00", "\\0")
    return printable.encode("utf-8", "backslashreplace").decode("utf-8")


def storable_name(name: str | None) -> str | None:
    """The same of what may be absent."""
    return None if name is None else storable(name)
