"""What people changed of what a city file describes, as the registry remembers it."""

from collections.abc import Iterable
from typing import Final

from services.core.city.kept_changes import OperatorChange
from services.core.city.records import Section
from services.core.storage.pool import Connection

_TABLES: Final = {"observed_properties": Section.OBSERVED_PROPERTY}
_READ: Final = """
SELECT entity, entity_key, field, file_value, value, changed_by FROM operator_changes ORDER BY entity, entity_key, field
"""
_FORGET: Final = """
DELETE FROM operator_changes c USING unnest($1::text[], $2::text[]) AS f (entity_key, field)
WHERE c.entity = 'observed_properties' AND c.entity_key = f.entity_key AND c.field = f.field
"""


async def read_changes(connection: Connection) -> list[OperatorChange]:
    return [
        OperatorChange(
            section=_TABLES[row["entity"]],
            key=row["entity_key"],
            field=row["field"],
            file_value=row["file_value"],
            value=row["value"],
            by=row["changed_by"],
        )
        for row in await connection.fetch(_READ)
    ]


async def forget_changes(
    connection: Connection, changes: Iterable[OperatorChange]
) -> None:
    """The file has spoken since."""
    gone = list(changes)
    await connection.execute(
        _FORGET, [change.key for change in gone], [change.field for change in gone]
    )
