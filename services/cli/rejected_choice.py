"""Which refusals a command is about, as options of the command line."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.cli.span import span_of
from services.core.reasons import Reason

if TYPE_CHECKING:
    from services.core.storage.rejections import Choice

_SKEW: Final = dt.timedelta(minutes=1)

Reasons = Annotated[
    list[Reason] | None, typer.Option("--reason", help="Only for this reason; again.")
]
Publishers = Annotated[
    list[str] | None, typer.Option("--publisher", help="Only of this publisher; again.")
]
Devices = Annotated[
    list[str] | None, typer.Option("--device", help="Only about this device; again.")
]
Channels = Annotated[
    list[str] | None, typer.Option("--channel", help="Only about this channel; again.")
]
Since = Annotated[
    str, typer.Option("--since", help="Received within this long, e.g. 90m, 24h, 30d.")
]


def choice_of(
    since: str,
    reasons: list[Reason] | None = None,
    publishers: list[str] | None = None,
    devices: list[str] | None = None,
    channels: list[str] | None = None,
) -> "Choice":
    """Raises typer.BadParameter."""
    from services.core.clock import SystemClock
    from services.core.storage.rejections import Choice

    now = SystemClock().now()
    return Choice(
        start=now - span_of(since),
        end=now + _SKEW,
        reasons=[reason.value for reason in reasons] if reasons else None,
        publishers=publishers or None,
        devices=devices or None,
        channels=channels or None,
    )
