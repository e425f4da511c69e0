"""What a stranger meets: mosquitto_pub on one side; HTTP, SQL and the event stream on the other; a login between."""

import asyncio
import datetime as dt
import json
import subprocess
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

import asyncpg
import httpx2
import pytest

from services.core.clock import SystemClock, from_milliseconds
from tests.installation import Installation, installation, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]

STATION = "air-gate-1"
PUBLIC = f"{STATION}.pm2_5"
A_SECOND = 1.0


@pytest.fixture(scope="module")
def city() -> Iterator[Installation]:
    with installation("foreign") as made:
        made.up("--no-sim")
        yield made


@pytest.fixture(scope="module")
def token(city: Installation) -> str:
    login = {"name": "operator", "password": city.operator_password}
    return str(httpx2.post(f"{api(city)}/login", json=login).json()["token"])


def api(city: Installation) -> str:
    return f"http://127.0.0.1:{city.port_base}/api/v1"


def opendata(city: Installation) -> str:
    return f"http://127.0.0.1:{city.port_base}/open/v1"


def publish(
    city: Installation,
    publisher: str,
    topic_of: str,
    message: str,
    secret: str = "",
) -> subprocess.CompletedProcess[str]:
    address = ["-V", "5", "-h", "127.0.0.1", "-p", str(city.port_base + 1)]
    identity = ["-u", publisher, "-P", secret or city.secret_of(publisher)]
    return subprocess.run(
        [
            "mosquitto_pub",
            *address,
            *identity,
            "-q",
            "1",
            "-t",
            f"city/v1/{topic_of}/data",
            "-m",
            message,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def second_of(time_ms: int) -> str:
    """The second around a time, as query parameters."""
    start = from_milliseconds(time_ms).replace(microsecond=0)
    end = start + dt.timedelta(seconds=1)
    return urlencode({"start": start.isoformat(), "end": end.isoformat()})


def results(answer: httpx2.Response) -> list[float]:
    return [
        one["result"]
        for series in answer.json()["series"]
        for one in series["observations"]
    ]


def test_a_value_is_everywhere_within_a_second(city: Installation, token: str) -> None:
    time_ms = SystemClock().now_ms() // 1000 * 1000
    message = json.dumps({"time": time_ms, "values": {"pm2_5": 12.25}})
    assert publish(city, STATION, STATION, message).returncode == 0
    query = f"datastream={PUBLIC}&{second_of(time_ms)}"

    def in_sql() -> list[float]:
        return asyncio.run(read_as_reader(city, time_ms))

    until("SQL", lambda: in_sql() == [12.25], A_SECOND)
    until(
        "the operator API",
        lambda: (
            results(city.get(f"{api(city)}/observations?{query}", token)) == [12.25]
        ),
        A_SECOND,
    )
    until(
        "open data",
        lambda: results(city.get(f"{opendata(city)}/observations?{query}")) == [12.25],
        A_SECOND,
    )
    until(
        "the newest values",
        lambda: any(
            entry["result"] == 12.25
            for entry in city.get(f"{opendata(city)}/latest").json()["items"]
        ),
        A_SECOND,
    )


async def read_as_reader(city: Installation, time_ms: int) -> list[float]:
    """Through the URL that `status --json` gives to anybody who may read SQL."""
    connection = await asyncpg.connect(city.status()["urls"]["database"])
    try:
        rows = await connection.fetch(
            "SELECT result FROM observations_flat WHERE datastream = $1"
            " AND phenomenon_time = to_timestamp($2::float8 / 1000)",
            PUBLIC,
            time_ms,
        )
        return [row["result"] for row in rows]
    finally:
        await connection.close()


def test_a_bad_message_is_in_the_rejected_list_with_its_reason(
    city: Installation, token: str
) -> None:
    bad = {
        "": "malformed",
        '{"values": {"pm2_5": 1}}': "time_missing",
        '{"time": 1, "values": {"pm2_5": 1}}': "too_old",
    }
    for message in bad:
        publish(city, STATION, STATION, message or "{")

    def reasons() -> set[str]:
        listed = city.get(
            f"{api(city)}/rejected-messages?publisher={STATION}", token
        ).json()["items"]
        return {entry["reason"] for entry in listed}

    until("all reasons", lambda: reasons() >= set(bad.values()), A_SECOND * 3)


def test_a_device_added_while_all_runs_can_publish(
    city: Installation, token: str
) -> None:
    device = "air-avenue-1"
    printed = city.command(
        "devices", "add", device, "--type", "air_station", "--thing", "gate-avenue-1"
    )
    secret = printed.splitlines()[1].removeprefix(f"{device},")
    time_ms = SystemClock().now_ms() // 1000 * 1000
    message = json.dumps({"time": time_ms, "values": {"pm2_5": 9.75}})
    until(
        "the broker knows it",
        lambda: publish(city, device, device, message, secret).returncode == 0,
    )
    query = f"datastream=gate-avenue-1.pm2_5&{second_of(time_ms)}"
    for place, url, login in (
        ("the operator API", f"{api(city)}/observations?{query}", token),
        ("open data", f"{opendata(city)}/observations?{query}", None),
    ):
        until(place, partial(_says, city, url, login, [9.75]), A_SECOND * 3)
    shown = json.loads(city.command("devices", "show", device, "--json"))
    assert shown["may_connect"]


def _says(city: Installation, url: str, token: str | None, wanted: list[float]) -> bool:
    answer = city.get(url, token)
    return answer.status_code == 200 and results(answer) == wanted


def test_another_devices_topic_is_refused(city: Installation, token: str) -> None:
    time_ms = SystemClock().now_ms()
    refused = publish(
        city,
        STATION,
        "air-gate-2",
        json.dumps({"time": time_ms, "values": {"pm2_5": 77.0}}),
    )
    assert "ot authorized" in refused.stderr
    publish(
        city, STATION, STATION, json.dumps({"time": time_ms, "values": {"pm2_5": 13.0}})
    )
    until(
        "a later message of our own",
        lambda: any(
            entry["result"] == 13.0
            for entry in city.get(f"{opendata(city)}/latest").json()["items"]
        ),
    )
    latest = city.get(f"{api(city)}/latest?thing=air-gate-2", token).json()["items"]
    assert all(entry["result"] != 77.0 for entry in latest)


def test_a_wrong_secret_is_refused(city: Installation) -> None:
    address = [
        "-h",
        "127.0.0.1",
        "-p",
        str(city.port_base + 1),
        "-u",
        STATION,
        "-P",
        "wrong",
    ]
    refused = subprocess.run(
        ["mosquitto_pub", *address, "-t", f"city/v1/{STATION}/data", "-m", "{}"],
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0


def test_the_operator_api_wants_a_login(city: Installation) -> None:
    refused = city.get(f"{api(city)}/things")
    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"
