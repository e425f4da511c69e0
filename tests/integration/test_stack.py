"""`alatau up` and its sisters with everything real: two installations, crashes, secrets."""

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.native.postgres import PostgresCluster, find_binaries
from services.core.broker import users
from tests.installation import ALATAU, Installation, installation, until
from tests.stack_fixtures import Broker, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
SERVICES = {"database", "broker-door", "broker", "ingest", "rules", "history", "api"}


@pytest.fixture(scope="module")
def city() -> Iterator[Installation]:
    """One installation for the tests that leave it running."""
    with installation("stack") as place:
        place.up("--no-sim")
        yield place


def query(dsn: str, statement: str) -> subprocess.CompletedProcess[str]:
    command = [str(find_binaries() / "psql"), "-XAtq", dsn, "-c", statement]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_status_tells_where_everything_is(city: Installation) -> None:
    status = city.status()
    assert status["services"].keys() == SERVICES
    for entry in status["services"].values():
        assert entry.keys() >= {"state", "pid", "url", "restarts", "since"}
        assert entry["state"] == "running"
        assert Path(f"/proc/{entry['pid']}").exists()
    there = {
        "door",
        "console",
        "api",
        "opendata",
        "sensorthings",
        "mqtt",
        "database",
        "docs",
    }
    assert status["urls"].keys() >= there
    assert status["urls"]["mqtt"] == f"mqtt://127.0.0.1:{city.port_base + 1}"
    assert status["urls"]["mqtts"] == f"mqtts://localhost:{city.port_base + 8}"
    assert status["version"]


def documented(city: Installation, page: str) -> Iterator[str]:
    """What a page of docs/formats tells to type, after it was done what it tells to register; the secret is exported."""
    text = (ROOT / "docs" / "formats" / f"{page}.md").read_text(encoding="utf-8")
    secrets = {"air-gate-1": city.secret_of("air-gate-1")}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        words = shlex.split(line, comments=True) if "alatau devices add" in line else []
        if words[:3] == ["alatau", "devices", "add"]:
            said = city.command(*words[1:])
            secrets |= dict(row.split(",") for row in said.splitlines() if "," in row)
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        publisher = next(key for key in secrets if f"/{key}/" in block)
        yield f"SECRET='{secrets[publisher]}'\n{block}"


def test_the_https_doors_pages_show_what_they_stored(city: Installation) -> None:
    urls = city.status()["urls"]
    environment = {**os.environ, "DOOR": urls["door"], "CITY": urls["site"]}
    for page, values in (
        ("https-door", ("11.5", "unknown_channel")),
        ("the-things-stack", ("9.5", "21.25")),
        ("chirpstack-http", ("10.5", "22.25")),
    ):
        for commands in documented(city, page):

            def shows(
                commands: str = commands, values: tuple[str, ...] = values
            ) -> bool:
                done = subprocess.run(
                    ["bash", "-ec", commands],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stdout + done.stderr
                return all(value in done.stdout for value in values)

            until(f"{page} shows {values}", shows)
    assert "air-gate-1," in city.command("devices", "webhook", "air-gate-1")


def test_the_databases_url_reads_and_writes_nothing(city: Installation) -> None:
    dsn = city.status()["urls"]["database"]
    assert "@127.0.0.1:" in dsn
    assert int(query(dsn, "SELECT count(*) FROM datastreams").stdout) >= 2000
    for statement in (
        "DELETE FROM devices",
        "SELECT * FROM credentials",
        "SELECT * FROM users",
        "SET default_transaction_read_only = off; INSERT INTO journal DEFAULT VALUES",
    ):
        assert "permission denied" in query(dsn, statement).stderr or (
            "read-only" in query(dsn, statement).stderr
        )


def test_the_dashboards_role_reads_its_schema_and_is_held_short(
    city: Installation,
) -> None:
    dsn = (city.home / "secrets/grafana.dsn").read_text().strip()
    assert int(query(dsn, "SELECT count(*) FROM dashboards.datastreams").stdout) > 1000
    for setting, value in {
        "default_transaction_read_only": "on",
        "statement_timeout": "10s",
        "jit": "off",
    }.items():
        assert query(dsn, f"SHOW {setting}").stdout.strip() == value
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
    assert int(query(dsn, limit).stdout) == 20
    for refused in (
        "SELECT * FROM observations LIMIT 1",
        "SELECT * FROM credentials",
        "SET TRANSACTION READ WRITE; CREATE TEMPORARY TABLE mine (x int)",
        "SET TRANSACTION READ WRITE; CREATE TABLE public.mine (x int)",
    ):
        assert "permission denied" in query(dsn, refused).stderr


def test_no_service_may_do_more_than_its_own(city: Installation) -> None:
    secrets = city.home / "secrets"
    for service, foreign in {
        "ingest": "UPDATE rules SET enabled = false",
        "rules": "DELETE FROM observations",
        "history": "UPDATE devices SET retired_at = now()",
        "api": "SELECT secret_hash FROM credentials",
        "broker-door": "SELECT * FROM users",
    }.items():
        dsn = (secrets / f"{service}.dsn").read_text().strip()
        assert query(dsn, "SELECT revision FROM registry_state").returncode == 0
        assert "permission denied" in query(dsn, foreign).stderr, service


def test_no_secret_is_in_a_log_a_process_list_or_an_environment(
    city: Installation,
) -> None:
    secrets = [
        path.read_text().strip()
        for path in (city.home / "secrets").iterdir()
        if path.suffix != ".csv"
    ]
    assert len(secrets) > 10
    places = [*(city.home / "logs").iterdir()]
    for entry in city.status()["services"].values():
        places += [
            Path(f"/proc/{entry['pid']}/{name}") for name in ("cmdline", "environ")
        ]
    for place in places:
        text = place.read_bytes().decode(errors="replace")
        assert not [secret for secret in secrets if secret in text], place


def test_everything_belongs_to_a_user_that_is_not_root(city: Installation) -> None:
    assert city.home.stat().st_mode & 0o777 == 0o700
    for entry in city.status()["services"].values():
        assert (
            Path(f"/proc/{entry['pid']}").stat().st_uid == city.home.stat().st_uid != 0
        )


def test_the_consoles_link_logs_in_and_is_in_no_log(city: Installation) -> None:
    """As root there is no browser to open, so it is printed."""
    link = city.command("console", DISPLAY=":0").strip()
    address, _, token = link.partition("#session=")
    assert address == city.status()["urls"]["console"]
    me = city.get(f"{city.status()['urls']['api']}/users/me", token)
    assert me.json()["name"] == "operator"
    assert city.command("console", "--print").startswith(address)
    assert city.get(address).headers["content-type"].startswith("text/html")
    assert token not in "".join(log.read_text() for log in city.home.glob("logs/*"))


def test_up_again_changes_nothing(city: Installation) -> None:
    before = city.status()["supervisor"]
    city.up("--no-sim")
    assert city.status()["supervisor"] == before


def test_a_second_installation_runs_beside_the_first(city: Installation) -> None:
    """In a home whose path is too long for sockets."""
    with installation("other", "a-long-name-" * 10) as other:
        other.up("--no-sim")
        first, second = city.status(), other.status()
        assert not set(first["urls"].values()) & set(second["urls"].values())
        assert all(entry["state"] == "running" for entry in second["services"].values())
        Installation(other.home, city.port_base).up(
            "--no-sim"
        )  # it runs: no port is asked for
        other.down()
        assert other.run("status").returncode == 3
    assert city.status()["ready"]


def test_a_taken_port_is_named(city: Installation) -> None:
    with installation("clash") as clash:
        failed = Installation(clash.home, city.port_base + 2).try_up("--no-sim")
        assert failed.returncode == 1
        assert f"{city.port_base + 2}" in failed.stdout + failed.stderr


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_killed_process_is_back_and_disturbs_no_other(
    city: Installation, name: str
) -> None:
    before = city.status()["services"]
    os.kill(before[name]["pid"], signal.SIGKILL)
    wait_until(
        lambda: (
            city.service(name)["restarts"] > before[name]["restarts"]
            and city.service(name)["state"] == "running"
        ),
        seconds=30,
    )
    after = city.status()["services"]
    disturbed = {
        other
        for other in SERVICES - {name}
        if after[other]["pid"] != before[other]["pid"]
    }
    assert not disturbed
    assert city.status()["supervisor"]


def test_a_killed_supervisor_leaves_nothing_and_the_next_start_mends(
    city: Installation,
) -> None:
    status = city.status()
    os.kill(status["supervisor"], signal.SIGKILL)
    pids = [entry["pid"] for entry in status["services"].values()]
    wait_until(lambda: not any(map(is_alive, pids)), seconds=10)
    assert city.run("status").returncode == 3
    city.up("--no-sim")
    assert city.status()["ready"]


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_ctrl_c_stops_all_in_order_and_the_login_is_shown_once() -> None:
    with installation("front") as place:
        first = foreground(place)
        password = (place.home / "secrets" / "operator").read_text().strip()
        assert password in first
        assert "Console" in first
        assert "#session=" not in first  # it goes to a file here, not to a screen
        order = [line.split()[0] for line in first.splitlines() if " stopped " in line]
        assert order.index("api") < order.index("broker") < order.index("database")
        second = foreground(place)
        assert password not in second
        assert "operator" in second


def foreground(place: Installation) -> str:
    """Start in the foreground, press Ctrl-C when the table is there; all that was said."""
    command = [*ALATAU, "up", "--no-sim", "--home", str(place.home)]
    base = ["--port-base", str(place.port_base)]
    out = place.home.with_name("out")
    with out.open("wb") as said:
        process = subprocess.Popen(  # our own command
            [*command, *base], stdout=said, stderr=said, start_new_session=True
        )
    wait_until(lambda: "Ctrl-C" in out.read_text() or process.poll() is not None, 60)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 0, out.read_text()
    return out.read_text()


def test_servers_of_ones_own_are_used(
    postgres: PostgresCluster, database_url: str, broker: Broker
) -> None:
    with installation("own") as place:
        env = {
            "ALATAU_DATABASE_URL": database_url,
            "ALATAU_BROKER_URL": f"mqtt://{users.INGEST}:{broker.secrets[users.INGEST]}@127.0.0.1:{broker.port}",
        }
        place.up("--no-sim", **env)
        status = place.status()
        assert status["services"].keys() == {"ingest", "rules", "history", "api"}
        assert status["urls"]["mqtt"] == broker.device_url
        assert int(query(database_url, "SELECT count(*) FROM devices").stdout) > 400
        place.down()


def test_down_and_doctor_without_an_installation() -> None:
    with installation("none") as place:
        assert place.run("down").returncode == 0
        assert place.run("status").returncode == 3
        assert "alatau up" in place.run("console").stderr
        assert json.loads(place.run("status", "--json").stdout)["services"] == {}
        diagnosis = place.run("doctor", "--json")
        assert diagnosis.returncode == 1
        findings = {entry["subject"]: entry for entry in json.loads(diagnosis.stdout)}
        assert "alatau up" in findings["installation"]["remedy"]
