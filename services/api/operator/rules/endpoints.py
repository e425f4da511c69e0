"""GET /rules, /rules/{key}."""

from fastapi import APIRouter

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.operator.rules.schemas import Rule, Rules
from services.api.operator.rules.store import find_rule, list_rules
from services.api.parameters import Key, WithRetired

router = APIRouter(tags=["Alerts and rules"], responses=documented(401, 422, 503))


@router.get("/rules")
async def get_rules(
    _scope: ReadScope,
    context: Context,
    retired: WithRetired = False,
) -> Rules:
    """The rulebook."""
    async with context.database.reading() as connection:
        rows = await list_rules(connection, retired=retired)
    return Rules(items=[Rule(**row) for row in rows])


@router.get("/rules/{key}", responses=documented(404))
async def get_rule(key: Key, _scope: ReadScope, context: Context) -> Rule:
    """One rule."""
    async with context.database.reading() as connection:
        row = await find_rule(connection, key)
    if row is None:
        raise NotFoundError(f"There is no rule {key!r}.")
    return Rule(**row)
