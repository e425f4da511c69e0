"""PURE: a batch of native JSON taken apart into its messages, so that a bad one never costs the others."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

_LARGEST_KEPT: Final = 65_536  # of what is no JSON
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# A string, which may lack its end; or what opens, divides and closes. Possessive: it never looks at a byte twice.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?+|[\[\]{},]', re.DOTALL)
_LINES_TRIED: Final = 100  # before a body is no NDJSON
_MOST_SPLIT: Final = 100_000
_DEEPEST: Final = 100
_DEEPER: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_json = msgspec.json.Decoder(msgspec.Raw)
_array = msgspec.json.Decoder(list[msgspec.Raw])


def messages_of(body: bytes) -> list[bytes]:
    """The elements of an array, the lines of NDJSON, or the one message that it is; of an empty array none.

    What is none of these is one message, cut to what is kept of it: decoding it says what is wrong.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if body.lstrip()[:1] == b"[":
        return _elements(body)
    if _is_json(body) or _is_one(body):
        return [body]
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > 1 and any(
        _is_json(line) or _is_one(line) for line in lines[:_LINES_TRIED]
    ):
        return [_kept(line) for line in lines]
    return [body[:_LARGEST_KEPT]]


def _elements(body: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _array.decode(body)]
    except (ValueError, RecursionError):
        return [_kept(part) for part in _split(body)] or [_kept(body)]


def _split(body: bytes) -> Iterator[bytes]:
    """An array that is not JSON, by its commas: as strings and brackets have it. What follows its end is an element, too."""
    depth, parts, start = 0, 0, body.index(b"[") + 1
    for token in _TOKEN.finditer(body, start - 1):
        mark = token[0]
        depth += _DEEPER.get(mark, 0)
        if depth > _DEEPEST or parts >= _MOST_SPLIT:
            break
        if depth == 0 or (depth == 1 and mark == b","):
            part, start = body[start : token.start()].strip(), token.end()
            parts += 1
            if depth or part:  # a comma before the end is one too many
                yield part
        if depth == 0:
            break
    rest = body[start:].strip()
    if rest or depth:
        yield rest


def _is_one(body: bytes) -> bool:
    """Whether an object opens at its beginning and closes at its end, whatever is wrong within."""
    text = body.strip()
    if text[:1] != b"{":
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += _DEEPER.get(token[0], 0)
        if depth == 0:
            return token.end() == len(text)
        if depth > _DEEPEST:
            break
    return False


def _is_json(text: bytes) -> bool:
    try:
        _json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _kept(text: bytes) -> bytes:
    """A message that is too large still has a number to settle."""
    if len(text) <= _LARGEST_KEPT or _is_json(text):
        return text
    return text[:_LARGEST_KEPT]
