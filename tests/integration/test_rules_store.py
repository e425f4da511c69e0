"""The rulebook in the database, and `alatau rules`."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from services.cli.rules import register
from services.core.errors import RuleError
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city
from services.core.storage.rule_store import (
    RuleAction,
    apply_rules,
    list_rules,
    load_rulebook,
    load_vocabulary,
)
from tests.rule_stories import checked_rules, make_city, rule_document
from tests.unit.city.small_city import small_city

pytestmark = pytest.mark.integration


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    await apply_city(opened, small_city(), retire=False, actor="test", dry_run=False)
    yield opened
    await opened.close()


async def put(
    connection: Connection, *, retire: bool = False, **documents: Any
) -> list[tuple[str, str]]:
    rules = checked_rules(small_city(), **documents)
    changes = await apply_rules(connection, rules, "ann", retire=retire, dry_run=False)
    return [(change.action, change.key) for change in changes]


async def revision(connection: Connection) -> int:
    found: int = await connection.fetchval("SELECT revision FROM registry_state")
    return found


async def test_a_rule_is_created_changed_retired_and_restored(
    connection: Connection,
) -> None:
    before = await revision(connection)
    assert await put(connection, low=rule_document()) == [(RuleAction.CREATE, "low")]
    changed = rule_document(hold_for="1min")
    assert await put(connection, low=changed) == [(RuleAction.CHANGE, "low")]
    assert await put(connection, low=changed) == []
    other = rule_document()
    assert await put(connection, other=other) == [(RuleAction.CREATE, "other")]
    assert await put(connection, retire=True, other=other) == [
        (RuleAction.RETIRE, "low")
    ]
    assert await put(connection, low=changed) == [(RuleAction.RESTORE, "low")]
    (low, _) = await list_rules(connection)
    assert (low.version, low.retired) == (4, False)
    assert await revision(connection) == before + 5


async def test_every_change_is_in_the_audit(connection: Connection) -> None:
    await put(connection, low=rule_document())
    await put(connection, low=rule_document(hold_for="1min"))
    rows = await connection.fetch(
        "SELECT actor, action, old, new FROM audit WHERE entity = 'rules' ORDER BY audit_id"
    )
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("ann", "create"),
        ("ann", "change"),
    ]
    assert rows[0]["old"] is None
    assert (rows[1]["old"]["hold_for"], rows[1]["new"]["hold_for"]) == ("10s", "1min")


async def test_a_dry_run_tells_and_writes_nothing(connection: Connection) -> None:
    before = await revision(connection)
    rules = checked_rules(small_city(), low=rule_document())
    changes = await apply_rules(connection, rules, "ann", retire=False, dry_run=True)
    assert [change.key for change in changes] == ["low"]
    assert await list_rules(connection) == []
    assert await revision(connection) == before


async def test_the_database_knows_the_names_that_the_city_file_knows(
    connection: Connection,
) -> None:
    from services.core.alerting.rule_file import Vocabulary  # noqa: PLC0415

    stored = await load_vocabulary(connection)
    of_file = Vocabulary.of_city(small_city())
    assert stored.catalogue == of_file.catalogue
    assert stored.names == of_file.names


async def test_a_stored_rule_that_the_city_has_outgrown_is_named_and_left_out(
    connection: Connection,
) -> None:
    await put(connection, low=rule_document(), flow=rule_document(target={"observed_property": "flow"}))  # fmt: skip
    await connection.execute(
        "UPDATE observed_properties SET retired_at = now() WHERE key = 'level'"
    )
    rulebook = await load_rulebook(connection)
    assert [checked.rule.key for checked in rulebook.rules] == ["flow"]
    assert "low: target: observed_property: 'level' is not in the catalogue" in rulebook.broken[0]  # fmt: skip


class TestCommand:
    @pytest.fixture
    def app(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
        monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
        app = typer.Typer()
        register(app)
        app.command("other")(lambda: None)
        return app

    @pytest.fixture
    async def laid_out(self, database_url: str) -> None:
        connection = await connect(database_url, "test")
        await make_city(connection, low=rule_document())
        await connection.close()

    def run(self, app: typer.Typer, *words: str) -> str:
        result = CliRunner().invoke(app, ["rules", *words])
        assert result.exit_code == 0, result.output
        return result.output

    def rule_file(self, folder: Path, **documents: Any) -> Path:
        file = folder / "rules.yaml"
        file.write_text(yaml.safe_dump({"rules": documents}, allow_unicode=True))
        return file

    @pytest.mark.usefixtures("laid_out")
    def test_apply_a_folder_show_the_difference_and_list(
        self, app: typer.Typer, tmp_path: Path
    ) -> None:
        changed = rule_document(hold_for="1min")
        self.rule_file(tmp_path, low=changed, more=rule_document())
        printed = self.run(app, "apply", str(tmp_path))
        assert "hold_for: '10s' → '1min'" in printed
        assert "+ more" in printed
        assert "nothing to change" in self.run(app, "apply", str(tmp_path))
        listed = json.loads(self.run(app, "list", "--json"))
        assert [(rule["key"], rule["version"]) for rule in listed] == [
            ("low", 2),
            ("more", 1),
        ]
        assert json.loads(self.run(app, "show", "low"))["document"] == changed

    def test_check_needs_no_database(self, app: typer.Typer) -> None:
        shipped = Path(__file__).parents[2] / "deploy" / "city" / "rules"
        assert "no problem" in self.run(app, "check", str(shipped))

    def test_check_ends_with_every_problem_and_its_line(
        self, app: typer.Typer, tmp_path: Path
    ) -> None:
        file = self.rule_file(tmp_path, low=rule_document(kind="magic"), x=3)
        result = CliRunner().invoke(app, ["rules", "check", str(file)])
        assert isinstance(result.exception, RuleError)
        assert any(
            "rules.yaml:" in problem and "'magic' is not one of" in problem
            for problem in result.exception.problems
        )

    def test_a_file_that_is_not_there_is_named(
        self, app: typer.Typer, tmp_path: Path
    ) -> None:
        result = CliRunner().invoke(app, ["rules", "check", str(tmp_path / "no.yaml")])
        assert "no.yaml: No such file" in str(result.exception)
