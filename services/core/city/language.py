"""PURE: names in the city's three languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or name in Kazakh, Russian and English; none may be empty."""

    kk: str
    ru: str
    en: str

    def __post_init__(self) -> None:
        for language in LANGUAGES:
            if not self.in_language(language).strip():
                raise ValueError(f"the text in {language!r} is empty")

    def in_language(self, language: Language) -> str:
        return {"kk": self.kk, "ru": self.ru, "en": self.en}[language]

    def as_dict(self) -> dict[str, str]:
        return {"kk": self.kk, "ru": self.ru, "en": self.en}

    @classmethod
    def from_mapping(cls, names: Mapping[str, str]) -> "Text":
        """A Text of a mapping with exactly the keys kk, ru, en.

        Raises:
            ValueError: a language is missing, empty or unknown.
        """
        if set(names) != set(LANGUAGES):
            raise ValueError(
                f"needs exactly kk, ru, en; has {', '.join(sorted(names)) or 'nothing'}"
            )
        return cls(**{language: names[language] for language in LANGUAGES})
