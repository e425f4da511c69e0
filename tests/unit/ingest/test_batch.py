"""A batch and its halves account for the same items; fates sum up whatever happens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.city.catalogue import Kind
from services.core.reasons import Reason
from services.core.storage import log_batch
from services.core.storage.log_batch import Accounts
from services.core.storage.registry_snapshot import RegisteredDevice
from services.ingest.batch import Batch
from services.ingest.check import Checker
from services.ingest.lanes import NewestTimes
from services.ingest.merge import Known, Merged, Place, Row, RowsNeededError, merge
from services.ingest.messages import Birth
from services.ingest.plan import Plan, divide, plan
from services.ingest.resolve import resolve
from tests.unit.ingest.profiles import (
    NOW_MS,
    device,
    message,
    profile,
    reading,
    received,
)

METERS = {
    "p": device(1, "p", measures=profile(Kind.MEASUREMENT, Kind.STATE)),
    "q": device(2, "q", measures=profile(Kind.MEASUREMENT, device_type_id=2)),
}


class Registry:
    def device(self, key: str) -> RegisteredDevice | None:
        return METERS.get(key)


ITEM = st.builds(
    lambda back, a, b: reading(NOW_MS - back, a=a, b=b),
    st.integers(0, 4),
    st.sampled_from([1.0, 2.0, None, "x"]),
    st.sampled_from(["open", "closed", None]),
)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["p", "q", "nobody"]), st.lists(ITEM, min_size=1, max_size=3)
    ),
    max_size=8,
)
Drawn = list[tuple[str, list]]  # type: ignore[type-arg]


def batch_of(drawn: Drawn, told_again: Drawn | None = None) -> Batch:
    """Two parts of live messages, and between them what no publisher sends just now."""
    messages = [
        received(message(*items, seq=number), publisher)
        for number, (publisher, items) in enumerate(drawn)
    ]
    messages.append(received(Birth(epoch=1), "p", "birth"))
    again = [received(message(*items), who) for who, items in told_again or []]
    batch = Batch()
    checker = Checker()
    parts = [messages[::2], *([each] for each in again), messages[1::2]]
    for place, part in enumerate(parts):
        resolved = resolve(part, Registry(), NOW_MS, batch.end)
        checked = checker.check(resolved.observed, NOW_MS)
        live = place in (0, len(parts) - 1)
        batch.add([m.publication for m in part] if live else [], resolved, checked)
    return batch


class Writer:
    """The writer without a database."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], Row] = {}
        self.newest = NewestTimes()

    def write(self, batch: Batch) -> Plan:
        lanes = divide(batch, self.newest)
        known: dict[tuple[int, int], Row | None] = {}
        past: dict[Place, Known] = {}
        merged = Merged()
        while lanes.late:
            try:
                merged = merge(known, lanes.late, past)
                break
            except RowsNeededError as error:
                known |= {key: self.rows.get(key) for key in error.keys}
                past |= {place: {} for place in error.past}  # nothing is ever revised
        made = plan(batch, lanes, merged)
        for rows in made.copied:
            for place, frame_id in enumerate(rows.frame_ids.tolist()):
                key = (frame_id, int(rows.times_ms[place]))
                assert key not in self.rows
                self.rows[key] = Row(
                    rows.results[place].tolist(), rows.quality[place].tolist()
                )
        self.rows |= {key: row for key, row in merged.rows.items() if row.changed}
        self.newest.advance(made.log.frame_ids, made.log.times_ms)
        return made

    def table(self) -> str:
        rows = sorted(self.rows.items())
        return repr([(key, row.results, row.quality) for key, row in rows])


def sums(accounts: Accounts) -> tuple[int, ...]:
    return tuple(
        int(column.sum())
        for column in (
            accounts.received,
            accounts.stored,
            accounts.merged,
            accounts.duplicate,
            accounts.rejected,
            accounts.rejected_values,
        )
    )


@given(st.lists(MESSAGES, max_size=4))
def test_received_is_the_sum_of_the_fates_and_refusals_are_all_kept(
    batches: list[Drawn],
) -> None:
    writer = Writer()
    for drawn in batches:
        made = writer.write(batch_of(drawn))
        received_items, *fates, rejected_values = sums(made.log.accounts)
        assert received_items == sum(len(items) for _, items in drawn)
        assert received_items == sum(fates)
        scopes = [refusal.scope for refusal in made.refused]
        assert fates[3] == len(scopes) - scopes.count("value")
        assert rejected_values == scopes.count("value")
        body = log_batch.decode(log_batch.encode(made.log))
        np.testing.assert_array_equal(body.results, made.log.results)
        assert body.notices == made.log.notices


@given(MESSAGES.filter(lambda drawn: sum(len(items) for _, items in drawn) > 1))
def test_halves_store_the_same_together(drawn: Drawn) -> None:
    whole, parts = Writer(), Writer()
    together = whole.write(batch_of(drawn))
    halves = [parts.write(half) for half in batch_of(drawn).halves()]
    assert parts.table() == whole.table()
    first, second = (sums(half.log.accounts) for half in halves)
    assert tuple(map(sum, zip(first, second, strict=True))) == sums(
        together.log.accounts
    )
    assert sum(len(half.log.numbered.seqs) for half in halves) == len(
        together.log.numbered.seqs
    )
    assert sum(len(half.log.notices) for half in halves) == len(together.log.notices)
    assert sum(len(half.refused) for half in halves) == len(together.refused)


ON_RECORD = {"p": 1, "q": 2, "nobody": 0}


@given(MESSAGES, MESSAGES)
def test_only_who_sent_something_is_heard(live: Drawn, again: Drawn) -> None:
    batch = batch_of(live, again)
    for part in (batch, *batch.halves()):
        log = Writer().write(part).log
        marked = part.is_second_hand(np.arange(part.first, part.end, dtype=np.int32))
        senders = np.array(part.publishers, np.int32)
        assert set(log.heard.tolist()) == set(senders[~marked].tolist())
        assert set(log.accounts.publisher_ids.tolist()) == set(part.publishers)
    log = Writer().write(batch).log
    assert set(log.heard.tolist()) == {ON_RECORD[publisher] for publisher, _ in live}


@pytest.mark.parametrize("newest", [NOW_MS, NOW_MS - 9])
def test_an_item_says_whether_its_device_said_it(newest: int) -> None:
    """In the late lane, and in the fast one."""
    writer = Writer()
    writer.write(batch_of([("p", [reading(newest, a=1.0)])]))
    again = [("p", [reading(NOW_MS - 5, a=1.0)])]
    log = writer.write(batch_of([("q", [reading(NOW_MS, a=1.0)])], again)).log
    said = dict(zip(log.frame_ids.tolist(), log.first_hand.tolist(), strict=True))
    assert said == {METERS["p"].frame_id: False, METERS["q"].frame_id: True}


def test_refusing_all_leaves_no_item_out() -> None:
    batch = batch_of([("p", [reading(NOW_MS, a=1.0, b="x")])])
    made = Writer().write(batch.refusing_all(Reason.MALFORMED, "the database"))
    assert sums(made.log.accounts) == (1, 0, 0, 0, 1, 0)
    assert [(r.scope, r.reason) for r in made.refused] == [("item", Reason.MALFORMED)]
