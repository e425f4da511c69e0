"""What commands say where there is nothing to show, and where another command is meant."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from services.cli import devices, ledger, rejected
from services.core.storage.commands import NoSecretToRotateError

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _installation(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)


def run(*words: str) -> Result:
    app = typer.Typer()
    for part in (devices, ledger, rejected):
        part.register(app)
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    ("words", "sentence", "as_json"),
    [
        (("ledger", "--gaps"), "No numbers are missing or lost.", []),
        (
            ("rejected", "list"),
            "No open refusals of the last 24h fit; --since looks further back.",
            [],
        ),
        (
            ("rejected", "count", "--since", "9m"),
            "No refusals of the last 9m fit; --since looks further back.",
            {"groups": [], "floods": []},
        ),
    ],
)
def test_nothing_is_told_in_a_sentence(
    words: tuple[str, ...], sentence: str, as_json: object
) -> None:
    assert run(*words).output == f"{sentence}\n"
    assert json.loads(run(*words, "--json").output) == as_json


def test_a_device_is_not_asked_to_rotate_by_a_plain_command() -> None:
    refused = run("devices", "ask", "gw-1", "rotate", "--set", "secret=in-the-open")
    assert isinstance(refused.exception, NoSecretToRotateError)
    assert run("devices", "ask", "gw-1", "open_valve").exit_code == 2
