"""`alatau devices webhook`: the secret that a publisher's webhooks are signed with."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.device_secrets import ACTOR, show_secrets
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.pool import Connection


def issue_webhook(
    key: Annotated[str, typer.Argument(help="The publisher's device id.")],
    home: HomeOption = None,
) -> None:
    """Make a publisher a secret to sign webhooks with; one it had before ends within two seconds. It is shown once."""
    from services.core.clock import SystemClock
    from services.core.storage.webhook_secrets import issue_webhook_secret

    async def work(connection: "Connection") -> str:
        now = SystemClock().now()
        return await issue_webhook_secret(connection, key, actor=ACTOR, now=now)

    show_secrets({key: on_database(home, work)}, None)
