"""The ledger as operators see it."""

from pydantic import BaseModel, Field


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
        description="Read, not yet committed; known in total only.", examples=[0]
    )
    rejected_values: int = Field(
        description="Refused values of items that were stored.", examples=[3]
    )


class DeviceAccount(Account):
    """The account of one publisher."""

    device: str | None = Field(
        description="Its device id; null: publishers that are not in the registry.",
        examples=["gw-gate-07"],
    )


class Ledger(BaseModel):
    """What became of every item received."""

    total: Account = Field(description="Of the whole city.")
    balanced: bool = Field(
        description="Whether every account adds up.", examples=[True]
    )
    devices: list[DeviceAccount] = Field(description="By publisher.")
