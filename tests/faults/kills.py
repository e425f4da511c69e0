"""Processes that are gone: services, the broker, database backends, the postmaster, the supervisor, ingest at named points."""

import asyncio
import random
import signal
from functools import partial
from typing import Final

from tests.faults.ground import PATIENCE, NotWithinError, signal_all
from tests.faults.plan import KILLS
from tests.faults.scene import Recovery, Scene, fault
from tests.faults.traffic import send_poison
from tests.faults.truth import Made
from tests.integration.ingest_child import IN_TURN_POINTS, POINTS

BACKEND: Final = "database backend"
_VICTIMS: Final = ("ingest", "rules", "history", "api", BACKEND)
_HOW_MANY: Final = (1, 1, 1, 1, 1, 2, 2, 2, 3, 3)
_SLICE_POINTS: Final = ("before-write", "after-commit", "before-receipt")
_DRIP: Final = 0.1  # seconds
_QUEUED: Final = 100_000
_POURED: Final = 1_000_000
_POUR: Final = 5_000  # at once
_POUR_PATIENCE: Final = 600.0
_COUNT: Final = """
SELECT count(*) FROM observations JOIN frames USING (frame_id) JOIN devices USING (device_id) WHERE key = $1
"""


@fault(KILLS)
async def kill_some(scene: Scene, chance: random.Random) -> list[Recovery]:
    """SIGKILL of one to three of them in the same moment."""
    victims = chance.sample(_VICTIMS, chance.choice(_HOW_MANY))
    ground, since = scene.ground, scene.now()
    former = {name: ground.pid(name) for name in victims if name != BACKEND}
    waiting = []
    for victim in victims:
        if victim == BACKEND:
            backends = ground.backends("ingest") or ground.backends()
            signal_all(backends[:1], signal.SIGKILL)
        else:
            ground.send(victim, signal.SIGKILL)
    stopped = [name for name in ("ingest", BACKEND) if name in victims]
    if stopped:
        waiting.append(scene.stores_again(" and ".join(stopped), since))
    waiting += [
        _is_back(scene, name, former[name], since)
        for name in victims
        if name in {"rules", "history", "api"}
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in waiting]
    return [task.result() for task in tasks]


async def _is_back(
    scene: Scene, name: str, former: int | None, since: float
) -> Recovery:
    await scene.ground.replaced(name, former)
    return Recovery(name, scene.now() - since)


async def kill_ingest_at(
    point: str, scene: Scene, chance: random.Random
) -> list[Recovery]:
    """An ingest that ends itself at the point; the supervised one, which waited, takes over."""
    count = str(chance.randrange(1, 30))
    async with scene.ground.second_ingest(point, count) as ingest:
        async with asyncio.timeout(PATIENCE):
            ended = await ingest.wait()
        since = scene.now()
    assert ended == -signal.SIGKILL, f"ingest ended with {ended}, not at {point}"
    return [await scene.stores_again("ingest", since)]


async def kill_ingest_in_turn_at(
    point: str, scene: Scene, chance: random.Random
) -> list[Recovery]:
    """Where only a batch comes that is more than new rows: what is refused makes it one."""
    drip = asyncio.create_task(_drip_poison(scene, chance))
    try:
        return await kill_ingest_at(point, scene, chance)
    finally:
        drip.cancel()


async def _drip_poison(scene: Scene, chance: random.Random) -> None:
    while True:
        send_poison(scene.fleet.poison, chance)
        await scene.rest(_DRIP)


for _point in POINTS:
    fault(f"ingest killed {_point}", in_slice=_point in _SLICE_POINTS)(
        partial(kill_ingest_at, _point)
    )
for _point in IN_TURN_POINTS:
    fault(f"ingest killed {_point}")(partial(kill_ingest_in_turn_at, _point))


async def _end(
    name: str, how: signal.Signals, scene: Scene, _chance: random.Random
) -> list[Recovery]:
    since = scene.now()
    scene.ground.send(name, how)
    of = "postmaster" if name == "database" else name
    return [await scene.stores_again(of, since)]


fault("broker killed", in_slice=True)(partial(_end, "broker", signal.SIGKILL))
fault("broker restarted")(partial(_end, "broker", signal.SIGTERM))
fault("postmaster killed", in_slice=True)(partial(_end, "database", signal.SIGKILL))
fault("database stopped at once")(partial(_end, "database", signal.SIGQUIT))
fault("database restarted")(partial(_end, "database", signal.SIGINT))


@fault("broker and ingest killed")
async def broker_and_ingest(scene: Scene, _chance: random.Random) -> list[Recovery]:
    since = scene.now()
    scene.ground.send("broker", signal.SIGKILL)
    scene.ground.send("ingest", signal.SIGKILL)
    return [await scene.stores_again("broker and ingest", since)]


@fault("broker, ingest and database killed")
async def all_of_them(scene: Scene, _chance: random.Random) -> list[Recovery]:
    since = scene.now()
    for name in ("broker", "ingest", "database"):
        scene.ground.send(name, signal.SIGKILL)
    return [await scene.stores_again("broker, ingest and postmaster", since)]


@fault("backends terminated", in_slice=True)
async def terminate(scene: Scene, _chance: random.Random) -> list[Recovery]:
    """As pg_terminate_backend does, of all of ingest's."""
    since = scene.now()
    signal_all(scene.ground.backends("ingest"), signal.SIGTERM)
    return [await scene.stores_again(BACKEND, since)]


@fault("database frozen")
async def freeze(scene: Scene, chance: random.Random) -> list[Recovery]:
    """All its processes stand still for some seconds, and say nothing."""
    pids = [scene.ground.pid("database") or 0, *scene.ground.backends()]
    signal_all(pids, signal.SIGSTOP)
    try:
        await scene.rest(chance.uniform(2.0, 8.0))
    finally:
        signal_all(pids, signal.SIGCONT)
    return [await scene.stores_again("database frozen", scene.now())]


@fault("ingest frozen")
async def freeze_ingest(scene: Scene, chance: random.Random) -> list[Recovery]:
    pid = scene.ground.send("ingest", signal.SIGSTOP)
    await scene.rest(chance.uniform(2.0, 8.0))
    since = scene.now()
    signal_all([pid] if pid else [], signal.SIGCONT)
    return [await scene.stores_again("ingest frozen", since)]


@fault("supervisor killed", least_minutes=3.1)
async def supervisor(scene: Scene, _chance: random.Random) -> list[Recovery]:
    """As a power cut: everything is gone in the same moment; somebody starts it again."""
    ground, since = scene.ground, scene.now()
    pid = int((ground.home.lock_file).read_text(encoding="utf-8"))
    signal_all([pid], signal.SIGKILL)
    await asyncio.to_thread(ground.city.up, "--no-sim")
    return [await scene.stores_again("everything", since)]


async def _queue(
    name: str, how: signal.Signals, scene: Scene, _chance: random.Random
) -> list[Recovery]:
    """Ingest stands still, so that all that is published queues in the broker; then the broker ends."""
    ground, burst = scene.ground, scene.fleet.burst
    await ground.until("the last burst is over", lambda: burst.is_done, _POUR_PATIENCE)
    async with ground.ingest_kept_out():
        for _ in range(_QUEUED):
            burst.make(1, ago_ms=2 * _QUEUED)
            if burst.last_seq % 500 == 0:
                await scene.rest(0.0)
        await ground.until(
            "all of it is queued", lambda: not burst.has_unsent, _POUR_PATIENCE
        )
        since = scene.now()
        ground.send("broker", how)
    return [await scene.stores_again(name, since)]


async def _pour(scene: Scene, chance: random.Random) -> list[Recovery]:
    """A million messages wait in the broker when it is stopped in order: it must have all of them afterwards."""
    ground, publisher = scene.ground, scene.fleet.poured
    async with ground.ingest_kept_out():
        for _ in range(_POURED // _POUR):
            for _ in range(_POUR):
                publisher.make(1, ago_ms=2 * _POURED)
            await ground.until("some are queued", lambda: publisher.is_done)
        since = scene.now()
        ground.send("broker", signal.SIGTERM)
    recovery = await scene.stores_again("broker with 1,000,000 queued", since)
    await _all_stored(scene, publisher.made[0])
    return [recovery]


async def _all_stored(scene: Scene, made: Made) -> None:
    deadline = scene.now() + _POUR_PATIENCE
    while await scene.ground.fetchval(_COUNT, made.instrument.device) < len(made.times):
        if scene.now() > deadline:
            raise NotWithinError(f"not all {len(made.times):,} are stored")
        await scene.rest(1.0)


fault("broker restarted with 1,000,000 queued", least_minutes=60.0)(_pour)
fault("broker killed with 100,000 queued", least_minutes=20.0)(
    partial(_queue, "broker with 100,000 queued", signal.SIGKILL)
)
fault("broker restarted with 100,000 queued", least_minutes=20.0)(
    partial(_queue, "broker with 100,000 queued", signal.SIGTERM)
)
