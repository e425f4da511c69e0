"""The short run of the ingest fuzz (`make fuzz-ingest` has the long one)."""

from pathlib import Path

import pytest

from services.core.clock import SystemClock
from tests.fuzz_ingest.report import Wanted
from tests.fuzz_ingest.run import play
from tests.stack_fixtures import Broker

SEED = 20_261_122
COUNT = 5_000


@pytest.mark.integration
async def test_five_thousand_messages_that_nobody_thought_of(
    broker: Broker, database_url: str, tmp_path: Path
) -> None:
    wanted = Wanted(SEED, COUNT)
    outcome = await play(wanted, broker, database_url, tmp_path, SystemClock())
    assert outcome.holds, outcome.as_text()
    assert outcome.ledger["stored"] > COUNT // 4
    assert outcome.ledger["rejected"] > COUNT // 4
    assert len(outcome.refused) > 12, "reasons"
