"""PURE: reading the mappings of a city file field by field; what is wrong is noted with its place, not raised."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from services.core.city.catalogue import Span
from services.core.city.language import Text
from services.core.city.near import near

Made = TypeVar("Made")
Choice = TypeVar("Choice", bound=StrEnum)

# A dict is told from others in a tenth of the time that a Mapping is, and there may be millions.
MAPPINGS: Final = (dict, Mapping)
_REQUIRED: Final = object()
_DURATION: Final = re.compile(r"^(\d{1,9}) ?(ms|s|min|h|d)$")
_MILLISECONDS: Final = {
    "ms": 1,
    "s": 1000,
    "min": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
}
_NO_TEXT: Final = Text("—", "—", "—")


class Entry(dict[str, Any]):
    """A mapping that knows its file and line."""

    place = ""


@dataclass(frozen=True, slots=True)
class Notes:
    """What reading found: problems forbid the file, warnings do not."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def duration(text: str) -> dt.timedelta:
    """500ms, 5s, 15min, 1h, 35d.

    Raises:
        ValueError: it is not one of these.
    """
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration (500ms, 5s, 15min, 1h, 35d)")
    return dt.timedelta(milliseconds=int(match[1]) * _MILLISECONDS[match[2]])


class Fields:
    """One mapping. A getter that finds nothing usable notes why and returns a harmless value; build() then refuses."""

    def __init__(self, raw: object, name: str, notes: Notes) -> None:
        self._raw: Mapping[str, Any] = raw if isinstance(raw, MAPPINGS) else {}
        self._used: set[str] = set()
        self._notes = notes
        self._before = len(notes.problems)
        self.name, self.line = name, str(getattr(raw, "place", ""))
        if not isinstance(raw, MAPPINGS):
            self.wrong(f"needs a mapping, is {raw!r}")

    def wrong(self, message: str, field: str = "") -> None:
        self._notes.problems.append(
            ": ".join(part for part in (self.line, self.name, field, message) if part)
        )

    def build(self, make: Callable[[], Made]) -> Made | None:
        """What make() builds; None when a field was wrong, a field is unknown, or it cannot be built."""
        for unknown in sorted(self._raw.keys() - self._used):
            self.wrong(
                f"is not a field here{near(str(unknown), self._used)}", str(unknown)
            )
        if len(self._notes.problems) > self._before:
            return None
        try:
            return make()
        except ValueError as error:
            self.wrong(str(error))
            return None

    def take(self, field: str, default: Any = _REQUIRED) -> Any:
        self._used.add(field)
        value = self._raw.get(field)
        if value is None:
            if default is _REQUIRED:
                self.wrong("is missing", field)
                return None
            return default
        return value

    def has(self, field: str) -> bool:
        return self._raw.get(field) is not None

    def _typed(
        self, field: str, kind: type[Made], wanted: str, default: Any, harmless: Made
    ) -> Made:
        value = self.take(field, default)
        if isinstance(value, kind) and not (
            isinstance(value, bool) and kind is not bool
        ):
            return value
        if value is not None:
            self.wrong(f"needs {wanted}, is {value!r}", field)
        return harmless

    def text(self, field: str, default: Any = _REQUIRED) -> str:
        return self._typed(field, str, "a text", default, "")

    def optional_text(self, field: str) -> str | None:
        return self.text(field) if self.has(field) else self.take(field, None)

    def flag(self, field: str, *, default: bool) -> bool:
        return self._typed(field, bool, "true or false", default, harmless=False)

    def integer(self, field: str) -> int:
        return self._typed(field, int, "a whole number", _REQUIRED, 0)

    def optional_number(self, field: str) -> float | None:
        if not self.has(field):
            return self.take(field, None)  # type: ignore[no-any-return] # None
        raw = self.take(field)
        if _is_bound(raw):
            return float(raw)
        self.wrong(f"needs a number, is {raw!r}", field)
        return None

    def mapping(self, field: str) -> Mapping[str, Any]:
        return self._typed(field, Mapping, "a mapping", {}, {})  # type: ignore[type-abstract]

    def texts(self, field: str) -> tuple[str, ...]:
        raw = self.take(field, ())
        if (
            isinstance(raw, Sequence)
            and not isinstance(raw, str)
            and all(isinstance(item, str) for item in raw)
        ):
            return tuple(raw)
        self.wrong(f"needs a list of texts, is {raw!r}", field)
        return ()

    def span(self, field: str) -> Span:
        """[minimum, maximum]; null is open."""
        raw = self.take(field, (None, None))
        try:
            match raw:
                case [low, high] if all(_is_bound(bound) for bound in raw):
                    return Span(low, high)
            self.wrong(f"needs [minimum, maximum], is {raw!r}", field)
        except ValueError as error:
            self.wrong(str(error), field)
        return Span()

    def choice(
        self, field: str, choices: type[Choice], default: str | None = None
    ) -> Choice:
        raw = self.take(field, default or _REQUIRED)
        try:
            return choices(raw)
        except ValueError:
            if raw is not None:
                self.wrong(f"{raw!r} is not one of {', '.join(choices)}", field)
            return next(iter(choices))

    def names(self, field: str) -> Text:
        raw = self.take(field)
        try:
            if raw is not None:
                return Text.from_mapping(raw)
        except (ValueError, TypeError, AttributeError) as error:
            self.wrong(str(error), field)
        return _NO_TEXT

    def duration(self, field: str, default: Any = _REQUIRED) -> dt.timedelta:
        """More than nothing; nothing only where the default is an empty text."""
        text = self.text(field, default)
        try:
            length = duration(text) if text else dt.timedelta(0)
        except ValueError as error:
            self.wrong(str(error), field)
            return dt.timedelta(0)
        if not length and (text or self._raw.get(field) == ""):
            self.wrong("must be more than nothing", field)
        return length


def _is_bound(raw: object) -> bool:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return math.isfinite(raw)
    return raw is None
