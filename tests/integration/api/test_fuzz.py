"""Schemathesis asks everything the description allows, and much that it does not: no answer is a failure of ours.

`make test` asks each operation a few times; `make fuzz` asks ten thousand times.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import pytest_asyncio

from services.api.auth.permissions import Role
from services.api.context import Throttles
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.alerts import move, subject
from tests.integration.api.serving import Server, served

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="function")]

DOORS = ("/sta/v1.1", "/open/v1", "/api/v1")
WHOLE = 10_000
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
# Streams never end; whoever logs out is told so for the rest of the run.
LEFT_OUT = "/live|/watch$|/logout$"
_GENERATED = re.compile(r"(\d+) generated")
UNLIMITED = Throttle(10_000_000, 1)


@pytest_asyncio.fixture
async def server(city_url: str) -> AsyncIterator[Server]:
    throttles = Throttles(login=UNLIMITED, address=UNLIMITED, open_data=UNLIMITED)
    async with served(city_url, throttles=throttles) as running:
        database = running.api.database
        for device, values in {
            "air-1-dev": (1.0, 2.0, 3.0),
            "bay-1": (50.0, 1.0),
            f"pump-{seed.SECRET}-dev": (1.0, 3.0, 4.0),
        }.items():
            rows = [(seed.NOW - n * seed.MINUTE, values) for n in range(20)]
            await seed.store(database, device, rows)
            await seed.store_latest(database, device, *rows[0])
            await seed.log(database, device, *rows[0])
        await move(database, await subject(database, f"pump-{seed.SECRET}"))
        yield running


async def ask(
    server: Server, folder: Path, *arguments: str, checks: Iterable[str] = CHECKS
) -> int:
    """Let schemathesis ask; how many times it did. What it found fails the test."""
    headers = await server.api.session(Role.ADMIN)
    command = [
        *(str(Path(sys.executable).with_name("st")), "run"),
        f"http://127.0.0.1:{server.port}/openapi.json",
        *("--checks", ",".join(checks)),
        *("--header", f"Authorization:{headers['Authorization']}"),
        *("--include-path-regex", f"^({'|'.join(DOORS)})"),
        *("--exclude-path-regex", LEFT_OUT),
        *("--continue-on-failure", "--warnings", "off", "--request-timeout", "30"),
        *arguments,
    ]
    said = folder / "said.txt"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
        await process.wait()
    text = said.read_text()
    assert process.returncode == 0, text[-20_000:]
    cases = _GENERATED.search(text)
    assert cases, text
    return int(cases[1])


async def test_some_of_everything(server: Server, tmp_path: Path) -> None:
    few = ("--phases", "examples,fuzzing", "--max-examples", "2", "--seed", "1")
    assert await ask(server, tmp_path, *few) > 200


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
async def test_ten_thousand_times(server: Server, tmp_path: Path) -> None:
    covered = await ask(server, tmp_path, "--phases", "examples,coverage")
    # Made at random, a parameter too many may be an empty list: then nothing of it is sent, and nothing to reject.
    rejected = {"negative_data_rejection"}
    fuzzing = ("--phases", "fuzzing", "--max-examples", "105", "--workers", "2")
    fuzzed = await ask(server, tmp_path, *fuzzing, checks={*CHECKS} - rejected)
    assert covered + fuzzed >= WHOLE
