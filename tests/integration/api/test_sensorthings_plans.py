"""A page of observations touches about as many rows as it shows, however many there are."""

import datetime as dt
from typing import cast

import pytest

from services.api.sensorthings.entities import DATASTREAMS, ENTITY_SETS
from services.api.sensorthings.model import Voice
from services.api.sensorthings.observations import Observations
from services.api.sensorthings.options import read_options
from services.api.sensorthings.store import Question
from services.core.storage.pool import Connection
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi
from tests.integration.api.explained import Explained

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROWS = 40_000
PAGE = 50
DAYS = 20


async def test_a_page_reads_about_a_page(own_api: CityApi) -> None:
    database = own_api.database
    for device in ("bay-1", "bay-2"):
        frame = await seed.frame_of(database, device)
        await database.execute(
            """
            INSERT INTO observations
            SELECT $1, at, ARRAY[50, 1]::float8[], NULL, at
            FROM generate_series($2::timestamptz - $3::int * interval '1 day', $2, $3::int * interval '1 day' / $4::int) at
            """,
            frame,
            seed.NOW,
            DAYS,
            ROWS,
        )
    await database.execute("ANALYZE observations; SET enable_seqscan = off")
    frequency = "Datastream/properties/key eq 'substation.frequency'"
    for order in ("", "id desc", "phenomenonTime", "phenomenonTime desc"):
        for text in ("", frequency, f"{frequency} and phenomenonTime lt 2026-11-20"):
            explained = Explained(database)
            pairs = [("$top", str(PAGE))]
            pairs += [("$orderby", order)] if order else []
            pairs += [("$filter", text)] if text else []
            options = read_options(ENTITY_SETS["Observations"], pairs, many=True)
            connection = cast("Connection", explained)
            voice = Voice("en", "http://api.test")
            asked = Question(DATASTREAMS, voice, seed.NOW + dt.timedelta(minutes=1))
            page, _ = await Observations(connection, asked).page((), options, None)
            assert len(page.rows) == PAGE
            assert explained.rows <= 10 * PAGE, (order, text, explained.rows)
