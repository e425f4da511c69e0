"""The port that publications come through; MQTT is one source, and tests and an HTTPS door can be others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.core.broker.link import Publication
from services.ingest.commands import Commands
from services.ingest.decode import Decoder
from services.ingest.downlink import Outlet
from services.ingest.resolve import Refused


class Source(Protocol):
    """core.broker.client.BrokerClient is one."""

    @property
    def connection(self) -> int:
        """Counts the connections: what was not acknowledged in one comes again in the next."""

    async def receive(self, limit: int) -> list[Publication]:
        """At least one, at most limit, in order."""

    def acknowledge(self, publications: Sequence[Publication]) -> None:
        """These are committed: the source may forget them."""

    async def round_trip(self) -> int:
        """Once everything is here that the source had to send when asked: how many of it receive() has still to give.

        Raises:
            BrokerUnavailableError: no connection.
        """


def _nobody_asks(_refused: Iterable[Refused]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Intake:
    """Where publications come from, who reads them, and who asks their publishers back."""

    source: Source
    outlet: Outlet
    decoder: Decoder
    commands: Commands
    set_aside: Callable[[], Mapping[str, int]] = dict  # messages by publisher
    explain: Callable[[Iterable[Refused]], None] = (
        _nobody_asks  # what is not stored, before acknowledge()
    )
