"""Publishers' secrets on their way out: made, hashed, and shown or written once."""

import csv
import io
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TextIO

import typer

ACTOR: Final = "cli"


def new_secrets(keys: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """(secrets, hashes) by device id."""
    from services.core.broker.passwords import hash_secret, new_secret

    secrets: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for key in keys:
        secrets[key] = new_secret()
        hashes[key] = hash_secret(secrets[key])
    return secrets, hashes


def write_secrets(secrets: Mapping[str, str], out: Path) -> None:
    """A CSV for its owner alone; an existing file is replaced in one step."""
    text = io.StringIO()
    _write_rows(secrets, text)
    write_private(text.getvalue(), out)


def write_private(text: str, out: Path) -> None:
    """For its owner alone; an existing file is replaced in one step."""
    draft = out.with_name(f".{out.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(out)


def show_secrets(secrets: Mapping[str, str], out: Path | None) -> None:
    """On standard output, or, if they are written already, where."""
    if out is not None:
        typer.echo(f"{len(secrets)} secrets in {out}")
        return
    _write_rows(secrets, sys.stdout)


def _write_rows(secrets: Mapping[str, str], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["device", "secret"])
    writer.writerows(sorted(secrets.items()))
