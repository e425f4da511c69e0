"""Two thousand more posts in the shipped city, and a gateway that speaks for them without pause."""

import asyncio
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.core.broker.client import BrokerClient
from services.core.broker.topics import up_topic
from services.core.clock import SystemClock

SHIPPED = Path(__file__).parents[2] / "deploy" / "city"
GATEWAY = "crowd-gateway"
DISTRICTS = ("gate", "golden", "growing", "green")
POSTS = 2_000
CHANNELS = ("pm2_5", "pm10", "no2", "so2", "o3")
POSTS_A_MESSAGE = 50

_TYPE = """
device_types:
  crowd_post:
    name: {kk: "Бекет", ru: "Пост", en: "Post"}
    sensor: air_quality_monitor
    period: 2s
    channels: {%s}
defaults: {domain: environment}
things:
  crowd-cabinet:
    kind: cabinet
    name: {kk: "Шкаф", ru: "Шкаф", en: "Cabinet"}
    place: {within: gate}
    devices: {%s: {}}
"""
_POSTS = """
  crowd-%(district)s-{n}:
    repeat: {n: %(count)d}
    kind: measuring_point
    name: {kk: "%(district)s {n}-бекет", ru: "Пост %(district)s {n}", en: "Post %(district)s {n}"}
    place: {within: %(district)s}
    devices:
      crowd-%(district)s-{n}: {type: crowd_post, hosted_by: [%(gateway)s]}
"""


def write_crowded_city(folder: Path) -> Path:
    """The shipped city file with the posts added; gives its root file."""
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    channels = ", ".join(f"{name}: {name}" for name in CHANNELS)
    text = _TYPE % (channels, GATEWAY)
    for district in DISTRICTS:
        text += _POSTS % {
            "district": district,
            "count": POSTS // len(DISTRICTS),
            "gateway": GATEWAY,
        }
    (folder / "crowd.yaml").write_text(text, encoding="utf-8")
    root = folder / "alatau.yaml"
    named = root.read_text(encoding="utf-8")
    root.write_text(
        named.replace("include:\n", "include:\n  - crowd.yaml\n"), encoding="utf-8"
    )
    return root


def posts() -> list[str]:
    return [
        f"crowd-{district}-{number}"
        for district in DISTRICTS
        for number in range(1, POSTS // len(DISTRICTS) + 1)
    ]


@dataclass
class Crowd:
    """Publishes values of all posts in turn, evenly. rate: values a second."""

    client: BrokerClient
    rate: float
    clock: SystemClock
    sent: int = 0

    async def publish(self) -> None:
        """Until it is cancelled; behind its time, it does not make up for what it could not send."""
        pause = POSTS_A_MESSAGE * len(CHANNELS) / self.rate
        due = self.clock.monotonic()
        chance = random.Random(1)
        for some in self._rounds():
            await self.client.publish(
                up_topic(GATEWAY, "data"), self._message(some, chance)
            )
            self.sent += len(some) * len(CHANNELS)
            due = max(due + pause, self.clock.monotonic() - 1)
            await asyncio.sleep(max(0, due - self.clock.monotonic()))

    def _message(self, some: list[str], chance: random.Random) -> bytes:
        now_ms = self.clock.now_ms()
        items = [
            {
                "device": post,
                "time": now_ms,
                "values": {name: round(chance.uniform(5, 30), 2) for name in CHANNELS},
            }
            for post in some
        ]
        return json.dumps({"items": items}).encode()

    @staticmethod
    def _rounds() -> Iterator[list[str]]:
        everybody = posts()
        while True:
            for first in range(0, len(everybody), POSTS_A_MESSAGE):
                yield everybody[first : first + POSTS_A_MESSAGE]
