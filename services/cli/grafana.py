"""`alatau grafana`: the dashboards, into a Grafana that is there or as files."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli.target import HomeOption, home_secret
from services.core.city.language import LANGUAGES
from services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from deploy.grafana.apply import Wanted
    from deploy.grafana.datasource import Database
    from deploy.grafana.server import GrafanaServer
    from deploy.grafana.spec import Setting

TOKEN_VARIABLE: Final = "ALATAU_GRAFANA_TOKEN"  # noqa: S105 - a variable's name
DSN_FILE: Final = "secrets/grafana.dsn"  # written by `alatau up` and `alatau secrets`
_CITY: Final = Path(__file__).parents[2] / "deploy/city/alatau.yaml"

Url = Annotated[str, typer.Option(help="Of Grafana, as in the browser.")]
Token = Annotated[
    str | None,
    typer.Option(
        help="Of a service account; - reads it from standard input. A token here is seen in the process list: prefer --token-file or ALATAU_GRAFANA_TOKEN."
    ),
]
TokenFile = Annotated[Path | None, typer.Option(help="Holds the token.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="The database as the role alatau_grafana: a URL, or file:PATH.",
        show_default="secrets/grafana.dsn of this installation",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="HOST[:PORT] where Grafana reaches the database, if not as the URL says."
    ),
]
CityFile = Annotated[
    Path,
    typer.Option(
        "--city",
        help="The city file with the catalogue.",
        show_default="the shipped city",
    ),
]
Lang = Annotated[str, typer.Option(help="Of titles and names: kk, ru or en.")]
_AS_JSON: Any = typer.Option(False, "--json", help="Print stable JSON.")


class NoTokenError(ConfigurationError):
    """No token for Grafana was given."""

    remedy = "Give --token-file FILE, ALATAU_GRAFANA_TOKEN or --token -; make one at Administration → Service accounts."


def register(app: typer.Typer) -> None:
    grafana = typer.Typer(help="Grafana's dashboards.", no_args_is_help=True)
    grafana.command("apply")(apply)
    grafana.command("render")(render)
    grafana.command("check")(check)
    app.add_typer(grafana, name="grafana")


def apply(  # noqa: PLR0913, PLR0917 - options
    url: Url,
    token: Token = None,
    token_file: TokenFile = None,
    database_url: DatabaseUrl = None,
    database_address: Address = None,
    datasource: bool = typer.Option(
        True, help="Whether to care for the data source too."
    ),
    city: CityFile = _CITY,
    lang: Lang = "en",
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Write nothing, tell what would be."
    ),
    as_json: bool = _AS_JSON,
    home: HomeOption = None,
) -> None:
    """Put data source, folder and dashboards into a Grafana. Run again, it changes nothing."""
    from deploy.grafana import apply as applying

    server = _server(url, token, token_file)
    database = _database(home, database_url, database_address) if datasource else None
    wanted = _wanted(city, lang, database)
    outcomes = []
    for outcome in applying.apply(server, wanted, dry_run=dry_run):
        outcomes.append(outcome)
        if not as_json:
            typer.echo(f"{outcome.change:<10} {outcome.kind} {outcome.uid}")
    fault = _health(server) if datasource and not dry_run else None
    if as_json:
        typer.echo(json.dumps(_as_json(outcomes, fault, dry_run=dry_run)))
    _say_unwell(fault)


def render(
    folder: Annotated[Path, typer.Argument(help="Is made if it is not there.")],
    city: CityFile = _CITY,
    lang: Lang = "en",
) -> None:
    """Write the dashboards as JSON files, as Grafana's provisioning reads them."""
    from deploy.grafana.build import as_text, dashboards

    folder.mkdir(parents=True, exist_ok=True)
    for uid, document in dashboards(_setting(city, lang)).items():
        (folder / f"{uid}.json").write_text(as_text(document), encoding="utf-8")
        typer.echo(folder / f"{uid}.json")


def check(  # noqa: PLR0913, PLR0917 - options
    url: Url,
    token: Token = None,
    token_file: TokenFile = None,
    database_url: DatabaseUrl = None,
    database_address: Address = None,
    city: CityFile = _CITY,
    lang: Lang = "en",
    as_json: bool = _AS_JSON,
    home: HomeOption = None,
) -> None:
    """Apply twice to a real Grafana and ask every panel through it. Ends with 1 when something is wrong."""
    from deploy.grafana.acceptance import examine
    from services.core.clock import SystemClock

    server = _server(url, token, token_file)
    wanted = _wanted(city, lang, _database(home, database_url, database_address))
    version, findings = server.version(), []
    for finding in examine(server, wanted, SystemClock().now()):
        findings.append(finding)
        if not as_json:
            typer.echo(
                f"{'wrong' if finding.fault else 'ok':<6} {finding.subject} {finding.fault}"
            )
    faults = [finding for finding in findings if finding.fault]
    if as_json:
        listed = [
            {"subject": found.subject, "fault": found.fault} for found in findings
        ]
        typer.echo(json.dumps({"version": version, "findings": listed}))
    else:
        typer.echo(f"Grafana {version}: {len(findings)} tried, {len(faults)} wrong")
    if faults:
        raise typer.Exit(1)


def _setting(city: Path, lang: str) -> "Setting":
    from deploy.grafana.spec import Setting
    from services.core.city_folder import read_city_folder

    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang!r} is not one of {', '.join(LANGUAGES)}")
    return Setting(read_city_folder(city).city, lang)


def _wanted(city: Path, lang: str, database: "Database | None") -> "Wanted":
    from deploy.grafana.apply import Wanted
    from deploy.grafana.build import dashboards

    return Wanted(dashboards(_setting(city, lang)), database)


def _server(url: str, token: str | None, token_file: Path | None) -> "GrafanaServer":
    from deploy.grafana.server import GrafanaServer

    return GrafanaServer(url, _token(token, token_file))


def _token(given: str | None, file: Path | None) -> str:
    if given == "-":
        given = sys.stdin.readline()
    elif file is not None:
        try:
            given = file.read_text(encoding="utf-8")
        except OSError as error:
            raise NoTokenError(f"{file} cannot be read.") from error
    token = (given or os.environ.get(TOKEN_VARIABLE, "")).strip()
    if not token:
        raise NoTokenError
    return token


def _database(home: Path | None, given: str | None, address: str | None) -> "Database":
    from deploy.grafana.datasource import at_address, read_dsn

    if given is None:
        given = home_secret(home, DSN_FILE)
    elif given.startswith("file:"):
        given = Path(given.removeprefix("file:")).read_text(encoding="utf-8").strip()
    database = read_dsn(given)
    return at_address(database, address) if address else database


def _health(server: "GrafanaServer") -> str | None:
    from deploy.grafana.build_panel import DATASOURCE_UID

    return server.health_of_datasource(DATASOURCE_UID)


def _say_unwell(fault: str | None) -> None:
    if fault is None:
        return
    typer.secho(f"Grafana does not reach the database: {fault}", fg="red", err=True)
    typer.echo(
        "Name the address as Grafana sees it: --database-address HOST:PORT", err=True
    )
    raise typer.Exit(1)


def _as_json(
    outcomes: list[Any], fault: str | None, *, dry_run: bool
) -> dict[str, Any]:
    items = [
        {"kind": outcome.kind, "uid": outcome.uid, "change": str(outcome.change)}
        for outcome in outcomes
    ]
    written = sum(item["change"] != "unchanged" for item in items)
    return {
        "items": items,
        "written": 0 if dry_run else written,
        "dry_run": dry_run,
        "datasource_fault": fault,
    }
