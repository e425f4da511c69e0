"""PURE: label matchers as Alertmanager writes them: thing="arna", district!="gate", thing=~"arna-.*", kind!~"pump|well"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_MATCHER: Final = re.compile(
    r'\s*(?P<label>[a-z_]+)\s*(?P<operator>=~|!~|!=|=)\s*"(?P<value>[^"]*)"\s*'
)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label that is absent counts as empty. A pattern has to match the whole value."""

    label: str
    operator: str
    value: str
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = re.compile(self.value) if self.operator in ("=~", "!~") else None
        object.__setattr__(self, "_pattern", pattern)

    def matches(self, labels: Mapping[str, str]) -> bool:
        held = labels.get(self.label, "")
        if self._pattern is not None:
            return (self._pattern.fullmatch(held) is not None) == (
                self.operator == "=~"
            )
        return (held == self.value) == (self.operator == "=")


def parse_matcher(text: str) -> Matcher:
    """The matcher of its text.

    Raises:
        ValueError: it has another shape, or its pattern is not a regular expression.
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f'{text!r} is not like thing=~"arna-.*"')
    try:
        return Matcher(found["label"], found["operator"], found["value"])
    except re.error as error:
        raise ValueError(
            f"{found['value']!r} is not a regular expression: {error}"
        ) from error
