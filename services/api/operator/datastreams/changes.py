"""GET /datastreams/{key}/changes; POST, GET …/corrections: what was known before, and what people know better."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path
from pydantic import (
    BaseModel,
    Field,
    FiniteFloat,
    StringConstraints,
    model_validator,
)

from services.api.auth.permissions import Action, Place, Scope, scope_of
from services.api.auth.session import Corrector, ReadScope, require
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.operator.datastreams.store import find_datastream
from services.api.parameters import End, Key, Pages, Start
from services.api.schemas import GivenMoment, Moment, Page
from services.api.series.model import QUALITY_WORDS, QualityWord
from services.api.series.ranges import Range
from services.api.series.reading import raw_range
from services.core.broker.messages import SourceQuality
from services.core.storage.corrections import (
    NewCorrection,
    NothingToCorrectError,
    correct,
    read_correction,
)
from services.core.storage.pool import Connection

Row = Mapping[str, Any]
Code = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
CorrectionId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.")]

_CHANGES: Final = """
SELECT c.change_id, c.phenomenon_time, c.old, c.old_quality, c.new, c.new_quality, c.known_at, c.who, c.why
FROM datastream_slots s
JOIN observation_changes c ON c.frame_id = s.frame_id AND c.slot = s.slot
                          AND c.phenomenon_time >= s.valid_from AND c.phenomenon_time < s.valid_to
WHERE s.datastream_id = $1 AND c.phenomenon_time >= $2 AND c.phenomenon_time < $3 AND c.change_id > $4
ORDER BY c.change_id LIMIT $5
"""

router = APIRouter(tags=["Datastreams"], responses=documented(401, 404, 422, 503))


class KnownQuality(BaseModel):
    """As of observations."""

    quality: QualityWord = Field(
        description="The worse of what the source and our checks say.",
        examples=["suspect"],
    )
    source_quality: QualityWord = Field(
        description="As the device said it, or who corrected it.", examples=["suspect"]
    )
    check_quality: QualityWord = Field(
        description="As our checks found it.", examples=["good"]
    )

    @classmethod
    def of(cls, packed: int | None) -> "KnownQuality | None":
        if packed is None:
            return None
        quality, source, check = QUALITY_WORDS[packed]
        return cls(quality=quality, source_quality=source, check_quality=check)


class Change(BaseModel):
    """One value of the past that became another. Values are numbers as stored: of a state the code's number."""

    change_id: int = Field(
        description="Its number, in the order in which we knew.", examples=[81]
    )
    phenomenon_time: Moment = Field(description="The time that the value is about.")
    old: float | None = Field(
        description="What was known before; null: nothing.", examples=[230.4]
    )
    new: float | None = Field(description="What is known since.", examples=[231.0])
    old_quality: KnownQuality | None = Field(
        description="How good it was known to be; null: nothing was known, or its quality was not kept."
    )
    new_quality: KnownQuality | None = Field(
        description="How good it is known to be since; null: it was not kept."
    )
    known_at: Moment = Field(description="Since when.")
    who: str = Field(
        description="The publisher that said so, or `user:` and a name.",
        examples=["gw-gate-07"],
    )
    why: str = Field(
        description="merged: nothing was known for this channel; corrected: it was revised.",
        examples=["corrected"],
    )


class NewValue(BaseModel):
    """What is right. At least one of value and quality."""

    time: GivenMoment = Field(
        description="Which observation: its phenomenon_time, to the millisecond."
    )
    value: Annotated[FiniteFloat | bool | Code | None, Field(union_mode="smart")] = (
        Field(
            default=None,
            description="In the canonical unit; of a state the key of its code; null: as it is stored.",
            examples=[231.0],
        )
    )
    quality: SourceQuality | None = Field(
        default=None,
        description="How much it is to be trusted; null: good.",
        examples=["fail"],
    )
    reason: str = Field(
        min_length=3,
        max_length=1000,
        pattern=r"^[^\x00]*$",
        description="For those who ask later.",
        examples=["The sensor was in its calibration gas."],
    )

    @model_validator(mode="after")
    def _says_something(self) -> "NewValue":
        if self.value is None and self.quality is None:
            raise ValueError("give a value, a quality, or both")
        return self


class Correction(BaseModel):
    """What somebody corrected, and how it went."""

    correction_id: int = Field(description="Its number.", examples=[12])
    phenomenon_time: Moment = Field(description="Of the observation.")
    value: float | bool | str = Field(description="What is right.", examples=[231.0])
    quality: str | None = Field(description="How much it is to be trusted.")
    reason: str = Field(
        description="Why.", examples=["The sensor was in its calibration gas."]
    )
    asked_by: str = Field(description="Who says so.", examples=["dana"])
    asked_at: Moment = Field(description="When.")
    done_at: Moment | None = Field(description="When it was stored or refused.")
    outcome: Literal["corrected", "unchanged", "refused"] | None = Field(
        description="null: not yet; unchanged: it was so already.",
        examples=["corrected"],
    )
    detail: str | None = Field(description="Why it was refused.")


@router.get("/datastreams/{key}/changes", responses=documented(400))
async def get_changes(
    key: Key, start: Start, end: End, scope: ReadScope, context: Context, pages: Pages
) -> Page[Change]:
    """What was known before: values of this time range (31 days at most) that were merged or corrected afterwards."""
    within = raw_range(start, end)
    async with context.database.reading() as connection:
        rows = await _changes(connection, scope, key, within, pages)
    return pages.page(rows, _say_change, lambda row: (row["change_id"],))


@router.post(
    "/datastreams/{key}/corrections", status_code=202, responses=documented(403)
)
async def correct_value(
    key: Key, word: NewValue, actor: Corrector, context: Context
) -> Correction:
    """Correct a stored value. The old one is kept (`/changes`); rules, live streams and totals hear of the new one."""
    now = context.clock.now()
    async with context.database.writing() as connection:
        found = await find_datastream(connection, scope_of(actor), key)
        if found is None:
            raise NotFoundError(f"There is no datastream {key!r} that you may see.")
        place = Place(found["domain"], found["district"])
        require(actor, Action.CORRECT, place)
        new = NewCorrection(
            found["datastream_id"], word.time, word.value, word.quality, word.reason
        )
        try:
            number = await correct(connection, new, actor=actor.name, now=now)
        except NothingToCorrectError as error:
            raise NotFoundError(str(error)) from error
        return _say(await read_correction(connection, number), found)


@router.get("/datastreams/{key}/corrections/{correction_id}")
async def get_correction(
    key: Key, correction_id: CorrectionId, scope: ReadScope, context: Context
) -> Correction:
    """How a correction went."""
    async with context.database.reading() as connection:
        found = await find_datastream(connection, scope, key)
        return _say(await read_correction(connection, correction_id), found)


def _say_change(row: Row) -> Change:
    qualities = {
        name: KnownQuality.of(row[name]) for name in ("old_quality", "new_quality")
    }
    return Change(**{**row, **qualities})


def _say(row: Row | None, datastream: Row | None) -> Correction:
    if row is None or datastream is None:
        raise NotFoundError("There is no such correction that you may see.")
    if row["datastream_id"] != datastream["datastream_id"]:
        raise NotFoundError("There is no such correction that you may see.")
    return Correction(**{name: row[name] for name in Correction.model_fields})


async def _changes(
    connection: Connection, scope: Scope, key: str, within: Range, pages: Pages
) -> list[Row]:
    found = await find_datastream(connection, scope, key)
    if found is None:
        raise NotFoundError(f"There is no datastream {key!r} that you may see.")
    rows: list[Row] = await connection.fetch(
        _CHANGES,
        found["datastream_id"],
        within.start,
        within.end,
        pages.after_id,
        pages.rows,
    )
    return rows
