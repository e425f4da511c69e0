"""What the rules look at, read from the database, against every rule asked about every datastream and device."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from services.core.alerting.matcher import parse_matcher
from services.core.alerting.rule import Rule, Selector
from services.core.clock import SystemClock
from services.core.storage import credentials
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city
from services.rules import store
from services.rules.targets import Targets
from tests.fleet_cities import city_with, households
from tests.rule_stories import checked_rules, rule_document
from tests.unit.city.small_city import small_city

pytestmark = pytest.mark.integration

SELECTORS = [
    Selector(observed_property="level"),
    Selector(observed_property="flow", device_types=frozenset({"station"})),
    Selector(thing_kinds=frozenset({"household"})),
    Selector(things=frozenset({"tank", "home-02-1"})),
    Selector(matchers=(parse_matcher('datastream=~"home-0[12]-1[.]level"'),)),
    Selector(matchers=(parse_matcher('device!~"pump.*"'),)),
]
DATASTREAMS = """
SELECT s.datastream_id, f.frame_id, l.slot::integer AS slot, s.period_ms, s.key AS datastream, s.channel,
       p.key AS observed_property, t.key AS thing, t.kind AS thing_kind, t.domain, i.key AS district,
       d.key AS device, y.key AS device_type
FROM datastreams s JOIN datastream_slots l USING (datastream_id) JOIN frames f USING (frame_id)
JOIN devices d USING (device_id) JOIN device_types y ON y.device_type_id = f.device_type_id
JOIN observed_properties p USING (observed_property_id) JOIN things t ON t.thing_id = s.thing_id
JOIN districts i USING (district_id)
ORDER BY 1
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    await put(opened, city_with(households(1, 3), fleet=True))
    yield opened
    await opened.close()


async def put(connection: Connection, city: Any) -> None:
    await apply_city(connection, city, retire=False, actor="test", dry_run=False)


async def issue_credentials(connection: Connection) -> None:
    """The registry's revision moves, and nothing that rules look at."""
    await credentials.issue(
        connection,
        {"gateway": "hash"},
        replace=False,
        actor="test",
        now=SystemClock().now(),
    )


def rules() -> list[Rule]:
    rule = checked_rules(small_city(), low=rule_document())[0].rule
    return [
        replace(rule, key=f"rule-{number}", selector=selector)
        for number, selector in enumerate(SELECTORS)
    ]


async def load(connection: Connection, book: list[Rule]) -> Targets:
    async with connection.transaction(readonly=True):
        return await store.load_targets(connection, book)


@pytest.mark.parametrize("number", range(len(SELECTORS)))
async def test_a_rule_looks_at_what_its_selector_fits(
    connection: Connection, number: int
) -> None:
    """Alone and among others: which names are loaded depends on who asks for them."""
    rows = await connection.fetch(DATASTREAMS)
    book = rules()
    for among in ([book[number]], book):
        targets = await load(connection, among)
        span = targets.of_rule(book[number].key)
        found = zip(
            targets.source_id[span].tolist(),
            targets.frame_id[span].tolist(),
            targets.slot[span].tolist(),
            targets.period_ms[span].tolist(),
            strict=True,
        )
        assert list(found) == [
            (row["datastream_id"], row["frame_id"], row["slot"], row["period_ms"])
            for row in rows
            if SELECTORS[number].fits({key: str(row[key]) for key in row.keys()})  # noqa: SIM118 # a record's keys
        ]
        assert span.stop > span.start


async def test_targets_are_kept_until_what_is_looked_at_changes(
    connection: Connection,
) -> None:
    book = rules()
    assert await store.read_kept_targets(connection, book) is None
    found = await load(connection, book)
    await store.keep_targets(
        connection, found, await store.registry_revision(connection)
    )
    await issue_credentials(connection)
    kept = await store.read_kept_targets(connection, book)
    assert kept is not None
    assert kept.rules == found.rules
    for column in ("starts", "source_id", "period_ms", "frame_id", "slot"):
        assert getattr(kept, column).tolist() == getattr(found, column).tolist()
        assert getattr(kept, column).dtype == getattr(found, column).dtype
    assert await store.read_kept_targets(connection, book[1:]) is None
    await put(connection, city_with(households(1, 4), fleet=True))
    assert await store.read_kept_targets(connection, book) is None


async def test_credentials_change_nothing_that_is_looked_at(
    connection: Connection,
) -> None:
    before = await store.registry_revision(connection)
    await issue_credentials(connection)
    assert await store.registry_revision(connection) > before
    assert not await store.has_changed(connection, before)
    await put(connection, city_with(households(1, 4), fleet=True))
    assert await store.has_changed(connection, before)
