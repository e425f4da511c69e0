"""GET /relations."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import BadCursorError, documented
from services.api.operator.freshness import FreshForActor
from services.api.operator.relations.schemas import Relation
from services.api.operator.relations.store import Place, list_relations
from services.api.parameters import Pages, Paging
from services.api.schemas import Page
from services.core.city.entities import RelationKind

_KINDS: Final = tuple(RelationKind)
_LARGEST_ID: Final = 2**31 - 1

router = APIRouter(tags=["Things"], responses=documented(401, 422, 503))


@router.get("/relations", responses=documented(400), dependencies=[FreshForActor])
async def get_relations(
    scope: ReadScope,
    context: Context,
    pages: Pages,
    kind: Annotated[
        list[RelationKind] | None,
        Query(
            max_length=2, description="Only relations of this kind; may be repeated."
        ),
    ] = None,
) -> Page[Relation]:
    """What contains and feeds what, as far as this user may see both ends, by their ids."""
    async with context.database.reading() as connection:
        rows = await list_relations(connection, scope, kind, _place(pages), pages.rows)
    return pages.page(rows, lambda row: Relation(**row), _keys)


def _keys(row: Mapping[str, Any]) -> tuple[int, ...]:
    return row["source_thing_id"], row["target_thing_id"], _KINDS.index(row["kind"])


def _place(pages: Paging) -> Place:
    after = pages.after(3)
    if after is None:
        return 0, 0, ""
    source, target, kind = after
    if not (
        0 <= source <= _LARGEST_ID
        and 0 <= target <= _LARGEST_ID
        and 0 <= kind < len(_KINDS)
    ):
        raise BadCursorError
    return source, target, _KINDS[kind]
