"""Spans of time as people type them: 60s, 90m, 24h, 30d."""

import datetime as dt
import re
from typing import Final

import typer

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span_of(text: str) -> dt.timedelta:
    """Raises typer.BadParameter."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a span like 60s, 90m, 24h or 30d")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})
