"""PURE: the grammar of $filter and $orderby: text to a tree of frozen values, and back.

Source: OGC 18-088, clause 9.3.3.5; OData 4.0 part 2, clause 5.1.1 (expression syntax and precedence).
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.api.moments import read_moment, say_moment
from services.core.errors import PlatformError

LONGEST: Final = 4_000
DEEPEST: Final = 20
_MOST_TOKENS: Final = 600
_LONGEST_NUMBER: Final = 40
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

COMPARISONS: Final = ("eq", "ne", "gt", "ge", "lt", "le")
_SUMS: Final = ("add", "sub")
_PRODUCTS: Final = ("mul", "div", "mod")
_RESERVED: Final = frozenset(
    {*COMPARISONS, *_SUMS, *_PRODUCTS, "and", "or", "not", "true", "false", "null"}
)


class FilterRefusedError(PlatformError):
    """The filter cannot be read."""


class GeographyError(FilterRefusedError):
    """It has a literal of a kind that is not offered here."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | float | bool | dt.datetime | None


@dataclass(frozen=True, slots=True)
class Path:
    """A property, perhaps of another entity: Datastream/Thing/name."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison or arithmetic, by its word."""

    word: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Logic:
    """word: and | or, of two or more."""

    word: str
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Expression"


Expression: TypeAlias = Literal | Path | Call | Binary | Logic | Not


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


_TOKENS: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<typed>[A-Za-z]+'(?:[^']|'')*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<time>\d{4}-\d\d-\d\d(?:[Tt]\d[\d:.]*(?:[Zz]|[+-]\d\d:\d\d|\ \d\d:\d\d)?)?)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<word>[A-Za-z_@][\w.@]*(?:/[A-Za-z_@][\w.@]*)*)
    | (?P<mark>[(),])
    """,
    re.VERBOSE | re.ASCII,
)


def read_filter(text: str) -> Expression:
    """The tree of a $filter.

    Raises:
        FilterRefusedError: it is none, or too long or too deep; the message says where.
    """
    if len(text) > LONGEST:
        raise FilterRefusedError(f"it has more than {LONGEST} characters.")
    if "\x00" in text:
        raise FilterRefusedError("it has a NUL in it.")
    parser = _Parser(list(_tokens(text)), len(text))
    expression = parser.disjunction()
    parser.expect_end()
    return expression


def _tokens(text: str) -> Iterator[_Token]:
    place = count = 0
    while place < len(text):
        match = _TOKENS.match(text, place)
        if match is None:
            raise FilterRefusedError(
                f"{text[place : place + 20]!r} at character {place + 1} cannot be read."
            )
        if match.lastgroup != "space":
            count += 1
            if count > _MOST_TOKENS:
                raise FilterRefusedError(f"it has more than {_MOST_TOKENS} words.")
            yield _Token(match.lastgroup or "", match[0], place)
        place = match.end()


class _Parser:
    """Recursive descent; each level of precedence is a method, the loosest first."""

    def __init__(self, tokens: Sequence[_Token], length: int) -> None:
        self._tokens = [*tokens, _Token("end", "", length)]
        self._at = 0
        self._depth = 0

    def disjunction(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FilterRefusedError(f"it is nested more than {DEEPEST} deep.")
        operands = [self._conjunction()]
        while self._takes("or"):
            operands.append(self._conjunction())
        self._depth -= 1
        return operands[0] if len(operands) == 1 else Logic("or", tuple(operands))

    def expect_end(self) -> None:
        if self._here.kind != "end":
            raise self._unexpected("an operator such as and, or, eq")

    def _conjunction(self) -> Expression:
        operands = [self._negation()]
        while self._takes("and"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else Logic("and", tuple(operands))

    def _negation(self) -> Expression:
        if not self._takes("not"):
            return self._comparison()
        self._depth += 1
        if self._depth > DEEPEST:
            raise FilterRefusedError(f"it is nested more than {DEEPEST} deep.")
        negated = Not(self._negation())
        self._depth -= 1
        return negated

    def _comparison(self) -> Expression:
        left = self._sum()
        word = self._takes(*COMPARISONS)
        return Binary(word, left, self._sum()) if word else left

    def _sum(self) -> Expression:
        return self._chain(_SUMS, self._product)

    def _product(self) -> Expression:
        return self._chain(_PRODUCTS, self._operand)

    def _chain(
        self, words: Sequence[str], operand: Callable[[], Expression]
    ) -> Expression:
        """Each operator makes the tree one deeper on its left."""
        left, length = operand(), 0
        while word := self._takes(*words):
            length += 1
            if length > DEEPEST:
                raise FilterRefusedError(f"it has more than {DEEPEST} sums in a row.")
            left = Binary(word, left, operand())
        return left

    def _operand(self) -> Expression:
        token = self._here
        if token.kind == "mark" and token.text == "(":
            self._at += 1
            inner = self.disjunction()
            self._close()
            return inner
        self._at += 1
        match token.kind:
            case "text":
                return Literal(token.text[1:-1].replace("''", "'"))
            case "time":
                return Literal(_moment(token.text))
            case "number":
                return Literal(_number(token.text))
            case "typed":
                raise GeographyError(
                    f"{token.text[:30]!r}: geometries and durations are not offered here."
                )
            case "word":
                return self._word(token)
            case _:
                self._at -= 1
                raise self._unexpected("a property, a value or a function")

    def _word(self, token: _Token) -> Expression:
        constants: dict[str, bool | None] = {"true": True, "false": False, "null": None}
        if token.text in constants:
            return Literal(constants[token.text])
        if token.text in _RESERVED:
            self._at -= 1
            raise self._unexpected("a property, a value or a function")
        if self._here.text == "(" and self._here.kind == "mark":
            self._at += 1
            return Call(token.text, self._arguments())
        return Path(tuple(token.text.split("/")))

    def _arguments(self) -> tuple[Expression, ...]:
        if self._mark(")"):
            return ()
        found = [self.disjunction()]
        while self._mark(","):
            found.append(self.disjunction())
        self._close()
        return tuple(found)

    def _close(self) -> None:
        if not self._mark(")"):
            raise self._unexpected("a closing bracket")

    def _mark(self, mark: str) -> bool:
        found = self._here.kind == "mark" and self._here.text == mark
        self._at += found
        return found

    def _takes(self, *words: str) -> str:
        here = self._here
        if here.kind == "word" and here.text in words:
            self._at += 1
            return here.text
        return ""

    @property
    def _here(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self, wanted: str) -> FilterRefusedError:
        here = self._here
        found = f"{here.text[:30]!r}" if here.kind != "end" else "the end"
        return FilterRefusedError(
            f"at character {here.place + 1} there should be {wanted}, and there is {found}."
        )


def _moment(text: str) -> dt.datetime:
    try:
        return read_moment(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError as error:
        raise FilterRefusedError(f"{text!r} {error}.") from error


def _number(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise FilterRefusedError(f"{text[:20]}… has too many digits.")
    if text.lstrip("-").isdecimal():
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise FilterRefusedError(f"{text} is too large.")
    return number


def write_filter(expression: Expression) -> str:
    """A text that reads as the same tree."""
    match expression:
        case Literal(value):
            return _write_literal(value)
        case Path(steps):
            return "/".join(steps)
        case Call(name, arguments):
            return f"{name}({','.join(map(write_filter, arguments))})"
        case Binary(word, left, right):
            return f"({write_filter(left)}) {word} ({write_filter(right)})"
        case Logic(word, operands):
            return f" {word} ".join(f"({write_filter(one)})" for one in operands)
        case Not(operand):
            return f"not ({write_filter(operand)})"


def _write_literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case dt.datetime():
            return say_moment(value)
        case _:
            return repr(value)
