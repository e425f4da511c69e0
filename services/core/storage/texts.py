"""PURE: texts of publishers, as PostgreSQL can keep them."""

from typing import Final

LONGEST_TEXT: Final = 1_000  # characters


def storable(text: str) -> str:
    """No NUL, no half of a surrogate pair, not endless."""
    printable = text[:LONGEST_TEXT].replace("\x00", "\\0")
    return printable.encode("utf-8", "backslashreplace").decode("utf-8")
