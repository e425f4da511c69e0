"""The HTTPS door on a real broker and database: 2xx only after the commit, and every refusal."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.door_stage import DoorStage, door_stage
from tests.integration.ingest_stage import T0
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration


@pytest.fixture
async def door(broker: Broker, database_url: str) -> AsyncIterator[DoorStage]:
    """Open."""
    async with door_stage(broker, database_url) as stage, stage.ingest():
        yield stage


def item(offset: int, voltage: object = 230.0, **more: Any) -> dict[str, Any]:
    return {"time": T0 + offset, "values": {"voltage": voltage}, **more}


class TestWhatIsStored:
    async def test_when_the_answer_comes_it_is_in_the_table(
        self, door: DoorStage
    ) -> None:
        for offset in range(20):
            answer = await door.post("probe-1", item(offset, 230.0 + offset))
            assert (answer.status_code, answer.json()) == (
                200,
                {"messages": 1, "rejected": []},
            )
            assert (await door.stored("probe-1"))[offset] == [230.0 + offset, None]

    async def test_a_batch_is_an_array_or_lines_of_native_messages(
        self, door: DoorStage
    ) -> None:
        one, many = item(0), {"items": [item(1), item(2)]}
        assert (await door.post("probe-1", [one, many])).json()["messages"] == 2
        lines = b"\n".join(json.dumps(item(n)).encode() for n in range(10, 510))
        assert (await door.post("probe-1", lines + b"\n")).json()["messages"] == 500
        pretty = json.dumps(item(600), indent=2).encode()
        assert (await door.post("probe-1", pretty)).json()["messages"] == 1
        stored = await door.stored("probe-1")
        assert sorted(stored) == [0, 1, 2, *range(10, 510), 600]
        assert (await door.stage.ledger()).balanced

    async def test_sending_again_stores_nothing_twice(self, door: DoorStage) -> None:
        for _ in range(3):
            assert (await door.post("probe-1", [item(0), item(1)])).status_code == 200
        total = (await door.stage.settled(6)).total
        assert (total.stored, total.duplicate) == (2, 4)

    async def test_gzip_is_unpacked(self, door: DoorStage) -> None:
        body = gzip.compress(json.dumps([item(n) for n in range(900)]).encode())
        headers = {"Content-Encoding": "gzip"}
        answer = await door.post("probe-1", body, headers=headers)
        assert answer.json() == {"messages": 900, "rejected": []}
        assert len(await door.stored("probe-1")) == 900

    async def test_what_is_refused_is_named_and_the_rest_stored(
        self, door: DoorStage
    ) -> None:
        bad = {"items": [item(1), item(2, "high"), item(3, device="meter-9")]}
        answer = await door.post("probe-1", [item(0), bad])
        assert answer.status_code == 200
        refused = answer.json()["rejected"]
        assert {(one["message"], one["index"], one["reason"]) for one in refused} == {
            (1, 1, "wrong_type"),
            (1, 2, "unknown_device"),
        }
        assert sorted(await door.stored("probe-1")) == [0, 1]
