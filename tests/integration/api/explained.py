"""What queries read: for tests that look at the cost, not at the clock."""

import json
from collections.abc import Iterator
from typing import Any

from services.core.storage.pool import Connection


class Explained:
    """A connection that counts the rows of observations that its queries read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows = 0.0

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        plan = await self._connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values
        )
        self.rows += sum(map(rows_read, nodes(_tree(plan))))
        found: list[Any] = await self._connection.fetch(sql, *values)
        return found


def _tree(plan: Any) -> dict[str, Any]:
    document = json.loads(plan) if isinstance(plan, str) else plan
    tree: dict[str, Any] = document[0]["Plan"]
    return tree


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def rows_read(node: dict[str, Any]) -> float:
    if "_hyper_" not in node.get("Relation Name", ""):
        return 0
    assert "Index" in node["Node Type"] or "Bitmap" in node["Node Type"]
    removed = node.get("Rows Removed by Filter", 0)
    read: float = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return read
