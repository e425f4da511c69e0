"""PURE: what goes wrong in the city, as data; the world shows it in everything that it touches."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from device_sim.signals import ramp


class IncidentKind(StrEnum):
    BURST_MAIN = "burst_main"  # on a water main
    OVERLOADED_FEEDER = "overloaded_feeder"  # on a 10 kV feeder
    JAMMED_OVERPASS = "jammed_overpass"  # on an overpass


@dataclass(frozen=True, slots=True)
class Incident:
    """start: Unix seconds. It grows over `rise` seconds, stays until `duration`, and goes within `rise` again."""

    kind: IncidentKind
    thing: str
    start: float
    duration: float = 75.0
    rise: float = 10.0

    def strength(self, unix: float) -> float:
        """0 to 1."""
        return ramp(unix - self.start, self.rise, self.duration)

    def is_over(self, unix: float) -> bool:
        return unix >= self.start + self.duration + self.rise


def strengths(
    incidents: Iterable[Incident], kind: IncidentKind, unix: float
) -> dict[str, float]:
    """Of each thing that an incident of this kind is on; the strongest where several are."""
    found: dict[str, float] = {}
    for incident in incidents:
        if incident.kind is kind:
            strength = max(found.get(incident.thing, 0.0), incident.strength(unix))
            found[incident.thing] = strength
    return found
