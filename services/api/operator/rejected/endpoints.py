"""GET /rejected-messages, …/counts, …/{rejected_id}, …/payload, …/remedy; POST …/remedy, …/dismissals; /replays."""

import datetime as dt
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from services.api.auth.permissions import (
    WHOLE_CITY,
    Action,
    Actor,
    scope_of,
)
from services.api.auth.session import (
    Mender,
    PayloadReader,
    RejectedReader,
    require,
)
from services.api.context import Context
from services.api.failures import ConflictError, NotFoundError, documented
from services.api.operator.rejected import schemas
from services.api.operator.rejected.mending import mend
from services.api.operator.rejected.schemas import RejectedMessage, State
from services.api.parameters import KEY_PATTERN, Pages
from services.api.schemas import GivenMoment, Page
from services.api.series.ranges import LONGEST_RAW
from services.api.series.reading import time_range
from services.core.reasons import Reason
from services.core.storage.pool import Connection
from services.core.storage.rejections import (
    Choice,
    NothingChosenError,
    Replay,
    Row,
    Sight,
    ask_replay,
    count_rejections,
    dismiss,
    find_payload,
    find_rejection,
    list_rejections,
    list_replays,
    read_replay,
)
from services.core.storage.remedies import find_remedy

_ONE_DAY: Final = dt.timedelta(days=1)
_A_MINUTE: Final = dt.timedelta(minutes=1)
RejectedId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The id.")]

router = APIRouter(
    tags=["Rejected messages and ledger"], responses=documented(401, 403, 422, 503)
)


class _Chosen:
    """Which refusals a list is about, and when they came."""

    def __init__(
        self,
        *,
        reason: Annotated[
            list[Reason] | None,
            Query(max_length=30, description="Only for this reason; may be repeated."),
        ] = None,
        publisher: Annotated[
            list[Annotated[str, Query(pattern=KEY_PATTERN)]] | None,
            Query(
                max_length=100,
                description="Only of this publisher (its device id); may be repeated.",
            ),
        ] = None,
        scope: Annotated[
            list[Literal["message", "item", "value"]] | None,
            Query(max_length=3, description="Only of this size; may be repeated."),
        ] = None,
        device: Annotated[
            list[Annotated[str, Query(max_length=1000)]] | None,
            Query(
                max_length=100,
                description="Only about this device, the publisher where none was named; may be repeated.",
            ),
        ] = None,
        channel: Annotated[
            list[Annotated[str, Query(max_length=1000)]] | None,
            Query(
                max_length=100, description="Only about this channel; may be repeated."
            ),
        ] = None,
        state: Annotated[
            list[State] | None,
            Query(max_length=3, description="Only in this state; may be repeated."),
        ] = None,
        start: Annotated[
            GivenMoment | None,
            Query(description="Received from then on; by default a day before end."),
        ] = None,
        end: Annotated[
            GivenMoment | None,
            Query(description="Received before then; by default now. At most 31 days."),
        ] = None,
    ) -> None:
        self._kinds = {
            "reasons": reason,
            "publishers": publisher,
            "scopes": scope,
            "devices": device,
            "channels": channel,
            "states": state,
        }
        self._start = start
        self._end = end

    def at(self, now: dt.datetime) -> Choice:
        """Raises BadRangeError."""
        # A clock that is a little behind the database's must not hide what has just come.
        end = self._end or now + _A_MINUTE
        start = self._start or end - _ONE_DAY
        within = time_range(start, end, LONGEST_RAW, "The list of refusals")
        return Choice(start=within.start, end=within.end, **self._kinds)  # type: ignore[arg-type] # by its field


@router.get("/rejected-messages", responses=documented(400))
async def get_rejected_messages(
    actor: RejectedReader,
    context: Context,
    pages: Pages,
    chosen: Annotated[_Chosen, Depends()],
) -> Page[RejectedMessage]:
    """What was refused and why, newest first."""
    wanted, before = chosen.at(context.clock.now()), pages.after(1)
    async with context.database.reading() as connection:
        rows = await list_rejections(
            connection,
            wanted,
            sight_of(actor),
            before=before[0] if before else None,
            limit=pages.rows,
        )
    return pages.page(
        rows, lambda row: RejectedMessage(**row), lambda row: (row["rejected_id"],)
    )


@router.get("/rejected-messages/counts", responses=documented(400))
async def get_rejected_counts(
    actor: RejectedReader, context: Context, chosen: Annotated[_Chosen, Depends()]
) -> schemas.RejectedCounts:
    """How much was refused, by reason, device and channel."""
    async with context.database.reading() as connection:
        groups, floods = await count_rejections(
            connection, chosen.at(context.clock.now()), sight_of(actor)
        )
    return schemas.RejectedCounts(
        groups=[schemas.RejectedGroup(**row) for row in groups],
        floods=[schemas.RejectedFlood(**row) for row in floods],
    )


@router.get("/rejected-messages/{rejected_id}", responses=documented(404))
async def get_rejected_message(
    rejected_id: RejectedId, actor: RejectedReader, context: Context
) -> RejectedMessage:
    """One refusal."""
    async with context.database.reading() as connection:
        return RejectedMessage(**await _visible(connection, actor, rejected_id))


@router.get(
    "/rejected-messages/{rejected_id}/payload",
    response_class=Response,
    responses={
        **documented(404),
        200: {
            "description": "The bytes as they came.",
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary"}
                }
            },
        },
    },
)
async def get_rejected_payload(
    rejected_id: RejectedId, actor: PayloadReader, context: Context
) -> Response:
    """The raw message as it came, byte for byte. It may hold data of households: engineers only."""
    async with context.database.reading() as connection:
        row = await _visible(connection, actor, rejected_id)
        payload = await find_payload(connection, row)
    if payload is None:
        raise _not_found(rejected_id)
    return Response(
        payload,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="rejected-{rejected_id}.bin"'
        },
    )


@router.get("/rejected-messages/{rejected_id}/remedy", responses=documented(404))
async def get_remedy(
    rejected_id: RejectedId, actor: RejectedReader, context: Context
) -> schemas.Remedy:
    """What would mend its cause, and what there is to choose from."""
    async with context.database.reading() as connection:
        row = await _visible(connection, actor, rejected_id)
        remedy = await find_remedy(connection, row)
    return schemas.Remedy(kind=remedy.kind, facts=dict(remedy.facts))


@router.post("/rejected-messages/{rejected_id}/remedy", responses=documented(404, 409))
async def post_remedy(
    rejected_id: RejectedId, chosen: schemas.Mend, actor: Mender, context: Context
) -> schemas.Mended:
    """Mend its cause in the registry, which is every device's: for engineers of the whole city.

    Nothing is read again by that: see the answer's `replay`.
    """
    require(actor, Action.MEND, WHOLE_CITY)
    async with context.database.writing() as connection:
        row = await _visible(connection, actor, rejected_id)
        remedy = await find_remedy(connection, row)
        revision = await mend(
            connection, remedy, chosen, actor.name, context.clock.now()
        )
    about = (
        {"devices": [remedy.facts["device"]]}
        if remedy.kind in {"device", "host"}
        else {"channels": [row["channel"]]}
    )
    return schemas.Mended(
        kind=remedy.kind or "host",
        revision=revision,
        replay={"reasons": [row["reason"]], **about},
    )


@router.post("/rejected-messages/dismissals", responses=documented(400))
async def post_dismissal(
    chosen: schemas.Dismissal, actor: Mender, context: Context
) -> schemas.Dismissed:
    """Take open refusals that nothing will mend off the list."""
    now = context.clock.now()
    choice = _choice(chosen, now)
    async with context.database.writing() as connection:
        count = await dismiss(
            connection,
            choice,
            sight_of(actor),
            by=actor.name,
            note=chosen.note,
            now=now,
        )
    return schemas.Dismissed(dismissed=count)


@router.post("/replays", status_code=202, responses=documented(400, 409))
async def post_replay(
    chosen: schemas.Chosen, actor: Mender, context: Context
) -> schemas.Replay:
    """Have open refusals read again: their raw messages go through ingest as if they came now.

    What is stored already is not stored twice; what is refused again stays one entry.
    """
    now = context.clock.now()
    async with context.database.writing() as connection:
        try:
            replay = await ask_replay(
                connection,
                _choice(chosen, now),
                sight_of(actor),
                by=actor.name,
                now=now,
            )
        except NothingChosenError as error:
            raise ConflictError("There is no open refusal among those.") from error
    return _say(replay)


@router.get("/replays", responses=documented(400))
async def get_replays(
    actor: RejectedReader, context: Context, pages: Pages
) -> Page[schemas.Replay]:
    """What was read again, newest first; for who sees the whole city."""
    require(actor, Action.READ_REJECTED, WHOLE_CITY)
    before = pages.after(1)
    async with context.database.reading() as connection:
        found = await list_replays(
            connection, before=before[0] if before else None, limit=pages.rows
        )
    return pages.page(found, _say, lambda replay: (replay.replay_id,))


@router.get("/replays/{replay_id}", responses=documented(404))
async def get_replay(
    replay_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.")],
    actor: RejectedReader,
    context: Context,
) -> schemas.Replay:
    """How far a replay has come; for who asked for it, or sees the whole city."""
    async with context.database.reading() as connection:
        try:
            replay = await read_replay(connection, replay_id)
        except LookupError as error:
            raise NotFoundError(f"There is no replay {replay_id}.") from error
    if replay.asked_by != actor.name:
        require(actor, Action.READ_REJECTED, WHOLE_CITY)
    return _say(replay)


def sight_of(actor: Actor) -> Sight:
    scope = scope_of(actor)
    return Sight(scope.domains, scope.districts)


def _choice(chosen: schemas.Chosen, now: dt.datetime) -> Choice:
    """Raises BadRangeError."""
    end = chosen.end or now + _A_MINUTE
    within = time_range(
        chosen.start or end - LONGEST_RAW, end, LONGEST_RAW, "The choice of refusals"
    )
    return Choice(
        start=within.start,
        end=within.end,
        ids=chosen.ids,
        reasons=[reason.value for reason in chosen.reasons] if chosen.reasons else None,
        publishers=chosen.publishers,
        devices=chosen.devices,
        channels=chosen.channels,
    )


def _say(replay: Replay) -> schemas.Replay:
    return schemas.Replay.model_validate(replay, from_attributes=True)


async def _visible(connection: Connection, actor: Actor, rejected_id: int) -> Row:
    row = await find_rejection(connection, rejected_id, sight_of(actor))
    if row is None:
        raise _not_found(rejected_id)
    return row


def _not_found(rejected_id: int) -> NotFoundError:
    return NotFoundError(f"There is no refusal {rejected_id} that you may see.")
