"""A transaction in one round trip: its statements are sent at once, and then all answers are read.

asyncpg waits for each answer before it sends the next statement. A batch had five such waits, and where the processors are busy
each costs both sides their place in the queue for one. The messages: https://www.postgresql.org/docs/current/protocol-message-formats.html.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, cast

import asyncpg
from typing_extensions import override

from services.core.storage.pool import Connection

_LENGTH: Final = Struct(">I")
_COUNT: Final = Struct(">H")
_SIZE: Final = Struct(">i")
_HEADER_BYTES: Final = 5  # its kind, and its length without the kind
_BINARY: Final = b"\x00\x01\x00\x01"  # one format for all
_NULL: Final = -1

Row = tuple[bytes | None, ...]  # values in PostgreSQL's binary formats


@dataclass(slots=True)
class Answer:
    """To one statement. tag: such as `INSERT 0 1`; row: the first, where it gives any."""

    tag: str = ""
    row: Row | None = None


class Transaction:
    """What is to be done at once; begun and committed with it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._statements = 0
        self._run("BEGIN")

    def copy(self, table: str, columns: Sequence[str], rows: bytes) -> None:
        """rows: a whole stream in the binary format."""
        names = ", ".join(columns)
        self._run(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)")
        self._say(b"d", rows)
        self._say(b"c", b"")

    def execute(self, statement: str, parameters: Sequence[bytes | None]) -> None:
        """statement: the name of one that is prepared in this session; parameters: in the binary formats."""
        values = [_COUNT.pack(len(parameters))]
        for parameter in parameters:
            values.append(_SIZE.pack(_NULL if parameter is None else len(parameter)))
            values.append(parameter or b"")
        bound = (b"\0", statement.encode(), b"\0", _BINARY, *values, _BINARY)
        self._say(b"B", b"".join(bound))
        self._say(b"E", b"\0" + _LENGTH.pack(0))
        self._say(b"S", b"")
        self._statements += 1

    async def commit(self, connection: Connection) -> list[Answer]:
        """Once, on a connection that nobody else uses meanwhile: an answer to each statement.

        Who is cancelled cuts the connection: it may be committed all the same.

        Raises:
            asyncpg.PostgresError: of the first statement that failed; nothing is done.
            asyncpg.InterfaceError: the connection is closed.
            asyncpg.ConnectionDoesNotExistError: it was lost; it may be committed all the same.
        """
        self._run("COMMIT")
        if connection.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")
        transport = connection._transport  # noqa: SLF001 # asyncpg cannot send without waiting
        reader = _Reader(transport.get_protocol(), self._statements)
        transport.set_protocol(reader)
        try:
            transport.write(b"".join(self._parts))
            _begin, *answers, _commit = await reader.answers
        except asyncio.CancelledError:
            connection.terminate()
            raise
        finally:
            transport.set_protocol(reader.former)
        return answers

    def _run(self, sql: str) -> None:
        self._say(b"Q", sql.encode() + b"\0")
        self._statements += 1

    def _say(self, kind: bytes, content: bytes) -> None:
        self._parts += kind, _LENGTH.pack(len(content) + _LENGTH.size), content


class _Reader(asyncio.Protocol):
    """Stands in for asyncpg's protocol until the last statement is answered."""

    def __init__(self, former: asyncio.BaseProtocol, statements: int) -> None:
        self.former = former
        self.answers: asyncio.Future[list[Answer]] = (
            asyncio.get_running_loop().create_future()
        )
        self._left = statements
        self._rest = b""
        self._given: list[Answer] = []
        self._answer = Answer()
        self._error: Exception | None = None

    @override
    def data_received(self, data: bytes) -> None:
        received, begin = self._rest + data, 0
        while begin + _HEADER_BYTES <= len(received):
            (length,) = _LENGTH.unpack_from(received, begin + 1)
            end = begin + 1 + length
            if end > len(received):
                break
            content = received[begin + _HEADER_BYTES : end]
            self._take(received[begin : begin + 1], content)
            begin = end
        self._rest = received[begin:]

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        lost = self._error or asyncpg.ConnectionDoesNotExistError(
            "connection was closed in the middle of a transaction"
        )
        lost.__cause__ = exc
        if not self.answers.done():
            self.answers.set_exception(lost)
        cast("asyncio.Protocol", self.former).connection_lost(exc)

    def _take(self, kind: bytes, content: bytes) -> None:
        if kind == b"C":
            self._answer.tag = content[:-1].decode()
        elif kind == b"D" and self._answer.row is None:
            self._answer.row = _row(content)
        elif kind == b"E" and self._error is None:
            self._error = _error(content)
        elif kind == b"Z":
            self._given.append(self._answer)
            self._answer = Answer()
            self._left -= 1
            if self._left == 0 and not self.answers.done():
                self._finish()

    def _finish(self) -> None:
        if self._error is None:
            self.answers.set_result(self._given)
        else:
            self.answers.set_exception(self._error)


def _row(content: bytes) -> Row:
    values: list[bytes | None] = []
    begin = _COUNT.size
    for _ in range(*_COUNT.unpack_from(content)):
        (size,) = _SIZE.unpack_from(content, begin)
        begin += _SIZE.size
        values.append(None if size == _NULL else content[begin : begin + size])
        begin += max(size, 0)
    return tuple(values)


def _error(content: bytes) -> Exception:
    """As asyncpg raises it; its fields are told by a letter each."""
    fields = [part for part in content.split(b"\0") if part]
    told = {chr(part[0]): part[1:].decode("utf-8", "replace") for part in fields}
    return cast("Exception", asyncpg.PostgresError.new(told))
