"""`alatau alerts`: what an operator sees in the terminal, and how they acknowledge."""

import asyncio
import json

import pytest
import typer
from typer.testing import CliRunner

from services.cli.alerts import register
from services.core.storage.pool import connect
from tests.rule_stories import NAN, Story, make_city, rule_document, run_rules

pytestmark = pytest.mark.integration


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A city whose tank has run low."""
    asyncio.run(run_low(database_url))
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    return app


async def run_low(database_url: str) -> None:
    connection = await connect(database_url, "test")
    await make_city(connection, low=rule_document())
    story = Story(seconds=20)
    story.reports_every(5, [NAN, 1.8], between=(0, 20))
    await story.log(connection)
    await run_rules(connection)
    await connection.close()


def run(app: typer.Typer, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["alerts", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_it_is_seen_acknowledged_and_stays_until_it_ends(app: typer.Typer) -> None:
    table = run(app, "--once")
    for word in ("1 v2", "◆ medium", "firing", "1.8 m"):
        assert word in table
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "acknowledged by ann" in run(app, "ack", "1", "--version", "2", "--who", "ann")  # fmt: skip
    assert "seen by ann" in run(app, "--once")
    (alert,) = json.loads(run(app, "--json"))
    assert (alert["state"], alert["acknowledged_by"], alert["version"]) == ("firing", "ann", 3)  # fmt: skip


def test_a_wide_terminal_shows_what_to_do(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = json.loads(run(app, "--json"))[0]["action"]["en"]
    assert f"→ {action}" not in run(app, "--once")
    monkeypatch.setenv("COLUMNS", "140")
    assert f"→ {action}" in run(app, "--once")


def test_times_are_the_citys(app: typer.Typer) -> None:
    """The tank has been low since the story's start, 04:00 UTC, which is 09:00 in Almaty; on another day its date is said."""
    table = run(app, "--once")
    assert " 09:00" in table
    assert "04:00" not in table


def test_when_nothing_wants_attention_it_says_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    assert run(app, "--once") == "Nothing wants attention.\n"
    assert run(app, "--once", "--lang", "ru") == "Ничто не требует внимания.\n"


def test_a_refusal_says_why(app: typer.Typer) -> None:
    assert "version 2 now" in run(app, "ack", "1", "--version", "1", code=1)
    assert "no such alert" in run(app, "ack", "9", "--version", "1", code=1)


def test_a_language_that_the_city_does_not_speak_is_refused(app: typer.Typer) -> None:
    run(app, "--once", "--lang", "kk")
    run(app, "--once", "--lang", "fr", code=2)
