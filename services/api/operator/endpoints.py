"""GET /api/v1: where to begin; it needs no session and tells nothing of the city."""

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

_DOORS: Final = (
    "users/me",
    "city",
    "districts",
    "observed-properties",
    "things",
    "relations",
    "devices",
    "datastreams",
    "observations",
    "observations/buckets",
    "latest",
    "alerts",
    "rules",
    "rejected-messages",
    "rejected-messages/counts",
    "rejected-messages/dismissals",
    "replays",
    "ledger",
    "ledger/balance",
    "ledger/publishers",
    "gaps",
    "live/latest",
    "live/alerts",
)

router = APIRouter(prefix="/api/v1", tags=["Users and sessions"])


class Beginning(BaseModel):
    """How to get in, and what is behind the door."""

    login: str = Field(
        description="POST a name and a password here; it gives a token.",
        examples=["/api/v1/login"],
    )
    documentation: str = Field(
        description="Every address with examples.", examples=["/docs"]
    )
    doors: list[str] = Field(
        description="What a session may read.", examples=[["/api/v1/things"]]
    )


@router.get("")
async def get_beginning() -> Beginning:
    """Where to log in, and what there is."""
    return Beginning(
        login="/api/v1/login",
        documentation="/docs",
        doors=[f"/api/v1/{door}" for door in _DOORS],
    )
