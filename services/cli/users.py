"""`alatau users`: who may use the operator API."""

import getpass
import json
from typing import Annotated

import typer

from services.cli.target import HomeOption, on_database
from services.core.errors import PlatformError

users = typer.Typer(
    name="users", help="Who may use the operator API.", no_args_is_help=True
)

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
PasswordOption = Annotated[
    bool,
    typer.Option(
        "--ask",
        help="Ask for the password instead of generating one.",
    ),
]


class UserError(PlatformError):
    """This user cannot be had."""


def register(app: typer.Typer) -> None:
    app.add_typer(users)


@users.command("add")
def add(  # noqa: PLR0913 # each is an option
    name: NameArgument,
    *,
    role: Annotated[
        str, typer.Option(help="viewer, operator, engineer or admin.")
    ] = "operator",
    domain: Annotated[
        list[str] | None,
        typer.Option(help="Only this domain; may be repeated. Default: all."),
    ] = None,
    district: Annotated[
        list[str] | None,
        typer.Option(help="Only this district (its key); may be repeated."),
    ] = None,
    ask: PasswordOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Add a user. The generated password is shown once and cannot be read again."""
    from services.api.auth.passwords import hash_password
    from services.api.auth.permissions import Role
    from services.api.auth.store import User, add_user

    if role not in set(Role):
        raise UserError(f"There is no role {role!r}: {', '.join(Role)}.")
    password = _password(ask=ask)
    user = User(name, Role(role), domain or None, district or None)
    hashed = hash_password(password)
    if not on_database(home, lambda db: add_user(db, user, hashed, _actor())):
        raise UserError(f"There is a user {name!r} already.")
    _say_password(name, password, asked=ask, as_json=as_json)


@users.command("list")
def list_all(*, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List users, their roles and where they may act."""
    from services.api.auth.store import list_users

    found = on_database(home, list_users)
    if as_json:
        typer.echo(json.dumps([user.as_dict() for user in found], ensure_ascii=False))
        return
    for user in found:
        where = " ".join(
            ",".join(keys) if keys else "all" for keys in (user.domains, user.districts)
        )
        state = " (disabled)" if user.disabled_at else ""
        typer.echo(f"{user.name}  {user.role}  {where}{state}")


@users.command("passwd")
def passwd(
    name: NameArgument,
    *,
    ask: PasswordOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Give a user a new password; all of the user's sessions end."""
    from services.api.auth.passwords import hash_password
    from services.api.auth.store import set_password

    password = _password(ask=ask)
    hashed = hash_password(password)
    if not on_database(home, lambda db: set_password(db, name, hashed, _actor())):
        raise _nobody(name)
    _say_password(name, password, asked=ask, as_json=as_json)


@users.command("disable")
def disable(name: NameArgument, home: HomeOption = None) -> None:
    """Take a user's access away, at once: all of the user's sessions end."""
    from services.api.auth.store import set_disabled
    from services.core.clock import SystemClock

    now = SystemClock().now()
    if not on_database(home, lambda db: set_disabled(db, name, now, _actor())):
        raise _nobody(name)
    typer.echo(f"{name} is disabled.")


@users.command("enable")
def enable(name: NameArgument, home: HomeOption = None) -> None:
    """Give a disabled user access again."""
    from services.api.auth.store import set_disabled

    if not on_database(home, lambda db: set_disabled(db, name, None, _actor())):
        raise _nobody(name)
    typer.echo(f"{name} is enabled.")


def _actor() -> str:
    """For the audit: who ran this command."""
    return f"cli:{getpass.getuser()}"


def _nobody(name: str) -> UserError:
    return UserError(f"There is no user {name!r}.")


def _password(*, ask: bool) -> str:
    from services.api.auth.passwords import SHORTEST_PASSWORD, new_password

    if not ask:
        return new_password()
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < SHORTEST_PASSWORD:
        raise UserError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    return password


def _say_password(name: str, password: str, *, asked: bool, as_json: bool) -> None:
    """To standard output, once; one that was typed in is not repeated."""
    shown = None if asked else password
    if as_json:
        typer.echo(json.dumps({"name": name, "password": shown}))
    elif shown:
        typer.echo(f"{name}  {shown}")
    else:
        typer.echo(f"{name}: done.")
