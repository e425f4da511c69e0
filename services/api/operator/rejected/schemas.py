"""Rejected messages as operators see them."""

from typing import Literal

from pydantic import BaseModel, Field

from services.api.schemas import Moment
from services.core.broker.topics import up_topic
from services.core.reasons import Reason


class RejectedMessage(BaseModel):
    """One thing that was refused: a message, an item of it, or a value of an item that was stored."""

    rejected_id: int = Field(description="Its id.", examples=[88])
    received_at: Moment = Field(description="When it came.")
    scope: Literal["message", "item", "value"] = Field(
        description="How much of the message was refused.", examples=["value"]
    )
    reason: Reason = Field(
        description="Why; the same word in the receipt, metrics and logs.",
        examples=["range"],
    )
    detail: str = Field(
        description="One sentence for the device's maker.",
        examples=["voltage_l1: 9999 is outside 0 … 500"],
    )
    topic: str = Field(
        description="The topic it came on.", examples=[up_topic("gw-gate-07", "data")]
    )
    publisher: str = Field(
        description="Device id from the topic.", examples=["gw-gate-07"]
    )
    device: str | None = Field(
        description="The hosted device it is about.", examples=["meter-00017"]
    )
    channel: str | None = Field(
        description="The channel it is about.", examples=["voltage_l1"]
    )
    item_index: int | None = Field(
        description="Place of the item in its message.", examples=[0]
    )
    epoch: int | None = Field(description="The publisher's boot epoch.", examples=[7])
    seq: int | None = Field(description="The message's number.", examples=[1042])
    payload_bytes: int | None = Field(
        description="Length of the raw message; null: it is kept with the message's first refusal.",
        examples=[512],
    )
