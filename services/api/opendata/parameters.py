"""Query parameters of the open doors."""

from typing import Annotated

from fastapi import Query

from services.api.parameters import KEY_PATTERN

Datasets = Annotated[
    list[Annotated[str, Query(pattern=KEY_PATTERN)]] | None,
    Query(
        alias="dataset",
        max_length=20,
        description="Only of this dataset (its identifier, which is the domain); may be repeated.",
        examples=[["environment"]],
    ),
]
