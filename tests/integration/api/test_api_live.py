"""Live streams over a real connection: snapshot, changes, heartbeat, resume, reset, scope."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.api.auth.permissions import Role
from services.api.auth.store import set_disabled
from services.api.live.answering import Doors
from services.core.alerting.alert import AlertState
from services.core.storage.event_log import Cursor, save_cursor
from tests.integration.api import seed
from tests.integration.api.alerts import move, subject, whole_city
from tests.integration.api.seed import MINUTE, NOW, SECOND, SECRET
from tests.integration.api.serving import Server, served

pytestmark = pytest.mark.integration

LATEST = "/api/v1/live/latest"
ALERTS = "/api/v1/live/alerts"


@pytest.fixture
async def server(city_url: str) -> AsyncIterator[Server]:
    async with served(city_url) as running:
        yield running


def results(observations: list[dict[str, object]]) -> dict[object, object]:
    return {one["datastream"]: one["result"] for one in observations}


async def test_a_stream_begins_with_a_snapshot_and_goes_on_with_changes(
    server: Server,
) -> None:
    database = server.api.database
    first = await seed.log(database, "air-1-dev", NOW, (1.0, 2.0, 3.0))
    async with server.stream(LATEST, await server.api.session(), thing="air-1") as live:
        assert live.answer.headers["content-type"].startswith("text/event-stream")
        assert (await live.next("hello")).data["time"] == "2026-11-22T04:00:00.000Z"
        snapshot = await live.next("snapshot")
        if snapshot.id != f"observations:{first}":  # the follower was not there yet
            assert snapshot.data["observations"] == []
            snapshot = await live.next("latest")
        assert results(snapshot.data["observations"])["air-1.pm25"] == 1.0
        second = await seed.log(database, "air-1-dev", NOW + SECOND, (5.0, None, None))
        change = await live.next("latest")
        assert change.id == f"observations:{second}"
        assert change.data["observations"] == [
            {
                "datastream_id": change.data["observations"][0]["datastream_id"],
                "datastream": "air-1.pm25",
                "thing": "air-1",
                "observed_property": "pm25",
                "unit": "ug/m3",
                "phenomenon_time": "2026-11-22T04:00:01.000Z",
                "result": 5.0,
                "quality": "good",
            }
        ]


async def test_the_snapshot_has_what_history_folded_before_this_process_began(
    city_url: str,
) -> None:
    async with served(city_url) as before:
        await seed.store_latest(before.api.database, "bay-1", NOW, (50.0, 7.0))
        await seed.log(before.api.database, "bay-1", NOW, (50.0, 7.0))
        await seed.fold_up_to_now(before.api.database)
        # This one is in the log, and not folded yet.
        await seed.log(before.api.database, "bay-2", NOW, (49.9, 8.0))
    async with served(city_url) as server:
        session = await server.api.session()
        async with server.stream(LATEST, session, domain="power") as live:
            found = results((await live.next("snapshot")).data["observations"])
            while len(found) < 4:
                found |= results((await live.next("latest")).data["observations"])
        assert found == {
            "substation.frequency": 50.0,
            "substation.load": 7.0,
            "feeder.frequency": 49.9,
            "feeder.load": 8.0,
        }


async def test_late_values_do_not_replace_newer_ones(server: Server) -> None:
    database = server.api.database
    session = await server.api.session()
    async with server.stream(LATEST, session, datastream="air-1.pm25") as live:
        await live.next("snapshot")
        await seed.log(database, "air-1-dev", NOW, (2.0, None, None))
        assert (await live.next()).data["observations"][0]["result"] == 2.0
        await seed.log(database, "air-1-dev", NOW - MINUTE, (1.0, None, None))
        await seed.log(database, "air-1-dev", NOW + SECOND, (3.0, None, None))
        assert (await live.next()).data["observations"][0]["result"] == 3.0


async def test_many_changes_of_a_moment_come_as_the_newest(server: Server) -> None:
    session = await server.api.session()
    async with server.stream(LATEST, session, datastream="air-1.pm25") as live:
        await live.next("snapshot")
        for i in range(50):
            await seed.log(
                server.api.database,
                "air-1-dev",
                NOW + i * SECOND,
                (float(i), None, None),
            )
        events, newest = 0, -1.0
        while newest < 49.0:
            (observation,) = (await live.next("latest")).data["observations"]
            assert observation["result"] > newest
            newest = observation["result"]
            events += 1
        assert events < 50


async def test_who_comes_back_gets_exactly_what_it_missed(server: Server) -> None:
    database, session = server.api.database, await server.api.session()
    async with server.stream(LATEST, session) as live:
        await live.next("snapshot")
        await seed.log(database, "air-1-dev", NOW, (1.0, 1.0, None))
        seen = (await live.next("latest")).id
    assert seen
    await seed.log(database, "air-1-dev", NOW + SECOND, (None, 2.0, None))
    await seed.log(database, "bay-1", NOW + SECOND, (50.0, None))
    async with server.stream(LATEST, {**session, "Last-Event-ID": seen}) as live:
        assert (await live.next()).name == "hello"
        missed = results((await live.next("latest")).data["observations"])
        while len(missed) < 2:
            missed |= results((await live.next("latest")).data["observations"])
        assert missed == {"air-1.rain": 2.0, "substation.frequency": 50.0}


async def test_who_comes_back_with_a_place_we_do_not_know_begins_anew(
    server: Server,
) -> None:
    session = await server.api.session()
    for place in ("observations:999999", "nonsense", "alerts:1"):
        async with server.stream(LATEST, {**session, "Last-Event-ID": place}) as live:
            names = [(await live.next()).name for _ in range(3)]
            assert names == ["hello", "reset", "snapshot"], place


async def test_a_follower_that_falls_off_the_log_sends_everybody_a_reset(
    server: Server,
) -> None:
    database, session = server.api.database, await server.api.session()
    await save_cursor(database, "history", "observations", Cursor())
    async with server.stream(LATEST, session) as live:
        await live.next("snapshot")
        # A hole in the log: what an hour dropped looks like to a follower that was behind.
        async with database.transaction():
            await database.execute(
                "UPDATE log_streams SET last_batch = last_batch + 5 WHERE stream = 'observations'"
            )
        await seed.log(database, "air-1-dev", NOW, (1.0, None, None))
        await seed.fold_up_to_now(database)
        feed = server.api.context.feeds.latest
        while feed.following:
            await feed.bell.wait(10)
        server.api.clock.advance(10)
        assert (await live.next()).name == "reset"
        assert (await live.next()).name == "snapshot"
        await seed.log(database, "air-1-dev", NOW + SECOND, (2.0, None, None))
        assert (await live.next()).data["observations"][0]["result"] == 2.0


async def test_a_heartbeat_has_the_servers_time_and_a_place_to_resume_from(
    server: Server,
) -> None:
    batch = await seed.log(server.api.database, "air-1-dev", NOW, (1.0, None, None))
    async with server.stream(
        LATEST, await server.api.session(), thing="feeder"
    ) as live:
        beat = await live.next("heartbeat")
        while beat.id != f"observations:{batch}":
            beat = await live.next("heartbeat")
        assert beat.data == {
            "time": "2026-11-22T04:00:00.000Z",
            "log_time": "2026-11-22T04:00:00.000Z",
            "following": True,
        }


async def test_a_stream_keeps_to_the_scope(server: Server) -> None:
    database = server.api.database
    viewer = await server.api.session(Role.VIEWER, domains=["power"])
    async with server.stream(LATEST, viewer) as live:
        await live.next("snapshot")
        await seed.log(database, "air-1-dev", NOW, (1.0, 1.0, 1.0))
        await seed.log(database, f"meter-{SECRET}", NOW, (77.0, None))
        await seed.log(database, "bay-1", NOW, (50.0, None))
        found = results((await live.next("latest")).data["observations"])
        assert found == {"substation.frequency": 50.0}


async def test_a_device_that_was_just_registered_is_heard(server: Server) -> None:
    database, session = server.api.database, await server.api.session()
    async with server.stream(LATEST, session) as live:
        await live.next("snapshot")
        file = {**seed.FILE, "things": {**seed.FILE["things"]}}
        file["things"]["air-2"] = {
            **seed.FILE["things"]["air-1"],
            "devices": {"air-2-dev": {"type": "air_monitor"}},
        }
        await seed.apply(database, file)
        await seed.log(database, "air-2-dev", NOW, (4.0, None, None))
        server.api.clock.advance(2)
        # Ingest's next batch, a second later, makes the follower look at the registry.
        await seed.log(database, "bay-1", NOW, (50.0, None))
        found: dict[object, object] = {}
        while "air-2.pm25" not in found:
            found |= results((await live.next("latest")).data["observations"])
        assert found["air-2.pm25"] == 4.0


async def test_a_stream_ends_when_its_session_does(server: Server) -> None:
    session = await server.api.session(user="dana")
    async with server.stream(LATEST, session) as live:
        await live.next("snapshot")
        await set_disabled(server.api.database, "dana", NOW, "test")
        assert (await live.end())[-1] == "goodbye"


async def test_streams_end_when_the_service_stops(server: Server) -> None:
    async with server.stream(LATEST, await server.api.session()) as live:
        await live.next("snapshot")
        server.stop.set()
        await live.end()


async def test_only_so_many_streams_are_open_at_once(city_url: str) -> None:
    async with served(city_url, doors=Doors(most=10, most_each=1)) as server:
        session = await server.api.session()
        async with server.stream(LATEST, session) as first:
            await first.next("snapshot")
            async with server.stream(LATEST, session) as second:
                assert second.answer.status_code == 429
            other = await server.api.session()
            async with server.stream(LATEST, other) as third:
                assert third.answer.status_code == 200
        async with asyncio.timeout(5):
            while True:
                async with server.stream(LATEST, session) as again:
                    if again.answer.status_code == 200:
                        break


async def test_alerts_begin_with_the_inbox_and_go_on_with_every_change(
    server: Server,
) -> None:
    database = server.api.database
    about = await subject(database, "air-1", "air-1.pm25")
    alert_id = await move(database, about)
    async with server.stream(ALERTS, await server.api.session(user="dana")) as live:
        snapshot = await live.next("snapshot")
        assert [a["alert_id"] for a in snapshot.data["alerts"]] == [alert_id]
        assert snapshot.data["alerts"][0]["cause"]["en"] == "eng"
        assert snapshot.id
        assert snapshot.id.startswith("alerts:")
        await move(database, about, AlertState.RESOLVED, at=NOW + MINUTE)
        versions: dict[int, dict[str, object]] = {}
        while 2 not in versions:
            for change in (await live.next("alerts")).data["changes"]:
                versions[change["version"]] = change
        assert versions[2]["state"] == "resolved"
        assert versions[2]["district"] == "gate"
        assert versions[2]["thing"] == "air-1"
        assert versions[2]["datastream"] == "air-1.pm25"


async def test_alerts_resume_without_gaps_or_repeats(server: Server) -> None:
    database, session = server.api.database, await server.api.session()
    subjects = [await subject(database, thing) for thing in ("air-1", "feeder")]
    async with server.stream(ALERTS, session) as live:
        await live.next("snapshot")
        await move(database, subjects[0])
        seen = (await live.next("alerts")).id
    assert seen
    ids = [
        await move(database, subjects[1]),
        await move(database, subjects[0], AlertState.RESOLVED, at=NOW + MINUTE),
    ]
    async with server.stream(ALERTS, {**session, "Last-Event-ID": seen}) as live:
        assert (await live.next()).name == "hello"
        changes: list[dict[str, object]] = []
        while len(changes) < 2:
            changes += (await live.next("alerts")).data["changes"]
        assert [change["alert_id"] for change in changes] == ids


async def test_alerts_keep_to_the_scope_and_the_filter(server: Server) -> None:
    database = server.api.database
    operator = await server.api.session(Role.VIEWER, districts=["gate"])
    async with server.stream(ALERTS, operator, domain="power") as live:
        assert (await live.next("snapshot")).data["alerts"] == []
        await move(database, whole_city())
        await move(database, await subject(database, f"pump-{SECRET}"))
        house = f"house-{SECRET}"
        await move(database, await subject(database, house, f"{house}.energy"))
        await move(database, await subject(database, "air-1"))
        mine = await move(database, await subject(database, "feeder"))
        (change,) = (await live.next("alerts")).data["changes"]
        assert change["alert_id"] == mine


async def test_the_open_stream_has_public_values_only(server: Server) -> None:
    database = server.api.database
    async with server.stream("/open/v1/live") as live:
        await live.next("snapshot")
        await seed.log(database, f"pump-{SECRET}-dev", NOW, (9.0, 1.0, 2.0))
        await seed.log(database, f"meter-{SECRET}", NOW, (1.0, 50.0))
        await seed.log(database, "bay-1", NOW, (50.0, 123.0))
        found = results((await live.next("latest")).data["observations"])
        assert found == {"substation.frequency": 50.0}
