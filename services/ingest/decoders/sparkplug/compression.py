"""PURE: payloads that edge nodes have packed: an option of Eclipse Tahu and sparkplug-client, not of the standard.

The payload stands compressed in the body of another one, whose uuid says so.
"""

import zlib
from typing import Any, Final

from services.ingest.decoders.sparkplug.payload import DecodeError, Payload

_UUID: Final = "SPBV1.0_COMPRESSED"
_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS | 32  # by its header, whatever is said of it


def unpacked(payload: Any, largest: int) -> Any:
    """The payload in it, or itself where it is not packed.

    Raises:
        DecodeError: it cannot be unpacked, or has more than `largest` bytes then.
    """
    if payload.uuid != _UUID:
        return payload
    inflating = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        body = inflating.decompress(payload.body, largest)
    except zlib.error as error:
        raise DecodeError(f"its body cannot be unpacked: {error}") from error
    if not inflating.eof:
        raise DecodeError(f"its body is cut off, or over {largest} bytes unpacked")
    inner = Payload()
    inner.ParseFromString(body)
    return inner
