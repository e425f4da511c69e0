"""Receipts: what a publisher that numbers its messages is told, and when."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.core.broker import users
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.options import as_user
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import PATIENCE, T0, Speaker, Stage, ingest_stage
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database)
        yield stage


async def test_receipts_have_a_connection_of_their_own(stage: Stage) -> None:
    """Who takes its place at the broker loses it again: ingest is back."""
    url = as_user(stage.broker.service_url, users.DOWNLINK)
    async with (
        stage.ingest(),
        asyncio.timeout(PATIENCE),
        BrokerClient(ClientOptions(url)) as other,
    ):
        await other.wait_connected()
        await other.wait_lost()


async def numbered(device: Speaker, *seqs: int, **values: Any) -> None:
    for seq in seqs:
        await device.send(
            {
                "seq": seq,
                "epoch": 7,
                "time": T0 + seq,
                "values": values or {"voltage": 230},
            }
        )


async def receipt_until(device: Speaker, **wanted: Any) -> dict[str, Any]:
    """The first receipt that says this; those before may say less, never more."""
    while True:
        receipt = await device.receipt()
        assert receipt["stored_through"] <= wanted.get("stored_through", 1 << 60)
        if all(receipt.get(name) == value for name, value in wanted.items()):
            return receipt


async def test_stored_through_never_passes_an_open_gap(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await numbered(feeder, 1, 2, 4, 5, 8)
        await receipt_until(feeder, epoch=7, stored_through=2, also=[[4, 5], [8, 8]])
        await numbered(feeder, 3)
        await receipt_until(feeder, stored_through=5, also=[[8, 8]])


async def test_a_receipt_speaks_of_what_is_committed(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await numbered(feeder, *range(1, 50))
        receipt = await feeder.receipt()
        stored = await stage.rows("feeder-1")
    assert set(range(1, receipt["stored_through"] + 1)) <= set(stored)


async def test_a_repeated_number_and_a_birth_bring_the_receipt_again(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await numbered(feeder, 1)
        await receipt_until(feeder, stored_through=1)
        await numbered(feeder, 1)
        assert (await feeder.receipt())["stored_through"] == 1
        await feeder.send({"time": T0, "epoch": 7}, "birth")
        assert (await feeder.receipt())["stored_through"] == 1


async def test_what_is_refused_is_settled_and_named(stage: Stage) -> None:
    async with stage.ingest(), stage.device("gw-2") as gateway:
        await gateway.send(
            {
                "seq": 1,
                "epoch": 7,
                "items": [
                    {"device": "meter-1", "time": T0, "values": {"voltage": 1}},
                    {
                        "device": "meter-1",
                        "time": T0,
                        "values": {"voltage": 5000, "energy": 1},
                    },
                    {"device": "nobody", "time": T0, "values": {"voltage": 1}},
                    {"device": "meter-1", "time": -(10**14), "values": {"voltage": 1}},
                ],
            }
        )
        receipt = await receipt_until(gateway, stored_through=1)
    assert receipt["rejected"] == [
        {
            "seq": 1,
            "index": 1,
            "device": "meter-1",
            "channel": "voltage",
            "reason": "range",
        },
        {"seq": 1, "index": 2, "device": "nobody", "reason": "unknown_device"},
        {"seq": 1, "index": 3, "device": "meter-1", "reason": "too_old"},
    ]


async def test_a_birth_gives_up_what_the_publisher_no_longer_has(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await numbered(feeder, 1, 5)
        await receipt_until(feeder, stored_through=1, also=[[5, 5]])
        await feeder.send({"time": T0, "epoch": 7, "oldest_seq": 5}, "birth")
        await receipt_until(feeder, stored_through=5)


async def test_who_numbers_nothing_gets_no_receipt(stage: Stage) -> None:
    async with (
        stage.ingest(),
        stage.device("feeder-1") as feeder,
        stage.device("probe-1") as probe,
    ):
        await feeder.values(T0, voltage=230)
        await feeder.send({"time": T0, "epoch": 7}, "birth")
        await stage.settled(1)
        await numbered(probe, 1)
        await probe.receipt()
        # The probe's message came later, so the feeder's receipt would have been sent by now.
        assert len(feeder.client._inbox) == 0


async def test_numbers_are_remembered_over_a_restart(stage: Stage) -> None:
    async with stage.device("feeder-1") as feeder:
        async with stage.ingest():
            await numbered(feeder, 1, 2, 3, 6)
            await receipt_until(feeder, stored_through=3, also=[[6, 6]])
        async with stage.ingest():
            await numbered(feeder, 5)
            await receipt_until(feeder, stored_through=3, also=[[5, 6]])
