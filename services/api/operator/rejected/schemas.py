"""Rejected messages as operators see them, and what engineers do about them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.api.parameters import KEY_PATTERN
from services.api.schemas import GivenMoment, Moment
from services.core.broker.topics import up_topic
from services.core.reasons import Reason

State = Literal["open", "replayed", "dismissed"]
Kind = Literal["channel", "range", "device", "host"]
_Key = Annotated[str, Field(pattern=KEY_PATTERN)]
_Name = Annotated[str, Field(min_length=1, max_length=1000)]
_Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


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
        description="Length of the raw message; null: it is told with the message's first refusal.",
        examples=[512],
    )
    state: State = Field(
        description="open; replayed: read again, and nothing of it is left; dismissed: nothing will mend it.",
        examples=["open"],
    )
    attempts: int = Field(
        description="How many replays refused it again.", examples=[0]
    )
    replay_id: int | None = Field(
        description="The last replay that read it.", examples=[4]
    )
    settled_at: Moment | None = Field(
        description="When it was replayed or dismissed.",
        examples=["2026-11-22T05:00:00Z"],
    )
    settled_by: str | None = Field(description="By whom.", examples=["aigerim"])
    note: str | None = Field(description="Why, or what stood in a replay's way.")


class RejectedGroup(BaseModel):
    """How much of one device and channel was refused for one reason."""

    reason: Reason = Field(description="Why.", examples=["unknown_channel"])
    publisher: str = Field(description="Who sent it.", examples=["gw-gate-07"])
    device: str = Field(
        description="The device it is about; the publisher itself where none was named.",
        examples=["meter-00017"],
    )
    channel: str | None = Field(
        description="The channel it is about.", examples=["U_L1"]
    )
    refused: int = Field(description="How many.", examples=[412])
    open: int = Field(description="How many of them are open.", examples=[400])
    first_at: Moment = Field(description="When the oldest came.")
    last_at: Moment = Field(description="When the newest came.")
    newest_id: int = Field(description="The newest of them.", examples=[4711])
    detail: str = Field(
        description="What the newest says.",
        examples=["voltage_l1: 9999 is outside 0 … 500"],
    )


class RejectedFlood(BaseModel):
    """What came beyond the refusals that are kept of a publisher in an hour."""

    publisher: str = Field(description="Who sent it.", examples=["gw-gate-07"])
    reason: Reason = Field(description="Why it was refused.", examples=["malformed"])
    refused: int = Field(description="How many, by hours.", examples=[250_000])


class RejectedCounts(BaseModel):
    """Refusals by reason and device."""

    groups: list[RejectedGroup] = Field(
        description="Most open first; 500 at most.", max_length=500
    )
    floods: list[RejectedFlood] = Field(
        description="Counted, and not kept one by one.", max_length=500
    )


class Chosen(BaseModel):
    """Which open refusals: at least one of ids, reasons, publishers, devices or channels."""

    model_config = ConfigDict(extra="forbid")

    ids: list[_Id] | None = Field(
        default=None, min_length=1, max_length=1000, description="These refusals."
    )
    reasons: list[Reason] | None = Field(
        default=None, min_length=1, max_length=30, description="With these reasons."
    )
    publishers: list[_Key] | None = Field(
        default=None, min_length=1, max_length=100, description="Of these publishers."
    )
    devices: list[_Name] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Hosted devices, or publishers where no device was named.",
    )
    channels: list[_Name] | None = Field(
        default=None, min_length=1, max_length=100, description="Of these channels."
    )
    start: GivenMoment | None = Field(
        default=None, description="Received from then on; by default 31 days ago."
    )
    end: GivenMoment | None = Field(
        default=None, description="Received before then; by default now."
    )

    @model_validator(mode="after")
    def _names_something(self) -> "Chosen":
        if not any(
            (self.ids, self.reasons, self.publishers, self.devices, self.channels)
        ):
            raise ValueError("name ids, reasons, publishers, devices or channels")
        return self


class Dismissal(Chosen):
    """Open refusals that nothing will mend."""

    note: str | None = Field(default=None, max_length=500, description="Why.")


class Dismissed(BaseModel):
    """How many left the open list."""

    dismissed: int = Field(description="Refusals.", examples=[12])


class Replay(BaseModel):
    """Refused messages that are read again, and what became of them."""

    replay_id: int = Field(description="Its number.", examples=[4])
    chosen: dict[str, Any] = Field(
        description="What was asked for.", examples=[{"reasons": ["unknown_channel"]}]
    )
    from_time: Moment = Field(description="Received from then on.")
    to_time: Moment = Field(description="Received before then.")
    asked_by: str = Field(description="Who asked for it.", examples=["aigerim"])
    asked_at: Moment = Field(description="When.")
    finished_at: Moment | None = Field(
        description="When it was done; null: it is not.",
        examples=["2026-11-22T05:00:00Z"],
    )
    messages: int = Field(description="Messages read again.", examples=[400])
    mended: int = Field(
        description="Refusals of which nothing is left.", examples=[398]
    )
    refused: int = Field(description="Refusals that came again.", examples=[1])
    lost: int = Field(description="Refusals that cannot be read again.", examples=[1])


class Remedy(BaseModel):
    """What would mend a refusal's cause."""

    kind: Kind | None = Field(
        description=(
            "channel: say which channel the unknown name means; range: widen the hard range; device: register "
            "it; host: let the gateway speak for it. null: nothing in the registry would mend it."
        ),
        examples=["channel"],
    )
    facts: dict[str, Any] = Field(
        description="What there is to choose from.",
        examples=[
            {
                "device_type": "meter",
                "alias": "U_L1",
                "channels": ["voltage"],
                "suggested": "voltage",
            }
        ],
    )


class Mend(BaseModel):
    """With the kind of the refusal's remedy: what was chosen."""

    model_config = ConfigDict(extra="forbid")

    channel: _Name | None = Field(
        default=None, description="channel: the one that the unknown name means."
    )
    low: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="range: the new lower end, in the canonical unit.",
    )
    high: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="range: the new upper end, in the canonical unit.",
    )
    device_type: _Key | None = Field(
        default=None, description="device: the type it is of."
    )
    thing: _Key | None = Field(
        default=None, description="device: the thing it observes."
    )
    tie: Literal[True] | None = Field(
        default=None, description="host: let the gateway speak for the device."
    )


class Mended(BaseModel):
    """What was written."""

    kind: Kind = Field(description="As in the remedy.", examples=["channel"])
    revision: int = Field(description="The registry's revision now.", examples=[18])
    replay: dict[str, Any] = Field(
        description="POST it to /replays: the refusals that this was the cause of.",
        examples=[{"reasons": ["unknown_channel"], "channels": ["U_L1"]}],
    )
