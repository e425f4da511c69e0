"""GET /ledger."""

from fastapi import APIRouter

from services.api.auth.permissions import WHOLE_CITY, Action
from services.api.auth.session import LedgerReader, require
from services.api.context import Context
from services.api.failures import documented
from services.api.operator.ledger.schemas import Ledger
from services.core.storage.ledger import read_ledger

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
