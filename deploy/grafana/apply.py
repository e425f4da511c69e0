"""Puts data source, folder and dashboards into a Grafana that is there; writes only what differs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from deploy.grafana.build_panel import DATASOURCE_TYPE, DATASOURCE_UID
from deploy.grafana.datasource import NAME, Database, datasource_json
from deploy.grafana.server import Document, GrafanaRefusedError, GrafanaServer

FOLDER_UID: Final = "alatau"
FOLDER_TITLE: Final = "Alatau"
_MESSAGE: Final = "alatau grafana apply"


class OtherDatasourceError(GrafanaRefusedError):
    """What stands in our data source's place is not ours to change."""

    remedy = "Rename or delete it in Grafana, then run this again."


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """kind: folder, datasource or dashboard."""

    kind: str
    uid: str
    change: Change


@dataclass(frozen=True, slots=True)
class Wanted:
    """database: None leaves the data source as it is."""

    dashboards: Mapping[str, Document]
    database: Database | None


def apply(
    server: GrafanaServer, wanted: Wanted, *, dry_run: bool = False
) -> Iterator[Outcome]:
    """One outcome an item, each as it is done; a dry run writes nothing and tells the same.

    Raises:
        PlatformError: Grafana does not answer, or refuses; what was done before stays.
    """
    yield Outcome("folder", FOLDER_UID, _folder(server, dry_run=dry_run))
    if wanted.database is not None:
        change = _datasource(server, wanted.database, dry_run=dry_run)
        yield Outcome("datasource", DATASOURCE_UID, change)
    for uid, document in wanted.dashboards.items():
        change = _dashboard(server, uid, document, dry_run=dry_run)
        yield Outcome("dashboard", uid, change)


def _folder(server: GrafanaServer, *, dry_run: bool) -> Change:
    there = server.folder(FOLDER_UID)
    if there is None:
        return _write(
            Change.CREATED,
            lambda: server.create_folder(FOLDER_UID, FOLDER_TITLE),
            dry_run=dry_run,
        )
    if there.get("title") == FOLDER_TITLE:
        return Change.UNCHANGED
    return _write(
        Change.UPDATED,
        lambda: server.rename_folder(FOLDER_UID, FOLDER_TITLE),
        dry_run=dry_run,
    )


def _datasource(server: GrafanaServer, database: Database, *, dry_run: bool) -> Change:
    """Grafana gives no password back: it is written again where the data source is not well without."""
    wanted = datasource_json(database)
    secret = {**wanted, "secureJsonData": {"password": database.password}}
    there = server.datasource(DATASOURCE_UID)
    if there is None:
        if server.datasource_named(NAME) is not None:
            raise OtherDatasourceError(f"Another data source is named {NAME!r}.")
        return _write(
            Change.CREATED, lambda: server.create_datasource(secret), dry_run=dry_run
        )
    if there.get("type") not in (DATASOURCE_TYPE, "postgres"):
        raise OtherDatasourceError(
            f"The data source {DATASOURCE_UID} is of type {there.get('type')}."
        )
    if there.get("readOnly"):
        return Change.UNCHANGED
    if contains(there, wanted) and _is_well(server, there):
        return Change.UNCHANGED
    kept = {"isDefault": there.get("isDefault", False)}
    return _write(
        Change.UPDATED,
        lambda: server.update_datasource(DATASOURCE_UID, {**secret, **kept}),
        dry_run=dry_run,
    )


def _is_well(server: GrafanaServer, there: Document) -> bool:
    has_password = there.get("secureJsonFields", {}).get("password") is True
    return has_password and server.health_of_datasource(DATASOURCE_UID) is None


def _dashboard(
    server: GrafanaServer, uid: str, document: Document, *, dry_run: bool
) -> Change:
    there = server.dashboard(uid)
    if there is not None and _is_ours(there, document):
        return Change.UNCHANGED
    payload = {
        "dashboard": document,
        "folderUid": FOLDER_UID,
        "overwrite": True,
        "message": _MESSAGE,
    }
    change = Change.CREATED if there is None else Change.UPDATED
    return _write(change, lambda: server.save_dashboard(payload), dry_run=dry_run)


def _is_ours(there: Document, document: Document) -> bool:
    in_folder = there.get("meta", {}).get("folderUid") == FOLDER_UID
    return in_folder and contains(there.get("dashboard"), document)


def contains(there: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there: Grafana adds members of its own (id, version, defaults, a newer schema).

    Lists must be equally long, so nothing added by hand to them goes unseen.
    """
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(
            contains(there.get(name), value) or name == "schemaVersion"
            for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        same_length = isinstance(there, list) and len(there) == len(wanted)
        return same_length and all(map(contains, there, wanted))
    if isinstance(wanted, bool) or isinstance(there, bool) or wanted is None:
        return there is wanted
    return bool(there == wanted)


def _write(change: Change, write: Callable[[], None], *, dry_run: bool) -> Change:
    if not dry_run:
        write()
    return change
