"""Commands as engineers see them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.api.schemas import Moment
from services.core.storage.commands import CommandName, CommandState

Setting = int | float | bool | str
Args = Annotated[
    dict[str, Setting],
    Field(
        max_length=100,
        description="replay: epoch, from, to (both included). rebirth: none. configure: the device's own settings.",
        examples=[{"epoch": 7, "from": 1043, "to": 1044}],
    ),
]


class AskCommand(BaseModel):
    """What to ask of a device that has a connection of its own. There is no plant control."""

    name: CommandName = Field(
        description="What it is to do: send messages again, announce itself, take settings. `rotate` is refused: it is"
        " `alatau devices rotate`, which makes the secret.",
        examples=["replay"],
    )
    args: Args = Field(default_factory=dict)
    expires_in_seconds: float = Field(
        default=3600,
        ge=1,
        le=35 * 86_400,
        description="How long it is sent again while there is no answer.",
        examples=[3600],
    )


class Command(BaseModel):
    """What a device was asked, and how it went."""

    command_id: int = Field(
        description="Its number; `c-` before it is its id on the wire.", examples=[81]
    )
    device: str = Field(description="The device's id.", examples=["gw-gate-07"])
    name: str = Field(description="What was asked.", examples=["replay"])
    args: dict[str, Any] = Field(
        description="With which arguments; secrets are left out."
    )
    state: CommandState = Field(
        description="waiting: not sent yet; sent; done; refused: the device did not; expired: nobody answered.",
        examples=["done"],
    )
    asked_by: str = Field(description="Who asked.", examples=["dana"])
    asked_at: Moment = Field(description="When.")
    expires_at: Moment = Field(description="When it is given up.")
    sent_at: Moment | None = Field(description="When it was sent last; null: never.")
    attempts: int = Field(description="How often it was sent.", examples=[1])
    answered_at: Moment | None = Field(description="When its answer was stored.")
    ok: bool | None = Field(description="What the device says; null: nothing yet.")
    detail: str | None = Field(
        description="A sentence of the device.",
        examples=["2 of 2 messages are sent again"],
    )
