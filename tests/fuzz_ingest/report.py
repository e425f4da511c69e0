"""What a run found, for people and as data."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Final

from services.core.broker.link import Publication
from services.core.reasons import Reason
from services.ingest.decode import FAULT, Decoder
from services.ingest.messages import Unusable
from tests.faults.verdict import Line
from tests.fuzz_ingest.messages import Wild

MEBIBYTE: Final = 1 << 20
_MOST_GROWTH: Final = 50.0
_MOST_SHOWN: Final = 10
_MOST_HEX: Final = 4_000


@dataclass(frozen=True)
class Wanted:
    """most_growth: MiB of resident memory of ingest, from the first twentieth of the messages on."""

    seed: int
    count: int
    most_growth: float = _MOST_GROWTH


@dataclass
class Outcome:
    """begin_ms: the moment that well-formed times lie about. memory: MiB. ledger, refused: items by fate and reason."""

    wanted: Wanted
    begin_ms: int
    seconds: float = 0.0
    sent: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    verdict: list[Line] = field(default_factory=list)
    reproductions: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return bool(self.verdict) and all(line.holds for line in self.verdict)

    @property
    def rate(self) -> int:
        """Messages a second, generation included."""
        return round(self.wanted.count / self.seconds) if self.seconds else 0

    def end(self, why: str) -> None:
        """The run could not be played to its end."""
        self.verdict.append(Line("the run was played to its end", False, why))

    def judge_log(self, faults: int) -> None:
        found = f"{faults} lines of ingest's log tell of one"
        self.verdict.append(Line("no message is a fault in a decoder", not (faults or self.reproductions), found))  # fmt: skip

    def find_culprits(self, messages: Iterable[Wild]) -> None:
        """Those of the newest messages that a decoder of our own has a fault with."""
        decoder = Decoder()
        for message in messages:
            publication = Publication(message.topic, message.payload, 0, message.qos, 0)
            try:
                said = decoder.decode(publication).content
            except Exception as error:  # noqa: BLE001 # it is what is looked for
                said = Unusable(Reason.MALFORMED, f"{FAULT}: {error}")
            if isinstance(said, Unusable) and said.detail.startswith(FAULT):
                self.reproduce(message.topic, message.payload, said.detail)

    def reproduce(self, topic: str, payload: bytes, detail: str) -> None:
        if len(self.reproductions) < _MOST_SHOWN:
            self.reproductions.append(
                f"{detail}: topic {topic!r}, payload (hex) {payload.hex()[:_MOST_HEX]}"
            )

    def as_json(self) -> str:
        found = {**asdict(self), "messages_per_second": self.rate, "holds": self.holds}
        return json.dumps(found, indent=1)

    def as_text(self) -> str:
        sent, memory = self.sent, self.memory
        lines = [
            f"{self.wanted.count:,} messages in {self.seconds:,.0f} s, {self.rate:,} a second",
            f"seed {self.wanted.seed}, times about {self.begin_ms}",
            f"sent: {sent}",
            f"items: {self.ledger}",
            f"refused: {self.refused}",
            f"ingest's memory, MiB: {memory}",
            *map(str, self.verdict),
            *(f"to reproduce: {each}" for each in self.reproductions),
        ]
        return "\n".join(lines)
