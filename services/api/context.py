"""What every endpoint may use, handed over by the composition root."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from services.api.auth.passwords import Passwords
from services.api.console.files import BuiltConsole, read_console
from services.api.live.answering import Doors
from services.api.live.client import Pace
from services.api.live.feeds import Feeds
from services.api.store import Database
from services.core.clock import Clock
from services.core.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Throttles:
    """login: by name and address together; address: logins by address alone; open_data: by address."""

    login: Throttle = field(default_factory=lambda: Throttle(5, 60))
    address: Throttle = field(default_factory=lambda: Throttle(30, 60))
    open_data: Throttle = field(default_factory=lambda: Throttle(300, 60))


@dataclass(frozen=True, slots=True)
class ApiContext:
    """doors, public_doors: how many live streams there may be, of operators and of everybody."""

    database: Database
    clock: Clock
    feeds: Feeds
    newest_migration: str | None = None
    passwords: Passwords = field(default_factory=Passwords)
    throttles: Throttles = field(default_factory=Throttles)
    doors: Doors = field(default_factory=Doors)
    public_doors: Doors = field(default_factory=Doors)
    pace: Pace = field(default_factory=Pace)
    console: BuiltConsole = field(default_factory=read_console)


def _context_of(request: Request) -> ApiContext:
    context: ApiContext = request.app.state.context
    return context


Context = Annotated[ApiContext, Depends(_context_of)]
