"""The rulebook in the database: read by the rules service, written by `alatau rules apply`; versioned and audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.core.alerting.rule_file import CheckedRule, Vocabulary, read_rule
from services.core.city.catalogue import (
    Aggregation,
    Domain,
    Kind,
    ObservedProperty,
    Privacy,
    Span,
    StateCode,
)
from services.core.city.fields import Notes
from services.core.city.language import Text
from services.core.storage.pool import Connection

Document = Mapping[str, Any]

_NAMES = {
    "district": "SELECT key FROM districts WHERE retired_at IS NULL",
    "device_type": "SELECT key FROM device_types WHERE retired_at IS NULL",
    "thing": "SELECT key FROM things WHERE retired_at IS NULL",
    "thing_kind": "SELECT DISTINCT kind FROM things WHERE retired_at IS NULL",
    "channel": "SELECT DISTINCT channel FROM device_type_channels WHERE retired_at IS NULL",
}
_PUT = """
INSERT INTO rules (key, version, document, enabled, revision) VALUES ($1, 1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE
SET version = rules.version + 1, document = excluded.document, enabled = excluded.enabled,
    retired_at = NULL, revision = excluded.revision
"""
_RETIRE = """
UPDATE rules SET version = version + 1, retired_at = now(), revision = $2 WHERE key = $1
"""
_AUDIT = """
INSERT INTO audit (actor, action, entity, entity_key, old, new) VALUES ($1, $2, 'rules', $3, $4, $5)
"""


class RuleAction(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    RESTORE = "restore"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class StoredRule:
    key: str
    version: int
    document: Document
    enabled: bool
    retired: bool


@dataclass(frozen=True, slots=True)
class RuleChange:
    """old, new: the rule's document before and after; None: not there."""

    action: RuleAction
    key: str
    old: Document | None
    new: CheckedRule | None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules that are in force. broken: stored, and no longer fitting the city; by problem."""

    rules: tuple[CheckedRule, ...]
    broken: tuple[str, ...]


async def list_rules(connection: Connection) -> list[StoredRule]:
    """All rules by key, the retired too."""
    rows = await connection.fetch(
        "SELECT key, version, document, enabled, retired_at IS NOT NULL AS retired FROM rules ORDER BY key"
    )
    return [StoredRule(**row) for row in rows]


async def load_rulebook(connection: Connection) -> Rulebook:
    """Every rule that is enabled and not retired, checked against the registry as it is now."""
    vocabulary, notes = await load_vocabulary(connection), Notes()
    stored = [rule for rule in await list_rules(connection) if not rule.retired]
    checked = [
        read_rule(rule.key, rule.document, vocabulary, notes)
        for rule in stored
        if rule.enabled
    ]
    return Rulebook(tuple(rule for rule in checked if rule), tuple(notes.problems))


async def load_vocabulary(connection: Connection) -> Vocabulary:
    """The names that the registry knows, for checking rules."""
    properties = await connection.fetch(
        "SELECT * FROM observed_properties WHERE retired_at IS NULL"
    )
    names = {}
    for label, query in _NAMES.items():
        rows = await connection.fetch(query)
        names[label] = frozenset(row[0] for row in rows)
    return Vocabulary({row["key"]: _property(row) for row in properties}, names)


def _property(row: Mapping[str, Any]) -> ObservedProperty:
    return ObservedProperty(
        key=row["key"],
        domain=Domain(row["domain"]),
        kind=Kind(row["kind"]),
        unit=row["unit"],
        name=Text.from_mapping(row["name"]),
        aggregations=tuple(Aggregation(word) for word in row["aggregations"]),
        hard=Span(row["hard_min"], row["hard_max"]),
        plausible=Span(row["plausible_min"], row["plausible_max"]),
        codes=tuple(
            StateCode(
                code["value"],
                code["key"],
                Text.from_mapping(code["name"]),
                bool(code.get("abnormal", False)),
            )
            for code in row["codes"]
        ),
        privacy=Privacy(row["privacy"]),
        definition=row["definition"],
    )


async def apply_rules(
    connection: Connection,
    rules: Sequence[CheckedRule],
    actor: str,
    *,
    retire: bool,
    dry_run: bool,
) -> list[RuleChange]:
    """Make the rulebook say what these rules say; what already does is left alone. retire: those not among them.

    One transaction; it moves the registry's revision, by which the rules service learns of it.
    """
    async with connection.transaction():
        await connection.execute("SELECT FROM registry_state FOR UPDATE")
        stored = {rule.key: rule for rule in await list_rules(connection)}
        changes = _compare(stored, rules, retire=retire)
        if dry_run or not changes:
            return changes
        revision = await connection.fetchval(
            "UPDATE registry_state SET revision = revision + 1 RETURNING revision"
        )
        for change in changes:
            await _write(connection, change, actor, revision)
    await connection.execute("SELECT pg_notify('registry', $1)", str(revision))
    return changes


def _compare(
    stored: Mapping[str, StoredRule], rules: Sequence[CheckedRule], *, retire: bool
) -> list[RuleChange]:
    changes = []
    for wanted in rules:
        held = stored.get(wanted.rule.key)
        if held is None:
            action = RuleAction.CREATE
        elif held.retired:
            action = RuleAction.RESTORE
        elif held.document != wanted.document:
            action = RuleAction.CHANGE
        else:
            continue
        old = held.document if held else None
        changes.append(RuleChange(action, wanted.rule.key, old, wanted))
    if retire:
        kept = {wanted.rule.key for wanted in rules}
        changes += [
            RuleChange(RuleAction.RETIRE, key, held.document, None)
            for key, held in stored.items()
            if key not in kept and not held.retired
        ]
    return changes


async def _write(
    connection: Connection, change: RuleChange, actor: str, revision: int
) -> None:
    new = change.new
    if new is None:
        await connection.execute(_RETIRE, change.key, revision)
    else:
        await connection.execute(_PUT, change.key, new.document, new.enabled, revision)
    await connection.execute(
        _AUDIT,
        actor,
        change.action,
        change.key,
        change.old,
        new.document if new else None,
    )
