"""GET /rejected-messages, /rejected-messages/{rejected_id}, …/payload."""

import datetime as dt
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from services.api.auth.permissions import scope_of
from services.api.auth.session import PayloadReader, RejectedReader
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.operator.rejected.schemas import RejectedMessage
from services.api.operator.rejected.store import (
    RejectedFilter,
    find_payload,
    find_rejected,
    list_rejected,
)
from services.api.parameters import KEY_PATTERN, Pages
from services.api.schemas import GivenMoment, Page
from services.api.series.ranges import LONGEST_RAW
from services.api.series.reading import time_range
from services.core.reasons import Reason

_ONE_DAY: Final = dt.timedelta(days=1)
_A_MINUTE: Final = dt.timedelta(minutes=1)
RejectedId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The id.")]

router = APIRouter(
    tags=["Rejected messages and ledger"], responses=documented(401, 403, 422, 503)
)


class _Chosen:
    """Which refusals a list is about, and when they came."""

    def __init__(
        self,
        *,
        reason: Annotated[
            list[Reason] | None,
            Query(max_length=30, description="Only for this reason; may be repeated."),
        ] = None,
        publisher: Annotated[
            list[Annotated[str, Query(pattern=KEY_PATTERN)]] | None,
            Query(
                max_length=100,
                description="Only of this publisher (its device id); may be repeated.",
            ),
        ] = None,
        scope: Annotated[
            list[Literal["message", "item", "value"]] | None,
            Query(max_length=3, description="Only of this size; may be repeated."),
        ] = None,
        start: Annotated[
            GivenMoment | None,
            Query(description="Received from then on; by default a day before end."),
        ] = None,
        end: Annotated[
            GivenMoment | None,
            Query(description="Received before then; by default now. At most 31 days."),
        ] = None,
    ) -> None:
        self._kinds = (reason, publisher, scope)
        self._start = start
        self._end = end

    def at(self, now: dt.datetime) -> RejectedFilter:
        """Raises BadRangeError."""
        # A clock that is a little behind the database's must not hide what has just come.
        end = self._end or now + _A_MINUTE
        start = self._start or end - _ONE_DAY
        within = time_range(start, end, LONGEST_RAW, "The list of refusals")
        return RejectedFilter(within.start, within.end, *self._kinds)


@router.get("/rejected-messages", responses=documented(400))
async def get_rejected_messages(
    actor: RejectedReader,
    context: Context,
    pages: Pages,
    chosen: Annotated[_Chosen, Depends()],
) -> Page[RejectedMessage]:
    """What was refused and why, newest first."""
    wanted, before = chosen.at(context.clock.now()), pages.after(1)
    async with context.database.reading() as connection:
        rows = await list_rejected(
            connection,
            scope_of(actor),
            wanted,
            before[0] if before else None,
            pages.rows,
        )
    return pages.page(
        rows, lambda row: RejectedMessage(**row), lambda row: (row["rejected_id"],)
    )


@router.get("/rejected-messages/{rejected_id}", responses=documented(404))
async def get_rejected_message(
    rejected_id: RejectedId, actor: RejectedReader, context: Context
) -> RejectedMessage:
    """One refusal."""
    async with context.database.reading() as connection:
        row = await find_rejected(connection, scope_of(actor), rejected_id)
    if row is None:
        raise _not_found(rejected_id)
    return RejectedMessage(**row)


@router.get(
    "/rejected-messages/{rejected_id}/payload",
    response_class=Response,
    responses={
        **documented(404),
        200: {
            "description": "The bytes as they came.",
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary"}
                }
            },
        },
    },
)
async def get_rejected_payload(
    rejected_id: RejectedId, actor: PayloadReader, context: Context
) -> Response:
    """The raw message as it came, byte for byte. It may hold data of households: engineers only."""
    payload: Any = None
    async with context.database.reading() as connection:
        row = await find_rejected(connection, scope_of(actor), rejected_id)
        if row is not None:
            payload = await find_payload(connection, row)
    if payload is None:
        raise _not_found(rejected_id)
    return Response(
        payload,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="rejected-{rejected_id}.bin"'
        },
    )


def _not_found(rejected_id: int) -> NotFoundError:
    return NotFoundError(f"There is no refusal {rejected_id} that you may see.")
