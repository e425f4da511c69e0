"""Alerts as operators see them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.api.schemas import LocalName, Moment
from services.core.alerting.alert import AlertClass, AlertState, Severity


class Acknowledged(BaseModel):
    """An operator's word on an alert."""

    at: Moment = Field(description="When.")
    by: str = Field(description="Name of the user.", examples=["operator"])
    version: int = Field(
        description="Version of the alert the operator saw.", examples=[2]
    )
    note: str | None = Field(
        description="What the operator wrote.", examples=["Crew is on its way."]
    )


class Alert(BaseModel):
    """One episode: from the condition's beginning to its end."""

    alert_id: int = Field(
        description="Id of the episode, never reused.", examples=[311]
    )
    fingerprint: str = Field(
        description="Identity by labels; the same for every episode of the same trouble.",
        examples=["5d1c0c7e3f0a4c7d9a1b2c3d4e5f6071"],
    )
    version: int = Field(
        description="Rises with every change; acknowledge names it.", examples=[2]
    )
    state: AlertState = Field(
        description="pending, firing, resolved, or inactive (passed before it fired).",
        examples=["firing"],
    )
    severity: Severity = Field(
        description="critical, high, medium or low.", examples=["high"]
    )
    alert_class: AlertClass = Field(
        alias="class",
        description="process (the city), equipment (what measures it) or platform (ourselves).",
        examples=["process"],
    )
    rule: str = Field(
        description="Key of the rule that raised it.", examples=["water-main-burst"]
    )
    labels: dict[str, str] = Field(
        description="What makes it the alert it is.",
        examples=[{"rule": "water-main-burst", "thing": "gate-main-3"}],
    )
    domain: str = Field(description="The domain it is about.", examples=["water"])
    district: str | None = Field(
        description="Key of the district; null: the whole city.", examples=["gate"]
    )
    thing: str | None = Field(
        description="Key of the thing it is about.", examples=["gate-main-3"]
    )
    datastream: str | None = Field(
        description="Key of the datastream that brought it here.",
        examples=["gate-main-3.pressure"],
    )
    value: float | None = Field(
        description="The value that brought it here, in the datastream's unit.",
        examples=[1.7],
    )
    cause: LocalName
    consequence: LocalName
    action: LocalName
    respond_within: str = Field(
        description="ISO 8601 duration: how long the consequence leaves.",
        examples=["PT15M"],
    )
    starts_at: Moment = Field(description="When the condition became true.")
    detected_at: Moment | None = Field(description="When it fired.")
    ends_at: Moment | None = Field(description="When the condition ended.")
    acknowledged: Acknowledged | None = Field(
        description="Who acknowledged it; void when severity rises."
    )
    in_inbox: bool = Field(
        description="Whether it wants an operator: firing, or resolved before anybody acknowledged it.",
        examples=[True],
    )
    updated_at: Moment = Field(description="When it last changed.")

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)


class JournalEntry(BaseModel):
    """One step in the life of an alert."""

    at: Moment = Field(description="When.")
    action: str = Field(
        description="A state, acknowledged, or acknowledgement_void.",
        examples=["firing"],
    )
    actor: str = Field(
        description="rule:<key>, or the name of a user.",
        examples=["rule:water-main-burst"],
    )
    version: int = Field(description="The alert's version after it.", examples=[2])
    reason: str = Field(description="Why, as a word.", examples=["held"])
    value: float | None = Field(
        description="The value that brought it about.", examples=[1.7]
    )
    note: str | None = Field(description="What the operator wrote.", examples=[None])


class Journal(BaseModel):
    """The whole life of an alert so far."""

    items: list[JournalEntry] = Field(description="In the order it happened.")


class Acknowledge(BaseModel):
    """An operator has seen the alert, at this version."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(
        description="The alert's version as the operator saw it.",
        ge=1,
        le=2**31 - 1,
        examples=[2],
    )
    note: (
        Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=2000)] | None
    ) = Field(
        default=None,
        description="What to remember of it.",
        examples=["Crew is on its way."],
    )
