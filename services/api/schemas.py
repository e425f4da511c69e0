"""Pieces that the schemas of every face share."""

import datetime as dt
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

from services.api.moments import read_moment, say_moment

Item = TypeVar("Item")

Moment = Annotated[
    dt.datetime,
    PlainSerializer(say_moment, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "examples": ["2026-11-22T04:00:00.250Z"],
        }
    ),
]


def _read(value: object) -> object:
    return read_moment(value) if isinstance(value, str) else value


GivenMoment = Annotated[
    dt.datetime,
    BeforeValidator(_read),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Names(TypedDict):
    """A name in the city's three languages."""

    kk: Annotated[str, Field(description="Kazakh", examples=["Арна қосалқы станциясы"])]
    ru: Annotated[str, Field(description="Russian", examples=["Подстанция Арна"])]
    en: Annotated[str, Field(description="English", examples=["Arna substation"])]


LocalName = Annotated[
    Names | str,
    Field(
        description="{kk, ru, en}; with ?lang= the name in that language alone.",
        examples=[
            {
                "kk": "Арна қосалқы станциясы",
                "ru": "Подстанция Арна",
                "en": "Arna substation",
            }
        ],
    ),
]


class StateCode(BaseModel):
    """A code of a state (value: the number stored) or of bits (value: the bit's weight)."""

    value: int = Field(description="The number stored.", examples=[2])
    key: str = Field(
        description="The word devices send and observations show.", examples=["closed"]
    )
    name: LocalName
    abnormal: bool = Field(
        description="Whether it wants an operator's eye.", examples=[False]
    )


class Page(BaseModel, Generic[Item]):
    """Some of a list, and how to get the rest."""

    items: list[Item] = Field(description="This page, in a stable order.")
    next: str | None = Field(
        description="Give it as ?cursor= for the next page; null on the last one. The Link header has the whole address.",
        examples=["WzI4NDU3MjM5MzIsMTAwXQ"],
    )


class Word(BaseModel):
    """One sentence back."""

    detail: str = Field(description="What happened.")
