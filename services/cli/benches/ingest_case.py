"""One message size through the whole platform: sustained load, half of it for the receipts' latency, then the reckoning."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final

from services.cli.benches.consumers import Watcher, seconds_behind
from services.cli.benches.load import TOGETHER, Latencies, Progress
from services.cli.benches.spending import Spending
from services.core.clock import Clock, from_milliseconds
from services.core.storage.ledger import Account, read_ledger
from services.core.storage.pool import Connection

_WARM_UP_SECONDS: Final = 3.0
_MET: Final = 60  # messages of a publisher, before anything is measured
_LONGEST_LATENCY_SECONDS: Final = 20.0
_SETTLING_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05
_SAMPLES: Final = 20  # of resident memory
_CLOCKS_APART_MS: Final = 60_000
_ENDLESS: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class ReceiptLatency:
    """Milliseconds from sending to the receipt, at half of the rate that was reached.

    together: messages that a publisher sends at once.
    """

    together: int

    messages_per_second: int
    messages: int
    p50: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB resident. growth: over the second half of the time, in which nothing should grow any more."""

    begin: float
    end: float
    highest: float
    growth: float


@dataclass(frozen=True, slots=True)
class Case:
    """The documented JSON of one message size.

    lost: sent and receipted, or only sent, and not in the store; duplicates: stored twice. generator_cpu_share: of one
    core. behind_seconds: what each follower of the log needed after the load ended.
    """

    values_per_message: int
    messages_per_second: int
    broker_messages_per_second: int
    broker_ratio: float
    readings_per_second: int
    raw_copy_per_second: int
    ratio: float
    messages: int
    lost: int
    duplicates: int
    balanced: bool
    receipts_per_second: int
    wrong_receipts: int
    receipt_latency: ReceiptLatency
    receipt_latency_one_by_one: ReceiptLatency
    generator_cpu_share: float
    cpu_microseconds_per_message: Mapping[str, float]
    behind_seconds: Mapping[str, float]
    memory: Mapping[str, Memory]


@dataclass(frozen=True, slots=True)
class Limits:
    """What broker and database do alone, a second."""

    values: int
    messages: float
    rows: float


@dataclass(frozen=True, slots=True)
class _Sustained:
    """spent: microseconds of CPU a message, by process."""

    seconds: float
    messages: int
    receipts: int
    spent: Mapping[str, float]
    memory: Mapping[str, Memory]
    behind: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


class PipelineRun:
    """Services, publishers and an operator are there; nothing is sent yet."""

    def __init__(
        self,
        connection: Connection,
        load: Progress,
        spending: Spending,
        watcher: Watcher,
        seconds: float,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._load = load
        self._spending = spending
        self._watcher = watcher
        self._seconds = seconds
        self._clock = clock

    async def case(self, limits: Limits) -> Case:
        ledger = (await read_ledger(self._connection)).total
        begun = _Begun(self._clock.now_ms() - _CLOCKS_APART_MS, ledger)
        sustained = await self._sustain()
        half = sustained.rate / 2
        latencies = [await self._latency(half, each) for each in (TOGETHER, 1)]
        return await self._reckon(limits, sustained, latencies, begun)

    async def _sustain(self) -> _Sustained:
        load, clock = self._load, self._clock
        load.allowed.value = _ENDLESS
        await self._warm_up()
        before, receipted = await self._spending.so_far(), load.receipted.value
        receipts, began = load.receipts.value, clock.monotonic()
        samples = await self._watch_memory(began)
        seconds, messages = clock.monotonic() - began, load.receipted.value - receipted
        receipts = load.receipts.value - receipts
        after = await self._spending.so_far()
        return _Sustained(
            seconds,
            messages,
            receipts,
            after.per_message(before, messages),
            {name: _memory([one[name] for one in samples]) for name in samples[0]},
            await self._drain(),
        )

    async def _warm_up(self) -> None:
        """Until every publisher is known: its first message has to be resolved."""
        load, clock = self._load, self._clock
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while load.receipted.value < _MET * load.publishers:
                await clock.sleep(_POLL_SECONDS)
        await clock.sleep(min(_WARM_UP_SECONDS, self._seconds))

    async def _watch_memory(self, began: float) -> list[dict[str, float]]:
        """Through the measured seconds."""
        samples = [self._spending.resident()]
        for sample in range(1, _SAMPLES + 1):
            due = began + self._seconds * sample / _SAMPLES
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
            samples.append(self._spending.resident())
        return samples

    async def _drain(self) -> Mapping[str, float]:
        """Until every message has its receipt and every follower has seen it."""
        load = self._load
        load.allowed.value, load.rate.value = 0, 0.0
        await self._clock.sleep(_POLL_SECONDS)
        behind = await seconds_behind(
            self._connection, self._watcher, self._clock, _PATIENCE_SECONDS
        )
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while load.receipted.value < load.sent.value:
                await self._clock.sleep(_POLL_SECONDS)
        return behind

    async def _latency(self, rate: float, together: int) -> ReceiptLatency:
        load, clock = self._load, self._clock
        load.together.value, load.rate.value = together, rate
        load.allowed.value = _ENDLESS
        await clock.sleep(_SETTLING_SECONDS)
        load.take_latencies()
        await clock.sleep(min(self._seconds, _LONGEST_LATENCY_SECONDS))
        latencies = load.take_latencies()
        await self._drain()
        return _in_milliseconds(rate, together, latencies)

    async def _reckon(
        self,
        limits: Limits,
        sustained: _Sustained,
        latencies: Sequence[ReceiptLatency],
        begun: "_Begun",
    ) -> Case:
        load, spent = self._load, sustained.spent
        same, one_by_one = latencies
        account, stored = await self._account(begun), await self._rows(begun, limits)
        readings = sustained.rate * limits.values
        return Case(
            values_per_message=limits.values,
            messages_per_second=round(sustained.rate),
            broker_messages_per_second=round(limits.messages),
            broker_ratio=round(sustained.rate / limits.messages, 3),
            readings_per_second=round(readings),
            raw_copy_per_second=round(limits.rows),
            ratio=round(readings / limits.rows, 3),
            messages=load.sent.value,
            lost=load.sent.value - stored,
            duplicates=account.stored - stored,
            balanced=account.balanced,
            receipts_per_second=round(sustained.receipts / sustained.seconds),
            wrong_receipts=load.faults.value,
            receipt_latency=same,
            receipt_latency_one_by_one=one_by_one,
            generator_cpu_share=round(spent["generator"] * sustained.rate / 1e6, 3),
            cpu_microseconds_per_message=spent,
            behind_seconds=sustained.behind,
            memory=sustained.memory,
        )

    async def _account(self, begun: "_Begun") -> Account:
        """What the ledger has counted since."""
        now = (await read_ledger(self._connection)).total
        return Account(
            *(
                after - before
                for after, before in zip(
                    astuple(now), astuple(begun.ledger), strict=True
                )
            )
        )

    async def _rows(self, begun: "_Begun", limits: Limits) -> int:
        count: int = await self._connection.fetchval(
            "SELECT count(*) FROM observations WHERE phenomenon_time >= $1 AND cardinality(results) = $2",
            from_milliseconds(begun.at_ms),
            limits.values,
        )
        return count


@dataclass(frozen=True, slots=True)
class _Begun:
    """at_ms: all that is sent is of then or later, and nothing that was there before."""

    at_ms: int
    ledger: Account


def _memory(samples: Sequence[float]) -> Memory:
    middle = samples[len(samples) // 2]
    return Memory(samples[0], samples[-1], max(samples), round(samples[-1] - middle, 1))


def _in_milliseconds(rate: float, together: int, latency: Latencies) -> ReceiptLatency:
    return ReceiptLatency(
        together,
        round(rate),
        latency.count,
        round(latency.p50 * 1e3, 1),
        round(latency.p99 * 1e3, 1),
        round(latency.worst * 1e3, 1),
    )
