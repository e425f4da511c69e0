"""Bodies of requests: read in time, unpacked within bounds, and a batch taken apart into its messages."""

import asyncio
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from starlette.requests import ClientDisconnect, Request

from services.ingest.door.batches import messages_of
from services.ingest.door.problems import (
    DoorError,
    TooLargeError,
    TooSlowError,
    UnknownEncodingError,
)
from services.ingest.door.shares import Owner, Shares

LARGEST_BODY: Final = 1 << 20
LARGEST_UNPACKED: Final = 4 << 20
MOST_MESSAGES: Final = 50_000
_MOST_READING: Final = 32 << 20  # of all bodies that are under way, as they are sent
_UNPACKED_AT_ONCE: Final = 8  # bodies; the others wait, packed
_BODY_SECONDS: Final = 15.0
_WORTH_A_THREAD: Final = 65_536
_GZIP_NAMES: Final = frozenset({"gzip", "x-gzip"})  # RFC 9110 section 8.4.1.3
_GZIP: Final = 31  # zlib's number for a gzip header and the largest window


class BodyReader:
    """Bounds what all bodies under way take, whatever their senders say. seconds: that a whole body may take."""

    seconds = _BODY_SECONDS

    def __init__(self) -> None:
        self._shares = Shares(_MOST_READING)
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)

    @contextmanager
    def room_for(
        self, request: Request, owner: Owner
    ) -> Iterator[Callable[[int], None]]:
        """Held from before the first byte until the body is handed on.

        Raises:
            TooLargeError, UnknownEncodingError
        """
        _refuse_by_headers(request)
        with self._shares.of(owner) as take:
            yield take

    async def read(self, request: Request, take: Callable[[int], None]) -> bytes:
        """As it was sent. take: of the room for it; what is only announced takes none.

        Raises:
            TooLargeError, TooSlowError, TooManyRequestsError
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self.seconds):
                async for part in request.stream():
                    if len(body) + len(part) > LARGEST_BODY:
                        raise _too_large()
                    take(len(part))
                    body += part
        except TimeoutError as error:
            raise TooSlowError from error
        except ClientDisconnect as error:
            raise TooSlowError("The body ended early.") from error
        return bytes(body)

    async def messages(
        self, request: Request, body: bytes, *, is_batch: bool
    ) -> list[bytes]:
        """What is in it, unpacked.

        Raises:
            TooLargeError; DoorError: it is no gzip.
        """
        async with self._unpacking if _is_packed(request) else nullcontext():
            unpacked = await unpack(request, body)
            return await take_apart(unpacked) if is_batch else [unpacked]


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


def _refuse_by_headers(request: Request) -> None:
    encoding = _encoding(request)
    if encoding and encoding not in _GZIP_NAMES:
        raise UnknownEncodingError
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > LARGEST_BODY:
        raise _too_large()


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"A body has at most {LARGEST_BODY >> 20} MiB, unpacked {LARGEST_UNPACKED >> 20} MiB, and {MOST_MESSAGES:,} messages:"
        " send fewer messages at once."
    )
