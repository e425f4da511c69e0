"""PURE: keyset cursors: the place after the last row of a page, bound to the request it came from."""

import base64
import binascii
import json
import zlib
from collections.abc import Sequence

from services.core.errors import PlatformError

_LARGEST = 1 << 63


class CursorRefusedError(PlatformError):
    """The cursor is none of ours, or belongs to another request: start again without it."""


def write_cursor(place: Sequence[int], request: str) -> str:
    """place: the keys of the last row; request: whatever must be the same on the next page."""
    body = json.dumps([_mark(request), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def read_cursor(cursor: str, request: str, keys: int) -> tuple[int, ...]:
    """The place that a cursor of this request holds, of so many keys.

    Raises:
        CursorRefusedError: it was made by nobody, or for another request.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        numbers = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise CursorRefusedError from error
    if not _is_place(numbers, keys) or numbers[0] != _mark(request):
        raise CursorRefusedError
    return tuple(numbers[1:])


def _mark(request: str) -> int:
    return zlib.crc32(request.encode())


def _is_place(numbers: object, keys: int) -> bool:
    return (
        isinstance(numbers, list)
        and len(numbers) == keys + 1
        and all(type(n) is int and -_LARGEST <= n < _LARGEST for n in numbers)
    )
