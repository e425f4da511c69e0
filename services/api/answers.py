"""Answers that are written straight to JSON: long lists, too many for a model each."""

from typing import Any

import msgspec
from fastapi import Response

_encoder = msgspec.json.Encoder()


def json_answer(document: Any, prepared: Response) -> Response:
    """The document as JSON, with the headers that dependencies have prepared."""
    answer = Response(_encoder.encode(document), media_type="application/json")
    answer.headers.raw.extend(
        header for header in prepared.headers.raw if header[0] != b"content-length"
    )
    return answer
