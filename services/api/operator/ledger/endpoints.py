"""GET /ledger, /ledger/balance, /ledger/publishers, /gaps."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.auth.permissions import WHOLE_CITY, Action
from services.api.auth.session import LedgerReader, require
from services.api.context import Context
from services.api.failures import BadCursorError, documented
from services.api.operator.ledger.schemas import (
    Balance,
    Gap,
    GapState,
    Ledger,
    Numbering,
    PublisherAccount,
)
from services.api.operator.ledger.store import (
    GapFilter,
    PublisherFilter,
    Row,
    list_gaps,
    list_publishers,
)
from services.api.parameters import KEY_PATTERN, Pages, Words
from services.api.schemas import GivenMoment, Page
from services.core.storage.ledger import read_balance, read_ledger

_LARGEST_ID = 2**31 - 1

router = APIRouter(
    tags=["Rejected messages and ledger"], responses=documented(401, 403, 503)
)


@router.get("/ledger")
async def get_ledger(actor: LedgerReader, context: Context) -> Ledger:
    """What became of every item received, in one snapshot; the same as `alatau ledger --json`.

    It is about the whole city, so it needs a user whose domains and districts are not limited.
    """
    require(actor, Action.READ_LEDGER, WHOLE_CITY)
    async with context.database.reading() as connection:
        ledger = await read_ledger(connection)
    return Ledger.model_validate(ledger.as_dict())


@router.get("/ledger/balance")
async def get_balance(actor: LedgerReader, context: Context) -> Balance:
    """The whole city's account alone, for who asks often."""
    require(actor, Action.READ_LEDGER, WHOLE_CITY)
    async with context.database.reading() as connection:
        balance = await read_balance(connection)
    return Balance.model_validate(balance.as_dict())


@router.get("/ledger/publishers", responses=documented(400, 422))
async def get_publishers(
    actor: LedgerReader,
    context: Context,
    pages: Pages,
    q: Words = None,
    unbalanced: Annotated[
        bool, Query(description="Only where the law does not hold.")
    ] = False,
    with_gaps: Annotated[
        bool, Query(description="Only those that miss or lost something.")
    ] = False,
) -> Page[PublisherAccount]:
    """Accounts by publisher, by id, as of what history has folded: a second old at most, and nothing waits."""
    require(actor, Action.READ_LEDGER, WHOLE_CITY)
    after = pages.after(1)
    chosen = PublisherFilter(q, unbalanced, with_gaps)
    async with context.database.reading() as connection:
        rows = await list_publishers(
            connection, chosen, _id(after) if after else None, pages.rows
        )
    return pages.page(rows, _publisher, lambda row: (row["publisher_id"],))


@router.get("/gaps", responses=documented(400, 422))
async def get_gaps(
    actor: LedgerReader,
    context: Context,
    pages: Pages,
    device: Annotated[
        list[Annotated[str, Query(pattern=KEY_PATTERN)]] | None,
        Query(max_length=100, description="Only of this publisher; may be repeated."),
    ] = None,
    state: Annotated[
        list[GapState] | None,
        Query(max_length=3, description="Only in this state; may be repeated."),
    ] = None,
    recorded_from: Annotated[
        GivenMoment | None, Query(description="Only recorded since then.")
    ] = None,
) -> Page[Gap]:
    """Numbers that did not come in time, by publisher; what came after all is kept as closed."""
    require(actor, Action.READ_LEDGER, WHOLE_CITY)
    after = pages.after(3)
    if after:
        _id(after)
    chosen = GapFilter(device, state, recorded_from)
    async with context.database.reading() as connection:
        rows = await list_gaps(connection, chosen, after, pages.rows)
    return pages.page(
        rows,
        lambda row: Gap(**{name: row[name] for name in Gap.model_fields}),
        lambda row: (row["publisher_id"], row["epoch"], row["from_seq"]),
    )


def _id(place: tuple[int, ...]) -> int:
    if abs(place[0]) > _LARGEST_ID:
        raise BadCursorError
    return place[0]


def _publisher(row: Row) -> PublisherAccount:
    told = dict(row)
    numbers = {name: told.pop(name) for name in Numbering.model_fields}
    numbered = None if numbers["numbers"] is None else Numbering(**numbers)
    return PublisherAccount(**told, waiting=0, messages=numbered)
