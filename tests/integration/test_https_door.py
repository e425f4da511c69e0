"""The HTTPS door on a real broker and database: 2xx only after the commit, and every refusal."""

import gzip
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deploy.native.postgres import PostgresCluster
from services.core.authority import new_authority, sign_server
from services.core.broker.passwords import hash_secret, new_secret
from services.core.clock import SystemClock
from services.core.errors import ConfigurationError
from services.core.http_server import PunctualProtocol
from services.core.storage.credentials import issue, revoke
from services.core.storage.webhook_secrets import issue_webhook_secret
from services.ingest.door.app import Counter
from services.ingest.door.bodies import BodyReader
from services.ingest.door.waiting import WaitingRoom
from tests.integration.door_stage import (
    DEV_EUI,
    PROBES,
    DoorStage,
    door_stage,
    problem,
)
from tests.integration.ingest_stage import T0, until
from tests.stack_fixtures import Broker, fresh_database, running_broker

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(postgres: PostgresCluster) -> AsyncIterator[DoorStage]:
    """Open; the tests share it, and each has a publisher of its own."""
    database = fresh_database(postgres, "https_door")
    with running_broker() as broker, database as database_url:
        async with door_stage(broker, database_url) as stage, stage.ingest():
            yield stage


@pytest.fixture(scope="module")
def probes() -> Iterator[str]:
    return (f"probe-{number}" for number in range(1, PROBES))


@pytest.fixture
def probe(probes: Iterator[str]) -> str:
    """A publisher that no other test speaks for."""
    return next(probes)


OTHER = f"probe-{PROBES}"


def item(offset: int, voltage: object = 230.0, **more: Any) -> dict[str, Any]:
    return {"time": T0 + offset, "values": {"voltage": voltage}, **more}


async def end_secret(door: DoorStage, probe: str) -> None:
    """Returns when the door knows it, and with it all that was changed in the registry before."""
    assert (await door.post(probe, item(0))).status_code == 200
    now = SystemClock().now()
    await revoke(door.stage.database, [probe], actor="test", now=now)

    async def refused() -> bool:
        return (await door.post(probe, item(1))).status_code == 401

    await until(refused)


async def webhook_secret(door: DoorStage, probe: str) -> str:
    now = SystemClock().now()
    return await issue_webhook_secret(door.stage.database, probe, actor="test", now=now)


def signature(secret: str, body: bytes) -> dict[str, str]:
    return signed(hmac.new(secret.encode(), body, "sha256").hexdigest())


def signed(digest: str) -> dict[str, str]:
    return {
        "Authorization": "",
        "Content-Encoding": "gzip",
        "X-Signature-256": f"sha256={digest}",
    }


class TestWhatIsStored:
    async def test_when_the_answer_comes_it_is_in_the_table(
        self, door: DoorStage, probe: str
    ) -> None:
        for offset in range(20):
            answer = await door.post(probe, item(offset, 230.0 + offset))
            assert (answer.status_code, answer.json()) == (
                200,
                {"messages": 1, "rejected": []},
            )
            assert (await door.stored(probe))[offset] == [230.0 + offset, None]

    async def test_a_batch_is_an_array_or_lines_of_native_messages(
        self, door: DoorStage, probe: str
    ) -> None:
        one, many = item(0), {"items": [item(1), item(2)]}
        assert (await door.post(probe, [one, many])).json()["messages"] == 2
        lines = b"\n".join(json.dumps(item(n)).encode() for n in range(10, 510))
        assert (await door.post(probe, lines + b"\n")).json()["messages"] == 500
        pretty = json.dumps(item(600), indent=2).encode()
        assert (await door.post(probe, pretty)).json()["messages"] == 1
        stored = await door.stored(probe)
        assert sorted(stored) == [0, 1, 2, *range(10, 510), 600]
        assert (await door.settled(probe, 504)).stored == 504

    async def test_sending_again_stores_nothing_twice(
        self, door: DoorStage, probe: str
    ) -> None:
        for _ in range(3):
            assert (await door.post(probe, [item(0), item(1)])).status_code == 200
        account = await door.settled(probe, 6)
        assert (account.stored, account.duplicate) == (2, 4)

    async def test_gzip_is_unpacked(self, door: DoorStage, probe: str) -> None:
        body = gzip.compress(json.dumps([item(n) for n in range(900)]).encode())
        for name in ("gzip", "x-gzip"):
            headers = {"Content-Encoding": name}
            answer = await door.post(probe, body, headers=headers)
            assert answer.json() == {"messages": 900, "rejected": []}
        assert len(await door.stored(probe)) == 900
        unpacked = await door.post(probe, item(0), headers={"Content-Encoding": ""})
        assert unpacked.status_code == 200

    async def test_what_is_refused_is_named_and_the_rest_stored(
        self, door: DoorStage, probe: str
    ) -> None:
        bad = {"items": [item(1), item(2, "high"), item(3, device="meter-9")]}
        answer = await door.post(probe, [item(0), bad])
        assert answer.status_code == 200
        refused = answer.json()["rejected"]
        assert {(one["message"], one["index"], one["reason"]) for one in refused} == {
            (1, 1, "wrong_type"),
            (1, 2, "unknown_device"),
        }
        assert sorted(await door.stored(probe)) == [0, 1]

    async def test_a_bad_message_of_a_batch_costs_itself_alone(
        self, door: DoorStage, probe: str
    ) -> None:
        spelled = [json.dumps(item(n)).encode() for n in range(5)]
        spelled[1] = spelled[1].replace(b"230.0", b"NaN")
        spelled[3] = spelled[3].replace(b"voltage", b"\\ud800")
        array = b"\xef\xbb\xbf[" + b", ".join(spelled) + b"]"
        answer = await door.post(probe, array)
        assert answer.status_code == 200
        refused = answer.json()["rejected"]
        assert [(r["message"], r["channel"], r["reason"]) for r in refused] == [
            (1, "voltage", "not_finite"),
            (3, "\\ud800", "unknown_channel"),
        ]
        assert sorted(await door.stored(probe)) == [0, 2, 4]
        lines = b"\n".join([b"{", *(json.dumps(item(n)).encode() for n in (10, 11))])
        refused = (await door.post(probe, lines)).json()["rejected"]
        assert [(one["message"], one["reason"]) for one in refused] == [
            (0, "malformed")
        ]
        assert sorted(await door.stored(probe)) == [0, 2, 4, 10, 11]

    async def test_a_batch_of_nothing_is_done(
        self, door: DoorStage, probe: str
    ) -> None:
        answer = await door.post(probe, [])
        assert (answer.status_code, answer.json()) == (
            200,
            {"messages": 0, "rejected": []},
        )


class TestWhoMaySend:
    async def test_its_secret_as_basic_or_bearer(
        self, door: DoorStage, probe: str
    ) -> None:
        bearer = {"Authorization": f"Bearer {door.secrets[probe]}"}
        assert (await door.post(probe, item(0))).status_code == 200
        answer = await door.post(probe, item(1), headers=bearer)
        assert answer.status_code == 200
        assert sorted(await door.stored(probe)) == [0, 1]

    async def test_nothing_and_what_is_wrong_is_refused(
        self, door: DoorStage, probe: str
    ) -> None:
        basic = "Basic cHJvYmUtMTp3cm9uZw=="
        for shown in ("", "Bearer", "Bearer wrong", basic, "Basic %%%", "Digest x"):
            headers = {"Authorization": shown}
            refused = await door.post(probe, item(0), headers=headers)
            assert problem(refused, 401)["type"] == "/problems/unauthenticated", shown
            assert "Bearer" in refused.headers["www-authenticate"]
        assert await door.stored(probe) == {}

    async def test_another_publishers_path_is_forbidden(
        self, door: DoorStage, probe: str
    ) -> None:
        pair = httpx2.BasicAuth(OTHER, door.secrets[OTHER])
        request = next(pair.auth_flow(httpx2.Request("POST", door.url)))
        headers = {"Authorization": request.headers["Authorization"]}
        problem(await door.post(probe, item(0), headers=headers), 403)
        other = {"Authorization": f"Bearer {door.secrets[OTHER]}"}
        problem(await door.post(probe, item(0), headers=other), 401)
        assert await door.stored(probe) == {}

    async def test_guessing_is_slowed_down_and_the_right_secret_goes_on(
        self, door: DoorStage, probe: str
    ) -> None:
        assert (await door.post(probe, item(0))).status_code == 200
        wrong = {"Authorization": "Bearer wrong"}
        answers = [await door.post(probe, item(1), headers=wrong) for _ in range(14)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:9] == [401] * 9
        assert statuses[-1] == 429
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        assert (await door.post(probe, item(2))).status_code == 200

    async def test_a_signed_body_needs_no_secret(
        self, door: DoorStage, probe: str
    ) -> None:
        secret = await webhook_secret(door, probe)
        body = gzip.compress(json.dumps(item(0)).encode())
        right, forged = signature(secret, body), signed("0" * 64)
        answer = await door.post(probe, body, headers=right)
        assert answer.status_code == 200
        problem(await door.post(probe, body, headers=forged), 401)
        problem(await door.post(probe, body[:-1], headers=right), 401)
        problem(await door.post(OTHER, body, headers=right), 401)

    async def test_what_is_revoked_ends_within_seconds_and_does_not_come_back(
        self, door: DoorStage, probe: str
    ) -> None:
        leaked = await webhook_secret(door, probe)
        clock = SystemClock()
        began = clock.monotonic()
        await end_secret(door, probe)
        assert clock.monotonic() - began < 5
        database, now, new = door.stage.database, clock.now(), new_secret()
        hashes = {probe: hash_secret(new)}
        await issue(database, hashes, replace=False, actor="test", now=now)
        answer = await door.post(
            probe, item(2), headers={"Authorization": f"Bearer {new}"}
        )
        assert answer.status_code == 200
        body = gzip.compress(json.dumps(item(3)).encode())
        problem(await door.post(probe, body, headers=signature(leaked, body)), 401)
        entries = await database.fetch(
            "SELECT entity, action FROM audit WHERE entity_key = $1 AND actor = 'test' ORDER BY audit_id",
            probe,
        )
        assert [tuple(entry) for entry in entries][1:] == [
            ("webhook_secrets", "rotate"),
            ("credentials", "revoke"),
            ("webhook_secrets", "revoke"),
            ("credentials", "create"),
        ]


class TestWhatIsNotTaken:
    async def test_with_all_of_it_refused_the_answer_says_why_and_it_is_kept(
        self, door: DoorStage, probe: str
    ) -> None:
        answer = await door.post(probe, [item(0, "high"), b"x".decode()])
        refused = problem(answer, 422)["rejected"]
        assert [one["reason"] for one in refused] == ["wrong_type", "malformed"]
        problem(await door.post(probe, b"{"), 422)
        problem(await door.post(probe, b""), 422)
        problem(await door.post(probe, b"[{},"), 422)
        assert (await door.settled(probe, 6)).rejected == 6

    async def test_unknown_places_and_encodings(
        self, door: DoorStage, probe: str
    ) -> None:
        problem(await door.post(probe, item(0), "nothing"), 404)
        problem(await door.post(probe, item(0), "chirpstack"), 404)
        problem(await door.post(probe, item(0), "data/"), 404)
        async with httpx2.AsyncClient() as client:
            asked = await client.get(f"{door.url}/ingest/v1/{probe}/data")
        assert problem(asked, 405)["detail"].startswith("POST ")
        brotli = {"Content-Encoding": "br"}
        problem(await door.post(probe, item(0), headers=brotli), 415)
        zipped = {"Content-Encoding": "gzip"}
        problem(await door.post(probe, b"no gzip", headers=zipped), 400)
        cut = gzip.compress(b"{}")[:-4]
        problem(await door.post(probe, cut, headers=zipped), 400)

    async def test_too_large_is_refused_as_sent_and_as_unpacked(
        self, door: DoorStage, probe: str
    ) -> None:
        problem(await door.post(probe, b" " * (1 << 20) + b"{}"), 413)
        bomb = gzip.compress(b" " * (50 << 20), compresslevel=1)
        zipped = {"Content-Encoding": "gzip"}
        problem(await door.post(probe, bomb, headers=zipped), 413)
        assert (await door.post(probe, item(0))).status_code == 200


class TestSlowAndBroken:
    async def test_half_a_header_and_half_a_body_are_let_go(
        self, door: DoorStage, probe: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PunctualProtocol, "header_seconds", 0.1)
        monkeypatch.setattr(BodyReader, "seconds", 0.1)
        assert await door.talk(b"POST /ingest/v1/probe-1/da") == b""
        whole = door.raw_request(probe, item(0))
        assert (await door.talk(whole[:-5])).startswith(b"HTTP/1.1 408")
        assert (await door.talk(whole)).startswith(b"HTTP/1.1 200")

    async def test_bodies_that_come_slowly_and_prove_nothing_hold_up_nobody(
        self, door: DoorStage, probe: str
    ) -> None:
        await webhook_secret(door, probe)
        assert (await door.post(probe, item(0))).status_code == 200
        head = (
            f"POST /ingest/v1/{probe}/data HTTP/1.1\r\nHost: door\r\nX-Signature-256: sha256=0\r\n"
            "Content-Encoding: gzip\r\nContent-Length: 1048576\r\n\r\n"
        )
        body = gzip.compress(json.dumps(item(1)).encode())
        async with AsyncExitStack() as slow:
            for _ in range(12):
                writer = await slow.enter_async_context(door.connected())
                writer.write(head.encode() + body[:1])
                await writer.drain()
            zipped = {"Content-Encoding": "gzip"}
            answer = await door.post(OTHER, body, headers=zipped)
            assert answer.status_code == 200
            answer = await door.post(probe, body, headers=zipped)
            assert answer.status_code == 200

    async def test_who_leaves_before_the_answer_changes_nothing(
        self, door: DoorStage, probe: str
    ) -> None:
        async with door.stage.database.transaction():
            await door.stage.database.execute("LOCK observations IN EXCLUSIVE MODE")
            async with door.connected() as writer:
                writer.write(door.raw_request(probe, item(0)))
                await until(door.ingest_waits_for_a_lock)

        async def is_stored() -> bool:
            return sorted(await door.stored(probe)) == [0]

        await until(is_stored)
        assert (await door.post(probe, item(1))).status_code == 200

    async def test_while_the_database_is_away_senders_are_told_to_come_again(
        self,
        door: DoorStage,
        probe: str,
        probes: Iterator[str],
        postgres: PostgresCluster,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await end_secret(door, next(probes))
        monkeypatch.setattr(WaitingRoom, "most_bytes", 4_000)
        monkeypatch.setattr(Counter, "commit_seconds", 0.3)
        assert (await door.post(probe, item(0))).status_code == 200
        name = str(door.stage.settings.database_url.path).strip("/")
        keep_out = f"ALTER DATABASE {name} ALLOW_CONNECTIONS"
        postgres.sql(f"{keep_out} false;")
        await door.stage.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'alatau-ingest%'"
        )
        away = await door.post(probe, item(1))
        assert problem(away, 503)["type"] == "/problems/unavailable"
        assert int(away.headers["retry-after"]) > 0
        problem(await door.post(OTHER, item(1)), 503)  # nobody can say who it is
        crowd = [await door.post(probe, item(n)) for n in range(2, 8)]
        assert {answer.status_code for answer in crowd} == {503, 429}
        assert int(crowd[-1].headers["retry-after"]) > 0
        postgres.sql(f"{keep_out} true;")

        async def is_back() -> bool:
            return (await door.post(probe, item(1))).status_code == 200

        await until(is_back)
        for offset in range(2, 8):
            assert (await door.post(probe, item(offset))).status_code == 200
        assert sorted(await door.stored(probe)) == list(range(8))
        account = await door.settled(probe, 8)
        assert account.stored == 8
        assert account.duplicate >= 2


class TestWebhooks:
    async def test_the_things_stack(self, door: DoorStage, probe: str) -> None:
        golden = (
            Path(__file__).parents[1] / "golden" / "tts" / "uplink" / "message.json"
        )
        event = json.loads(golden.read_text(encoding="utf-8"))
        event["uplink_message"]["received_at"] = SystemClock().now().isoformat()
        event["uplink_message"]["decoded_payload"] = {"voltage": 231.5}
        for _ in range(2):
            answer = await door.post("gw-1", event, "tts")
            assert (answer.status_code, answer.json()["rejected"]) == (200, [])
        assert [231.5, None] in (await door.stored("soil-1")).values()
        ids = event["end_device_ids"]
        for other in ("join_accept", "downlink_ack"):
            answer = await door.post("gw-1", {"end_device_ids": ids, other: {}}, "tts")
            assert answer.status_code == 200, other
        # Another publisher does not host it; a network server hears of no failure, which would make it stop.
        foreign = await door.post(probe, event, "tts")
        assert foreign.status_code == 200
        assert foreign.json()["rejected"][0]["reason"] == "not_hosted"

    async def test_chirpstack(self, door: DoorStage) -> None:
        event = {
            "deduplicationId": "a7b5",
            "time": SystemClock().now().isoformat(),
            "deviceInfo": {"devEui": DEV_EUI, "applicationName": "parks"},
            "fPort": 2,
            "data": "AQ4C",
            "object": {"voltage": 229.5},
            "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -48, "snr": 9}],
        }
        answer = await door.post("gw-1", event, "chirpstack?event=up")
        assert (answer.status_code, answer.json()["rejected"]) == (200, [])
        assert [229.5, None] in (await door.stored("soil-1")).values()
        for other in ("join", "txack", "brandnew"):
            answer = await door.post("gw-1", event, f"chirpstack?event={other}")
            assert answer.status_code == 200, other


@pytest.mark.asyncio(loop_scope="function")
async def test_with_a_certificate_it_speaks_tls_and_half_a_pair_is_refused(
    broker: Broker, database_url: str, tmp_path: Path
) -> None:
    authority = new_authority(SystemClock().now())
    key, chain = sign_server(authority, ["127.0.0.1"], SystemClock().now())
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    trusted = ssl.create_default_context(cadata=authority.pem.decode())
    async with door_stage(broker, database_url) as door:
        half = {"door_certificate": tmp_path / "chain.pem"}
        whole = {**half, "door_key": tmp_path / "key.pem"}
        with pytest.raises(ConfigurationError):
            async with door.with_settings(half).stage.ingest() as ingest:
                await ingest
        async with (
            door.with_settings(whole).stage.ingest(),
            httpx2.AsyncClient(verify=trusted) as client,
        ):
            url = f"https://127.0.0.1:{door.port}/ingest/v1/probe-1/data"
            auth = httpx2.BasicAuth("probe-1", door.secrets["probe-1"])

            async def is_stored() -> bool:
                try:
                    answer = await client.post(url, json=item(0), auth=auth)
                except httpx2.ConnectError:
                    return False
                return answer.status_code == 200

            await until(is_stored)
        assert sorted(await door.stored("probe-1")) == [0]
