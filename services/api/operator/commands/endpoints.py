"""POST, GET /devices/{key}/commands; GET …/commands/{command_id}."""

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Path

from services.api.auth.permissions import Action, Place, scope_of
from services.api.auth.session import Commander, Reader, require
from services.api.context import Context
from services.api.failures import InvalidRequestError, NotFoundError, documented
from services.api.operator.commands.schemas import AskCommand, Command
from services.api.operator.devices.store import Row, find_device
from services.api.parameters import Key, Pages
from services.api.schemas import Page
from services.core.storage.commands import (
    AskedCommand,
    BadCommandError,
    NewCommand,
    ask_for_a_person,
    list_commands,
    read_command,
)
from services.core.storage.pool import Connection

_SAID: Final = tuple(Command.model_fields)
CommandId = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="The command's number.")
]

router = APIRouter(tags=["Devices"], responses=documented(401, 404, 422, 503))


@router.post("/devices/{key}/commands", status_code=202, responses=documented(403))
async def ask_device(
    key: Key, word: AskCommand, actor: Commander, context: Context
) -> Command:
    """Ask a device something; it is sent within a second, and again until it answers or the command expires."""
    async with context.database.writing() as connection:
        device = await _device(connection, actor, key)
        place = Place(domain=device["domain"], district=device["district"])
        require(actor, Action.COMMAND, place)
        try:
            asked = NewCommand(
                key,
                word.name,
                word.args,
                dt.timedelta(seconds=word.expires_in_seconds),
            )
            command_id = await ask_for_a_person(
                connection, asked, actor=actor.name, now=context.clock.now()
            )
        except BadCommandError as error:
            told = f"{error} {error.remedy}"
            problem = {"where": "body", "detail": told}
            raise InvalidRequestError(told, facts={"errors": [problem]}) from error
        return _say(await read_command(connection, command_id), command_id)


@router.get("/devices/{key}/commands", responses=documented(400))
async def get_commands(
    key: Key, actor: Reader, context: Context, pages: Pages
) -> Page[Command]:
    """What a device was asked, newest first."""
    before = pages.after(1)
    async with context.database.reading() as connection:
        await _device(connection, actor, key)
        commands = await list_commands(
            connection, key, before[0] if before else None, pages.rows
        )
    return pages.page(
        commands,
        lambda command: _say(command, command.command_id),
        lambda command: (command.command_id,),
    )


@router.get("/devices/{key}/commands/{command_id}")
async def get_command(
    key: Key, command_id: CommandId, actor: Reader, context: Context
) -> Command:
    """One command, and how it went."""
    async with context.database.reading() as connection:
        await _device(connection, actor, key)
        command = await read_command(connection, command_id)
    if command is not None and command.device != key:
        command = None
    return _say(command, command_id)


async def _device(connection: Connection, actor: Reader, key: str) -> Row:
    device = await find_device(connection, scope_of(actor), key)
    if device is None:
        raise NotFoundError(f"There is no device {key!r} that you may see.")
    return device


def _say(command: AskedCommand | None, command_id: int) -> Command:
    if command is None:
        raise NotFoundError(f"There is no command {command_id} of this device.")
    return Command(**{name: getattr(command, name) for name in _SAID})
