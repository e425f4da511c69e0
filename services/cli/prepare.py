"""`alatau prepare`: what an installation's database needs before its services start."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.cli.device_secrets import new_secrets, write_secrets
from services.cli.target import HomeOption, database_url

if TYPE_CHECKING:
    from services.core.storage.pool import Connection

ACTOR: Final = "first start"
FIRST_LOGIN: Final = "operator"
WAIT_SECONDS: Final = 2.0
SHIPPED_CITY: Final = "alatau"
SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "city"


def register(app: typer.Typer) -> None:
    app.command("prepare", hidden=True)(prepare)


def prepare(
    secrets: Annotated[
        Path,
        typer.Option(envvar="ALATAU_SECRETS_DIR", help="Where new secrets are kept."),
    ],
    authority: Annotated[
        Path | None,
        typer.Option(
            envvar="ALATAU_AUTHORITY_DIR",
            help="Where ca.pem is, if not with the secrets: devices need it.",
        ),
    ] = None,
    home: HomeOption = None,
    wait: bool = typer.Option(
        False, "--wait", help="For a database that does not answer yet, however long."
    ),
) -> None:
    """Bring the schema up to date; at the first start also the city, its rules, credentials and the first login."""
    from services.core.storage.migrate import migrate, schema_version

    dsn = database_url(home)

    async def run() -> None:
        if wait:
            await _until_it_answers(dsn)
        before, newest = await schema_version(dsn)
        await migrate(dsn)
        if before != newest:
            typer.echo(f"schema {newest}")
        await _fill(dsn, secrets)
        if authority is not None:
            _hand_over_authority(authority, secrets)

    asyncio.run(run())


def _hand_over_authority(authority: Path, secrets: Path) -> None:
    """Its certificate alone, so that simulated devices may believe the broker."""
    from deploy.native.certificates import AUTHORITY
    from deploy.native.home import Secrets

    pem = (authority / AUTHORITY).read_text(encoding="utf-8").strip()
    Secrets(secrets).put(AUTHORITY, pem)


async def _until_it_answers(dsn: str) -> None:
    from services.core.clock import SystemClock
    from services.core.errors import StorageUnavailableError
    from services.core.storage.pool import connect

    while True:
        try:
            connection = await connect(dsn, "prepare")
        except StorageUnavailableError as error:
            typer.echo(str(error), err=True)
            await SystemClock().sleep(WAIT_SECONDS)
        else:
            await connection.close()
            return


async def _fill(dsn: str, secrets: Path) -> None:
    """Each part only where there is none: what was changed or removed since stays so."""
    from services.core.storage.pool import connect

    connection = await connect(dsn, "prepare")
    try:
        if await _lacks(connection, "registry_state WHERE city IS NOT NULL"):
            await _load_city(connection)
        if await _lacks(connection, "rules") and await _has_shipped_city(connection):
            await _load_rules(connection)
        if await _lacks(connection, "credentials"):
            await _issue_credentials(connection, secrets / "devices.csv")
        if await _lacks(connection, "users"):
            await _add_first_login(connection, secrets)
    finally:
        await connection.close()


async def _lacks(connection: "Connection", rows: str) -> bool:
    return not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {rows})")  # noqa: S608 - named above


async def _load_city(connection: "Connection") -> None:
    from services.core.city_folder import read_city_folder
    from services.core.storage.registry_store import apply_city

    city = read_city_folder(SHIPPED / "alatau.yaml").city
    await apply_city(connection, city, retire=False, actor=ACTOR, dry_run=False)
    typer.echo(f"city: {city.name.en}, {len(city.devices)} devices")


async def _has_shipped_city(connection: "Connection") -> bool:
    """Its rulebook speaks of its own catalogue."""
    key = await connection.fetchval("SELECT city ->> 'key' FROM registry_state")
    return bool(key == SHIPPED_CITY)


async def _load_rules(connection: "Connection") -> None:
    from services.core.rule_folder import load_rules
    from services.core.storage.rule_store import apply_rules, load_vocabulary

    rules = load_rules([SHIPPED / "rules"], await load_vocabulary(connection))
    await apply_rules(connection, rules, ACTOR, retire=False, dry_run=False)
    typer.echo(f"rules: {len(rules)}")


async def _issue_credentials(connection: "Connection", out: Path) -> None:
    """The secrets are written before the hashes: a crash between leaves a file that the next start replaces."""
    from services.core.clock import SystemClock
    from services.core.storage.credentials import issue, list_publishers

    keys = [publisher.key for publisher in await list_publishers(connection)]
    secrets, hashes = new_secrets(keys)
    write_secrets(secrets, out)
    now = SystemClock().now()
    await issue(connection, hashes, replace=False, actor=ACTOR, now=now)
    typer.echo(f"credentials: {len(keys)} publishers, in {out}")


async def _add_first_login(connection: "Connection", secrets: Path) -> None:
    from deploy.native.home import Secrets
    from services.api.auth.passwords import hash_password, new_password
    from services.api.auth.permissions import Role
    from services.api.auth.store import User, add_user

    password = new_password()
    out = Secrets(secrets).put(FIRST_LOGIN, password)
    user = User(FIRST_LOGIN, Role.ADMIN)
    await add_user(connection, user, hash_password(password), ACTOR)
    typer.echo(f"first login: {FIRST_LOGIN}, its password in {out}")
