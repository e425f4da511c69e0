"""From bytes to the records of a SenML pack: JSON (RFC 8428 section 5) or CBOR (section 6)."""

from io import BytesIO
from typing import Final, NoReturn

import cbor2
import msgspec

from services.ingest.decoders.native_json import read_leniently

_WHITESPACE: Final = b" \t\r\n"
_DEEPEST: Final = 8
_SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"  # CBOR, says its tag (RFC 8949 section 3.4.6)
_TAGS: Final = (0, 1, 2, 3, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004)  # fmt: skip # all that cbor2 reads, but decimal fractions


def read_pack(payload: bytes) -> object:
    """What the bytes say; of JSON's numbers one that is none is NOT_FINITE.

    Raises:
        ValueError: it is neither, or something follows it.
        RecursionError: it is nested too deeply.
    """
    if payload.lstrip(_WHITESPACE)[:1] == b"[":
        try:
            return msgspec.json.decode(payload)
        except ValueError:
            return read_leniently(payload)
    stream = BytesIO(payload.removeprefix(_SELF_DESCRIBED))
    decoder = cbor2.CBORDecoder(
        stream, max_depth=_DEEPEST, semantic_decoders=dict.fromkeys(_TAGS, _refuse)
    )
    try:
        records: object = decoder.decode()
    except cbor2.CBORDecodeError as error:
        raise ValueError(str(error)) from error
    if stream.read(1):
        raise ValueError("something follows the pack")
    return records


def _refuse(*_arguments: object) -> NoReturn:
    raise ValueError("SenML has no such tag")
