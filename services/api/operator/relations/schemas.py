"""Relations as operators see them."""

from pydantic import BaseModel, Field

from services.core.city.entities import RelationKind


class Relation(BaseModel):
    """A line between two things, by their keys."""

    kind: RelationKind = Field(
        description="contains: the target stands inside the source; feeds: it is supplied by it.",
        examples=["feeds"],
    )
    source: str = Field(
        description="Key of the thing it goes out from.", examples=["yntymak-pump-1"]
    )
    target: str = Field(
        description="Key of the thing it goes to.", examples=["gate-reservoir-1"]
    )
