"""What login takes and gives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.api.auth.permissions import Role
from services.api.schemas import Moment

_Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=200)]


class Credentials(BaseModel):
    """A user's name and password."""

    model_config = ConfigDict(extra="forbid")

    name: _Text = Field(description="The user's name.", examples=["operator"])
    password: _Text = Field(
        description="The user's password.", examples=["correct horse battery staple"]
    )


class Me(BaseModel):
    """The user of this session."""

    name: str = Field(description="The user's name.", examples=["operator"])
    role: Role = Field(
        description="viewer < operator < engineer < admin.", examples=["operator"]
    )
    domains: list[str] | None = Field(
        description="Domains the user may see and act in; null: all.", examples=[None]
    )
    districts: list[str] | None = Field(
        description="Districts, likewise.", examples=[["gate", "golden"]]
    )
    expires_at: Moment = Field(description="When the session ends.")


class LoggedIn(BaseModel):
    """A new session."""

    token: str = Field(
        description="Send it as `Authorization: Bearer …`. It is shown once and cannot be read again.",
        examples=["6JYv1f6P0b2n9sYF7rV4kq3Zk8mB5tXwQe1uH0aLcDg"],
    )
    token_type: str = Field(description="Always bearer.", examples=["bearer"])
    expires_at: Moment = Field(description="When the session ends.")
    user: Me = Field(description="Who has logged in.")
