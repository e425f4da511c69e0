"""A device client as a process of its own, fed line by line; it tells what is on its disk."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Fed:
    """values: of the lines that were fed, by number, of those whose number the client has told."""

    process: asyncio.subprocess.Process
    told: dict[int, float] = field(default_factory=dict)

    async def feed(self, value: float, time_ms: int) -> None:
        """Returns when the client has told its number: it is on the disk."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps({"time": time_ms, "values": {"voltage": value}})
        self.process.stdin.write(line.encode() + b"\n")
        number = await self.process.stdout.readline()
        if number:
            self.told[int(number)] = value

    async def end(self) -> int:
        """No more lines: it ends when all is receipted."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(60):
            return await self.process.wait()

    async def complaint(self) -> bytes:
        """A line that it tells its operator."""
        assert self.process.stderr is not None
        async with asyncio.timeout(20):
            return await self.process.stderr.readline()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


def reference_client(url: str, device: str, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "device_sim.client", "--say-numbers"]
    return [*command, "--broker", url, "--device", device, "--outbox", str(folder)]


@asynccontextmanager
async def running(
    command: Sequence[str], secret: str, *, complains: bool = False
) -> AsyncIterator[Fed]:
    """What is left of it at the end is killed. complains: its words to the operator are read here."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE if complains else None,
        env={**os.environ, "ALATAU_DEVICE_SECRET": secret},
    )
    fed = Fed(process)
    try:
        yield fed
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
