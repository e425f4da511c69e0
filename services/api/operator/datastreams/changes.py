"""GET /datastreams/{key}/changes: what was known before a value was merged or corrected."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.api.auth.permissions import Scope
from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.operator.datastreams.store import find_datastream
from services.api.parameters import End, Key, Pages, Start
from services.api.schemas import Moment, Page
from services.api.series.ranges import Range
from services.api.series.reading import raw_range
from services.core.storage.pool import Connection

Row = Mapping[str, Any]

_CHANGES: Final = """
SELECT c.change_id, c.phenomenon_time, c.old, c.new, c.known_at, c.who, c.why
FROM datastream_slots s
JOIN observation_changes c ON c.frame_id = s.frame_id AND c.slot = s.slot
                          AND c.phenomenon_time >= s.valid_from AND c.phenomenon_time < s.valid_to
WHERE s.datastream_id = $1 AND c.phenomenon_time >= $2 AND c.phenomenon_time < $3 AND c.change_id > $4
ORDER BY c.change_id LIMIT $5
"""

router = APIRouter(tags=["Datastreams"], responses=documented(401, 404, 422, 503))


class Change(BaseModel):
    """One value of the past that became another. Values are numbers as stored: of a state the code's number."""

    change_id: int = Field(description="Its number, in the order in which we knew.")
    phenomenon_time: Moment = Field(description="The time that the value is about.")
    old: float | None = Field(
        description="What was known before; null: nothing.", examples=[230.4]
    )
    new: float | None = Field(description="What is known since.", examples=[231.0])
    known_at: Moment = Field(description="Since when.")
    who: str = Field(description="The publisher that said so.", examples=["gw-gate-07"])
    why: str = Field(
        description="merged: nothing was known for this channel; corrected: the publisher revised it.",
        examples=["corrected"],
    )


@router.get("/datastreams/{key}/changes", responses=documented(400))
async def get_changes(
    key: Key, start: Start, end: End, scope: ReadScope, context: Context, pages: Pages
) -> Page[Change]:
    """What was known before: values of this time range (31 days at most) that were merged or corrected afterwards."""
    within = raw_range(start, end)
    async with context.database.reading() as connection:
        rows = await _changes(connection, scope, key, within, pages)
    return pages.page(rows, lambda row: Change(**row), lambda row: (row["change_id"],))


async def _changes(
    connection: Connection, scope: Scope, key: str, within: Range, pages: Pages
) -> list[Row]:
    found = await find_datastream(connection, scope, key)
    if found is None:
        raise NotFoundError(f"There is no datastream {key!r} that you may see.")
    rows: list[Row] = await connection.fetch(
        _CHANGES,
        found["datastream_id"],
        within.start,
        within.end,
        pages.after_id,
        pages.rows,
    )
    return rows
