"""Observations as a CSV file, written page by page: no connection is held while a slow client reads."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from services.api.moments import say_moment
from services.api.opendata.licence import LICENCE_ID
from services.api.series.model import QUALITY_WORDS, Observation, Place, Series
from services.api.series.ranges import Range
from services.api.series.saying import CODED
from services.api.series.store import read_page
from services.api.store import Reader

COLUMNS: Final = (
    "datastream",
    "thing",
    "observed_property",
    "unit",
    "phenomenon_time",
    "result",
    "codes",
    "quality",
    "licence",
)
_PAGE: Final = 5_000


async def whole_range(
    database: Reader, series: Sequence[Series], within: Range, after: Place | None
) -> AsyncIterator[bytes]:
    """The file in pieces, from after a place to the end of the range."""
    begun = False
    while True:
        async with database.reading() as connection:
            observations, after = await read_page(
                connection, series, within, _PAGE, after
            )
        yield csv_rows(series, observations, header=not begun)
        begun = True
        if after is None:
            return


def csv_rows(
    series: Sequence[Series], observations: Iterable[Observation], *, header: bool
) -> bytes:
    by_id = {one.datastream_id: one for one in series}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    if header:
        rows.writerow(COLUMNS)
    rows.writerows(
        _row(by_id[observation.datastream_id], observation)
        for observation in observations
    )
    return text.getvalue().encode()


def _row(series: Series, observation: Observation) -> Sequence[object]:
    coded = series.kind in CODED
    result = observation.result
    return (
        series.key,
        series.thing,
        series.observed_property,
        series.unit,
        say_moment(observation.phenomenon_time),
        int(result) if coded else repr(result),
        " ".join(series.code_keys(result)) if coded else "",
        QUALITY_WORDS[observation.quality][0],
        LICENCE_ID,
    )
