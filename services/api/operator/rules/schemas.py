"""Rules as operators see them."""

from typing import Any

from pydantic import BaseModel, Field

from services.api.schemas import Moment


class Rule(BaseModel):
    """What raises alerts."""

    key: str = Field(description="Its stable key.", examples=["water-main-burst"])
    version: int = Field(description="Rises with every change.", examples=[1])
    enabled: bool = Field(description="Whether it is evaluated.", examples=[True])
    document: dict[str, Any] = Field(description="The whole rule, as its YAML says it.")
    retired_at: Moment | None = Field(
        description="When it was taken out of the rulebook."
    )


class Rules(BaseModel):
    """All rules."""

    items: list[Rule] = Field(description="By key.")
