"""The ledger as operators see it."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field

from services.api.schemas import Moment


class GapState(StrEnum):
    OPEN = "open"
    LOST = "lost"
    CLOSED = "closed"


class Account(BaseModel):
    """Items by fate: received = stored + merged + duplicate + rejected + waiting."""

    received: int = Field(description="Items read from the broker.", examples=[120034])
    stored: int = Field(description="Stored as a row of their own.", examples=[119980])
    merged: int = Field(
        description="Merged into a row of the same time.", examples=[12]
    )
    duplicate: int = Field(description="Already stored, the same.", examples=[40])
    rejected: int = Field(description="Refused; see rejected messages.", examples=[2])
    waiting: int = Field(
        description="Read from the broker, not yet committed.", examples=[0]
    )
    rejected_values: int = Field(
        description="Refused values of items that were stored.", examples=[3]
    )


class Numbering(BaseModel):
    """Numbered messages, over all boot epochs: numbers = messages + missing + lost."""

    numbers: int = Field(
        description="Highest minus lowest number, plus one, of each epoch.",
        examples=[4711],
    )
    messages: int = Field(
        description="Distinct messages that came, counted as they came.",
        examples=[4709],
    )
    missing: int = Field(description="Numbers that may still come.", examples=[2])
    lost: int = Field(
        description="Numbers that the publisher no longer has.", examples=[0]
    )


class DeviceAccount(Account):
    """The account of one publisher."""

    device: str | None = Field(
        description="Its device id; null: publishers that are not in the registry.",
        examples=["gw-gate-07"],
    )
    messages: Numbering | None = Field(
        description="What it numbered; null: it does not number, or nothing is folded yet."
    )


class Violation(BaseModel):
    """Where the law does not hold."""

    device: str | None = Field(
        description="The publisher; null: one that is not in the registry, or the whole.",
        examples=["gw-gate-07"],
    )
    epoch: int | None = Field(description="The boot epoch, where it is about numbers.")
    what: Literal["fates", "messages", "gaps", "log"] = Field(
        description="fates: received is not the sum of the fates. messages: numbers are not messages, missing and lost."
        " gaps: what is recorded does not fit the numbers. log: history folded other items than ingest logged.",
        examples=["fates"],
    )
    difference: int = Field(description="By how much.", examples=[1])


class Balance(BaseModel):
    """What became of every item received."""

    total: Account = Field(description="Of the whole city.")
    messages: Numbering = Field(description="What publishers numbered.")
    balanced: bool = Field(
        description="Whether every account adds up.", examples=[True]
    )
    violations: list[Violation] = Field(description="Where not; at most 500.")


class Ledger(Balance):
    """What became of every item received, by publisher."""

    devices: list[DeviceAccount] = Field(description="By publisher.")


class PublisherAccount(DeviceAccount):
    """The account of one publisher, and what of its numbers is not there."""

    publisher_id: int = Field(
        description="Its device's id; 0: all that are not in the registry.",
        examples=[118],
    )
    last_seen: Moment | None = Field(description="When we last stored something of it.")
    gaps: int = Field(description="Recorded gaps that are open.", examples=[1])
    balanced: bool = Field(description="Whether it adds up.", examples=[True])


class Gap(BaseModel):
    """Numbers of a publisher that did not come for a while."""

    device: str | None = Field(description="The publisher.", examples=["gw-gate-07"])
    epoch: int = Field(
        description="Its boot epoch; -1: all but the 32 it used last, what they missed summed up as 1 to to_seq.",
        examples=[7],
    )
    from_seq: int = Field(description="The first number.", examples=[1043])
    to_seq: int = Field(description="The last number.", examples=[1044])
    state: GapState = Field(
        description="open: they may still come. lost: the publisher no longer has them. closed: they came after all."
    )
    recorded_at: Moment = Field(description="When it was recorded.")
    closed_at: Moment | None = Field(description="When it was closed.")
