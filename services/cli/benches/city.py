"""The city of 2050 on this machine: registered, played at a speed, and measured; nothing of it is kept."""

import asyncio
import contextlib
import os
import resource
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from services.cli.benches.city_2050 import RULES, Sent, city_2050, what_is_sent
from services.cli.benches.city_figures import (
    AlertWatch,
    Watch,
    alert_latency,
    an_hour,
    drained,
    ledger_sums,
    percentiles,
    sizes,
    stalls,
)
from services.cli.benches.city_load import CityLoad, CityProgress, running_city_load
from services.cli.benches.city_plan import CityPlan, city_plan, gateway, member
from services.cli.benches.consumers import SERVICES, live_watcher, running_services
from services.cli.benches.private_servers import Servers, free_port, private_servers
from services.cli.benches.spending import Spending, Spent
from services.core.alerting.rule_file import Vocabulary
from services.core.clock import Clock
from services.core.errors import ConfigurationError
from services.core.rule_folder import load_rules
from services.core.storage.migrate import migrate
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city
from services.core.storage.rule_store import apply_rules

_ACTOR: Final = "bench"
_SETTLE_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 900.0
_WATCHED: Final = "domain=gas"  # what the console of the bench's operator shows
_STEP_SHARE: Final = 0.1
_OWN_FILES: Final = 500

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CityOptions:
    """speed: all periods are divided by it. scale: of all numbers of devices. seconds: of the load."""

    speed: float = 1.0
    seconds: float = 600.0
    scale: float = 1.0


async def bench_city(options: CityOptions, clock: Clock, say: Say) -> dict[str, Any]:
    """Register, start everything, play, drain, and count what is stored."""
    plan = city_plan(options.speed, options.scale)
    _allow_files(plan.publishers + _OWN_FILES)
    publishers = [gateway(number) for number in range(plan.gateways)]
    publishers += [member(kind, n) for kind in plan.direct for n in range(kind.count)]
    say(f"a private PostgreSQL and Mosquitto for {len(publishers):,} publishers")
    with private_servers(publishers) as servers:
        await migrate(servers.database_url)
        connection = await connect(servers.database_url, "bench")
        try:
            bench = _CityBench(options, plan, servers, connection, clock, say)
            return await bench.run()
        finally:
            await connection.close()


def _allow_files(wanted: int) -> None:
    """Of this process and of those it starts: the broker and the generator have a socket a publisher.

    Raises:
        ConfigurationError: this user may not have so many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    if soft == endless or wanted <= soft:
        return
    if hard != endless and wanted > hard:
        raise ConfigurationError(
            f"{wanted:,} open files are needed, and {hard:,} are allowed (ulimit -Hn)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(frozen=True, slots=True)
class _Played:
    seconds: float
    items: int
    readings: int
    messages: int
    cpu: Mapping[str, float]  # shares of one core
    disk: Mapping[str, int]


class _CityBench:
    def __init__(
        self,
        options: CityOptions,
        plan: CityPlan,
        servers: Servers,
        connection: Connection,
        clock: Clock,
        say: Say,
    ) -> None:
        self._options, self._plan, self._servers = options, plan, servers
        self._connection, self._clock, self._say = connection, clock, say
        self._alerts = AlertWatch()

    async def run(self) -> dict[str, Any]:
        registered, sent = await self._register()
        api_port = free_port()
        async with self._services(api_port) as (ready, processes):
            load = CityLoad(self._plan, sent, self._servers.port, self._servers.secrets)
            with running_city_load(load) as progress:
                async with (
                    live_watcher(self._connection, api_port, _WATCHED, self._clock),
                    self._watching_alerts(),
                ):
                    watch = Watch(processes)
                    played = await self._play(progress, processes, watch)
                    after = await self._count(progress, played)
                generator = {"late_s": round(progress.late_s.value, 3)}
        return {
            **self._told(registered, ready, watch),
            **self._offered(played),
            "stalls": stalls(watch.unreceipted, played.messages / played.seconds),
            **after,
            "generator": {**generator, "cpu_share": played.cpu.get("generator")},
        }

    async def _register(self) -> tuple[float, Sent]:
        city = city_2050(self._plan)
        told = ""

        def progress(what: str, done: int, of: int) -> None:
            nonlocal told
            step = f"{what} {int(done / max(1, of) / _STEP_SHARE) * _STEP_SHARE:.0%}"
            if step != told:
                told = step
                self._say(f"  {step}")

        self._say(f"registering {self._plan.datastreams:,} datastreams")
        began = self._clock.monotonic()
        await apply_city(
            self._connection,
            city,
            retire=False,
            actor=_ACTOR,
            dry_run=False,
            progress=progress,
        )
        seconds = self._clock.monotonic() - began
        self._say(f"  in {seconds:.1f} s")
        rules = load_rules([RULES], Vocabulary.of_city(city))
        await apply_rules(self._connection, rules, _ACTOR, retire=False, dry_run=False)
        return seconds, what_is_sent(self._plan, city, [each.rule for each in rules])

    @asynccontextmanager
    async def _services(
        self, api_port: int
    ) -> AsyncIterator[tuple[Mapping[str, float], Mapping[str, int]]]:
        """(seconds until each is ready, their process ids)."""
        ready: dict[str, float] = {}
        processes: dict[str, int] = {}
        async with AsyncExitStack() as opened:
            for name in SERVICES:
                began = self._clock.monotonic()
                services = running_services(self._servers, api_port, [name])
                processes |= await opened.enter_async_context(services)
                ready[name] = round(self._clock.monotonic() - began, 2)
                self._say(f"  {name} is ready after {ready[name]} s")
            yield ready, processes

    @asynccontextmanager
    async def _watching_alerts(self) -> AsyncIterator[None]:
        connection = await connect(self._servers.database_url, "bench-alerts")
        watching = asyncio.create_task(
            self._alerts.follow(connection, self._clock), name="alerts"
        )
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await connection.close()

    async def _play(
        self, progress: CityProgress, processes: Mapping[str, int], watch: Watch
    ) -> _Played:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while progress.connected.value < self._plan.publishers:
                await self._clock.sleep(0.1)
        await self._clock.sleep(_SETTLE_SECONDS)
        spending = Spending(
            self._servers,
            self._connection,
            {**processes, "generator": progress.pid, "bench": os.getpid()},
        )
        self._say(f"playing for {self._options.seconds:.0f} s")
        before, disk = await spending.so_far(), await sizes(self._connection)
        began = self._clock.monotonic()
        progress.playing.value = True
        sampling = asyncio.create_task(watch.sample_for_ever(progress, self._clock))
        await self._clock.sleep(self._options.seconds)
        progress.playing.value = False
        sampling.cancel()
        seconds = self._clock.monotonic() - began
        spent, grown = await spending.so_far(), await sizes(self._connection)
        return _Played(
            seconds=seconds,
            items=progress.items.value,
            readings=progress.readings.value,
            messages=progress.messages.value,
            cpu=_shares(before, spent, seconds),
            disk=an_hour(disk, grown, seconds),
        )

    async def _count(self, progress: CityProgress, played: _Played) -> dict[str, Any]:
        await self._clock.sleep(0.5)  # what the generator was about to send
        items = progress.items.value
        self._say(f"draining: {items:,} items were sent")
        seconds = patience = max(30.0, played.seconds)
        with contextlib.suppress(TimeoutError):
            seconds = await drained(self._connection, items, self._clock, patience)
            self._say(f"  drained in {seconds:.1f} s")
        sums = await ledger_sums(self._connection)
        rows = await self._connection.fetchval("SELECT count(*) FROM observations")
        missing, alerted = self._alerts.answers(progress.trips)
        return {
            "lost": items - sums["received"],
            "duplicates": sums["stored"] - rows,
            "not_receipted": progress.messages.value - progress.receipted.value,
            "wrong_receipts": progress.faults.value,
            "stored_rows": rows,
            "ledger": sums,
            "drain_s": round(seconds, 2) if sums["received"] >= items else None,
            "alert_latency_ms": {
                **alert_latency(alerted),
                "missing": missing,
                "unasked_for": self._alerts.other,
            },
        }

    def _told(
        self, registered: float, ready: Mapping[str, float], watch: Watch
    ) -> dict[str, Any]:
        options, plan = self._options, self._plan
        return {
            "bench": "city",
            "speed": options.speed,
            "scale": options.scale,
            "datastreams": plan.datastreams,
            "frames": plan.frames,
            "publishers": plan.publishers,
            "registration_s": round(registered, 1),
            "ready_s": ready,
            "resident_mib": {
                **{name: round(size) for name, size in watch.resident.items()},
                "together": round(watch.together),
            },
            "unreceipted_messages": percentiles(watch.unreceipted),
        }

    def _offered(self, played: _Played) -> dict[str, Any]:
        return {
            "seconds": round(played.seconds, 1),
            "planned_items_per_second": round(self._plan.items_per_second),
            "items_per_second": round(played.items / played.seconds),
            "readings_per_second": round(played.readings / played.seconds),
            "messages_per_second": round(played.messages / played.seconds),
            "cpu_shares": played.cpu,
            "disk_mib_an_hour": played.disk,
        }


def _shares(before: Spent, after: Spent, seconds: float) -> dict[str, float]:
    """Of one core; those that took less than a thousandth are left out."""
    shares = {
        name: round((spent - before.seconds.get(name, 0.0)) / seconds, 3)
        for name, spent in after.seconds.items()
    }
    return {name: share for name, share in sorted(shares.items()) if share > 0}
