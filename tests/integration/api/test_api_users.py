"""`alatau users` on a real database."""

import asyncio
import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.api.auth.passwords import Passwords
from services.api.auth.store import find_credentials
from services.cli.users import UserError, register
from services.core.storage.pool import connect

pytestmark = pytest.mark.integration


@pytest.fixture
def alatau(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command and gives what it wrote."""
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    app = typer.Typer()
    register(app)

    def run(*words: str, typed: str | None = None) -> str:
        result = CliRunner().invoke(app, ["users", *words], input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return run


def matches(database_url: str, name: str, password: str) -> bool:
    async def ask() -> bool:
        connection = await connect(database_url, "test")
        found = await find_credentials(connection, name)
        await connection.close()
        return found is not None and await Passwords().matches(password, found[1])

    return asyncio.run(ask())


def test_a_user_is_added_with_a_generated_password_and_a_scope(
    alatau: Any, database_url: str
) -> None:
    added = json.loads(
        alatau("add", "dana", "--role", "operator", "--domain", "water", "--json")
    )
    assert len(added["password"]) >= 24
    assert matches(database_url, "dana", added["password"])
    assert json.loads(alatau("list", "--json")) == [
        {
            "name": "dana",
            "role": "operator",
            "domains": ["water"],
            "districts": None,
            "disabled": False,
        }
    ]
    assert "dana  operator  water all" in alatau("list")


def test_a_new_password_replaces_the_old_one(alatau: Any, database_url: str) -> None:
    first = json.loads(alatau("add", "dana", "--json"))["password"]
    second = json.loads(alatau("passwd", "dana", "--json"))["password"]
    assert not matches(database_url, "dana", first)
    assert matches(database_url, "dana", second)
    said = alatau("passwd", "dana", "--ask", typed="long enough now\nlong enough now\n")
    assert "long enough now" not in said
    assert matches(database_url, "dana", "long enough now")


def test_a_disabled_user_has_no_credentials(alatau: Any, database_url: str) -> None:
    password = json.loads(alatau("add", "dana", "--json"))["password"]
    alatau("disable", "dana")
    assert not matches(database_url, "dana", password)
    assert "(disabled)" in alatau("list")
    alatau("enable", "dana")
    assert matches(database_url, "dana", password)


def test_what_cannot_be_done_is_said(alatau: Any) -> None:
    alatau("add", "dana")
    for words in (
        ("add", "dana"),
        ("add", "other", "--role", "king"),
        ("passwd", "nobody"),
        ("disable", "nobody"),
    ):
        with pytest.raises(UserError):
            alatau(*words)
    with pytest.raises(UserError, match="12 characters"):
        alatau("passwd", "dana", "--ask", typed="short\nshort\n")
