"""Bodies of requests: read in time, unpacked within bounds, and a batch taken apart into its messages."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import ClientDisconnect, Request

from services.ingest.door.batches import messages_of
from services.ingest.door.problems import (
    DoorError,
    TooLargeError,
    TooManyRequestsError,
    TooSlowError,
    UnknownEncodingError,
)

LARGEST_BODY: Final = 1 << 20
LARGEST_UNPACKED: Final = 4 << 20
MOST_MESSAGES: Final = 50_000
_MOST_READING: Final = 64 << 20  # of all bodies that are under way, unpacked
_BODY_SECONDS: Final = 15.0
_WORTH_A_THREAD: Final = 65_536
_GZIP_NAMES: Final = frozenset({"gzip", "x-gzip"})  # RFC 9110 section 8.4.1.3
_GZIP: Final = 31  # zlib's number for a gzip header and the largest window


class BodyReader:
    """Bounds what all bodies under way take, whatever their senders say. seconds: that a whole body may take."""

    seconds = _BODY_SECONDS

    def __init__(self) -> None:
        self._left = _MOST_READING

    @contextmanager
    def room_for(self, request: Request) -> Iterator[None]:
        """Held from before the first byte until the body is handed on.

        Raises:
            TooLargeError, UnknownEncodingError, TooManyRequestsError
        """
        size = _largest_size(request)
        if size > self._left:
            raise TooManyRequestsError(
                "Too many bodies are on their way.", retry_after=1
            )
        self._left -= size
        try:
            yield
        finally:
            self._left += size

    async def read(self, request: Request) -> bytes:
        """As it was sent.

        Raises:
            TooLargeError, TooSlowError
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self.seconds):
                async for part in request.stream():
                    body += part
                    if len(body) > LARGEST_BODY:
                        raise _too_large()
        except TimeoutError as error:
            raise TooSlowError from error
        except ClientDisconnect as error:
            raise TooSlowError("The body ended early.") from error
        return bytes(body)


async def unpack(request: Request, body: bytes) -> bytes:
    """Raises TooLargeError, or DoorError when it is no gzip."""
    if not _is_packed(request):
        return body
    if len(body) < _WORTH_A_THREAD // 16:
        return gunzip(body)
    return await asyncio.to_thread(gunzip, body)


def gunzip(body: bytes, largest: int = LARGEST_UNPACKED) -> bytes:
    """Never makes more than largest bytes of it, whatever it says.

    Raises:
        TooLargeError: it holds more.
        DoorError: it is no whole gzip member.
    """
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, largest + 1)
    except zlib.error as error:
        raise DoorError(f"The body is not gzip: {error}.") from error
    if len(unpacked) > largest:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise DoorError("The body is not one whole gzip member.")
    return unpacked


async def take_apart(body: bytes) -> list[bytes]:
    """Its messages; a large body does not hold up the others.

    Raises:
        TooLargeError: there are too many.
    """
    is_small = len(body) < _WORTH_A_THREAD
    messages = (
        messages_of(body) if is_small else await asyncio.to_thread(messages_of, body)
    )
    if len(messages) > MOST_MESSAGES:
        raise _too_large()
    return messages


def _is_packed(request: Request) -> bool:
    return _encoding(request) in _GZIP_NAMES


def _encoding(request: Request) -> str:
    """Empty: as it is."""
    said: str = request.headers.get("content-encoding", "").strip().lower()
    return "" if said == "identity" else said


def _largest_size(request: Request) -> int:
    """What its body may come to in memory."""
    encoding = _encoding(request)
    if encoding and encoding not in _GZIP_NAMES:
        raise UnknownEncodingError
    said = request.headers.get("content-length", str(LARGEST_BODY))
    if not said.isdecimal() or int(said) > LARGEST_BODY:
        raise _too_large()
    return int(said) + (LARGEST_UNPACKED if encoding else 0)


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"A body has at most {LARGEST_BODY >> 20} MiB, unpacked {LARGEST_UNPACKED >> 20} MiB, and {MOST_MESSAGES:,} messages:"
        " send fewer messages at once."
    )
