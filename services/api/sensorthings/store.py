"""SQL of the registry's seven entity sets: rows of the published city, filtered, ordered, paged by keyset."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import asyncpg

from services.api.failures import BadCursorError, BadQueryError
from services.api.sensorthings.filter_grammar import Expression
from services.api.sensorthings.filter_sql import Bound, where
from services.api.sensorthings.model import EntitySet, Row, Voice
from services.api.sensorthings.options import Order
from services.api.sensorthings.tables import TABLES
from services.api.series.store import NEWEST
from services.core.storage.pool import Connection

_LARGEST_REGISTRY_ID: Final = (1 << 31) - 1
_BY_ID: Final = (Order("id"),)


@dataclass(frozen=True, slots=True)
class Link:
    """Only rows whose column is one of these."""

    column: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one set. links: all of them hold."""

    entity_set: EntitySet
    voice: Voice
    now: dt.datetime
    links: Sequence[Link] = ()
    filter: Expression | None = None
    orders: Sequence[Order] = ()

    def asking(
        self, expression: Expression | None, orders: Sequence[Order]
    ) -> "Question":
        return replace(self, filter=expression, orders=orders)

    def linked(self, column: str, values: Sequence[int]) -> "Question":
        return replace(self, links=[*self.links, Link(column, values)])


async def read_rows(
    connection: Connection,
    question: Question,
    limit: int,
    skip: int = 0,
    after: int | None = None,
) -> list[Row]:
    """Rows in order.

    Raises:
        BadQueryError: the filter divides by zero, or the like.
        BadCursorError: the row that the page before ended with is gone.
    """
    bound, orders = _bound(question), _orders(question)
    conditions, place = _conditions(question, bound), ""
    if after is not None:
        condition, place = _after(question, orders, after, bound)
        conditions.append(condition)
    sql = (
        f"{TABLES} SELECT e.* FROM {question.entity_set.table} e{place} "  # noqa: S608 # names from the table
        f"WHERE {_all(conditions)} ORDER BY {_order_by(question, orders, bound)} "
        f"LIMIT {bound.add(limit, 'int')} OFFSET {bound.add(skip, 'int')}"
    )
    with bad_values_said():
        rows: list[Row] = await connection.fetch(sql, *bound.values)
    if not rows and place and not await find_row(connection, question, after or 0):
        raise BadCursorError("What the page before ended with is gone: begin again.")
    return rows


async def read_ranked(
    connection: Connection, question: Question, parent: str, limit: int, skip: int
) -> list[Row]:
    """The rows of each parent from skip on, and its very first; with their rank from 1, and how many there are as total.

    parent: a column.
    """
    bound = _bound(question)
    order = _order_by(question, _orders(question), bound)
    sql = (
        f"{TABLES} SELECT * FROM (SELECT e.*, "  # noqa: S608 # names from the table
        f"row_number() OVER (PARTITION BY e.{parent} ORDER BY {order}) AS rank, "
        f"count(*) OVER (PARTITION BY e.{parent}) AS total "
        f"FROM {question.entity_set.table} e WHERE {_all(_conditions(question, bound))}) ranked "
        f"WHERE rank = 1 OR rank > {bound.add(skip, 'int')} AND rank <= {bound.add(skip + limit, 'int')} "
        f"ORDER BY {parent}, rank"
    )
    with bad_values_said():
        rows: list[Row] = await connection.fetch(sql, *bound.values)
    return rows


async def count_rows(connection: Connection, question: Question) -> int:
    bound = _bound(question)
    sql = (
        f"{TABLES} SELECT count(*) FROM {question.entity_set.table} e "  # noqa: S608 # names from the table
        f"WHERE {_all(_conditions(question, bound))}"
    )
    with bad_values_said():
        found: int = await connection.fetchval(sql, *bound.values)
    return found


async def find_row(
    connection: Connection, question: Question, entity_id: int
) -> Row | None:
    """The row of that id, if it is among those the question's links allow."""
    if entity_id > _LARGEST_REGISTRY_ID:
        return None
    one = replace(question, filter=None, orders=()).linked("id", [entity_id])
    rows = await read_rows(connection, one, 1)
    return rows[0] if rows else None


async def read_spans(
    connection: Connection, datastream_ids: Sequence[int]
) -> dict[int, Row]:
    """By id: the times of the oldest and the newest observation; None where there is none.

    The oldest is looked for in the first thousand rows of the device; where its channel began later, its first row counts.
    """
    rows = await connection.fetch(_SPANS, datastream_ids)
    return {row["datastream_id"]: row for row in rows}


_SPANS: Final = (
    """
SELECT d.datastream_id, newest.phenomenon_time AS newest, oldest.phenomenon_time AS oldest
FROM unnest($1::int[]) AS d(datastream_id)
LEFT JOIN LATERAL ("""  # noqa: S608 # constants only
    + NEWEST
    + """) newest ON true
LEFT JOIN LATERAL (
    SELECT coalesce((
        SELECT phenomenon_time FROM (
            SELECT phenomenon_time, results[s.slot + 1] AS result FROM observations
            WHERE frame_id = s.frame_id AND phenomenon_time >= s.valid_from AND phenomenon_time < s.valid_to
            ORDER BY phenomenon_time LIMIT 1000
        ) heard WHERE result IS NOT NULL ORDER BY phenomenon_time LIMIT 1
    ), (
        SELECT phenomenon_time FROM observations
        WHERE frame_id = s.frame_id AND phenomenon_time >= s.valid_from AND phenomenon_time < s.valid_to
        ORDER BY phenomenon_time LIMIT 1
    )) AS phenomenon_time
    FROM datastream_slots s WHERE s.datastream_id = d.datastream_id ORDER BY s.valid_from LIMIT 1
) oldest ON newest.phenomenon_time IS NOT NULL
"""
)


def _bound(question: Question) -> Bound:
    return Bound(question.voice, question.now)


def _orders(question: Question) -> Sequence[Order]:
    """Always a whole order: by id in the end."""
    if any(order.column == "id" for order in question.orders):
        return question.orders
    return (*question.orders, *_BY_ID)


def _conditions(question: Question, bound: Bound) -> list[str]:
    conditions = [
        f"e.{link.column} = ANY({bound.add(list(link.values), 'int[]')})"
        for link in question.links
    ]
    if question.filter is not None:
        conditions.append(where(question.entity_set, "e", question.filter, bound))
    return conditions


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"


def _order_by(question: Question, orders: Sequence[Order], bound: Bound) -> str:
    columns = question.entity_set.columns
    return ", ".join(
        f"{bound.fill(columns[order.column].sql, 'e')}{' DESC' if order.descending else ''}"
        for order in orders
    )


def _after(
    question: Question, orders: Sequence[Order], after: int, bound: Bound
) -> tuple[str, str]:
    """(condition, the row to compare with as a further table)."""
    if len(orders) == 1:
        sign = "<" if orders[0].descending else ">"
        return f"e.id {sign} {bound.add(after, 'int')}", ""
    columns = question.entity_set.columns
    at = ", ".join(
        f"{bound.fill(columns[order.column].sql, 'p')} AS v{number}"
        for number, order in enumerate(orders)
    )
    place = f", (SELECT {at} FROM {question.entity_set.table} p WHERE p.id = {bound.add(after, 'int')}) place"  # noqa: S608 # names from the table
    return f"({' OR '.join(_later(question, orders, bound))})", place


def _later(question: Question, orders: Sequence[Order], bound: Bound) -> Iterator[str]:
    """Equal in the first so many, and past the place in the next."""
    columns = question.entity_set.columns
    here = [bound.fill(columns[order.column].sql, "e") for order in orders]
    for number, order in enumerate(orders):
        equal = [f"{here[before]} = place.v{before}" for before in range(number)]
        sign = "<" if order.descending else ">"
        yield f"({' AND '.join([*equal, f'{here[number]} {sign} place.v{number}'])})"


@contextmanager
def bad_values_said() -> Iterator[None]:
    """What only the database finds out: a filter that divides by zero, or a number too large."""
    try:
        yield
    except asyncpg.DataError as error:
        raise BadQueryError(f"$filter cannot be worked out: {error}.") from error
