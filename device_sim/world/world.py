"""PURE: THE MAP: the city's worlds, coupled, advanced by simulated time.

weather ▸ traffic ▸ air; weather ▸ power; water drawn ▸ wastewater, with rain; weather ▸ gas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from device_sim.moment import Moment, moment_at
from device_sim.signals import Floats
from device_sim.world.air import AirQuality
from device_sim.world.gas import Gas
from device_sim.world.incidents import Incident, IncidentKind, strengths
from device_sim.world.power import Distribution, Supply
from device_sim.world.supply import WaterSupply
from device_sim.world.table import Reader, Table, places_of
from device_sim.world.traffic import Traffic
from device_sim.world.transmission import Transmission, loads_of_buses
from device_sim.world.wastewater import Wastewater
from device_sim.world.weather import Weather

_WARM_UP: Final = 36 * 3600.0
_WARM_UP_STEP: Final = 300.0
_LONGEST_STEP: Final = 60.0
_BUS_KV: Final = 10.0


@dataclass(frozen=True, slots=True)
class Domains:
    """buses: of each feeder, the power transformer that feeds it. affected: what an incident on a thing touches."""

    weather: Weather
    traffic: Traffic
    air: AirQuality
    transmission: Transmission
    distribution: Distribution
    buses: Sequence[str]
    supply: WaterSupply
    wastewater: Wastewater
    gas: Gas
    affected: Mapping[IncidentKind, Mapping[str, Sequence[str]]]


class World:
    def __init__(self, domains: Domains, zone: ZoneInfo) -> None:
        self._domains = domains
        self._zone = zone
        self.incidents: list[Incident] = []
        self._unix: float | None = None
        transformers = domains.transmission.transformers
        self._bus_at = places_of(domains.buses, transformers.things)

    # What goes wrong

    def targets(self, kind: IncidentKind) -> Sequence[str]:
        """The things that an incident of this kind can be on."""
        return sorted(self._domains.affected[kind])

    def start(self, incident: Incident) -> None:
        """Let it happen at its time.

        Raises:
            LookupError: it cannot be on that thing.
        """
        if incident.thing not in self._domains.affected[incident.kind]:
            raise LookupError(f"{incident.kind} cannot be on {incident.thing!r}")
        self.incidents.append(incident)

    def _strengths(self, kind: IncidentKind, table: Table, unix: float) -> Floats:
        found = np.zeros(len(table))
        rows = {thing: place for place, thing in enumerate(table.things)}
        for thing, strength in strengths(self.incidents, kind, unix).items():
            for part in self._domains.affected[kind][thing]:
                found[rows[part]] = max(found[rows[part]], strength)
        return found

    # Time

    def advance_to(self, unix: float) -> None:
        """Forward in steps of at most a minute; the first call lives through the day and a half before."""
        if self._unix is None:
            self._unix = unix - _WARM_UP
            while self._unix < unix - _LONGEST_STEP:
                self._step(min(_WARM_UP_STEP, unix - _LONGEST_STEP - self._unix))
        while self._unix < unix:
            self._step(min(_LONGEST_STEP, unix - self._unix))
        self.incidents = [each for each in self.incidents if not each.is_over(unix)]

    def _step(self, seconds: float) -> None:
        assert self._unix is not None  # noqa: S101 # advance_to() set it
        self._unix += seconds
        moment = moment_at(self._unix, self._zone)
        domains = self._domains
        air = domains.weather.at(moment)
        jams = self._strengths(
            IncidentKind.JAMMED_OVERPASS, domains.traffic.signals, self._unix
        )
        domains.traffic.advance(moment, seconds, jams)
        domains.air.advance(seconds, air, domains.traffic.emission)
        self._step_power(moment, seconds, air.temperature)
        bursts = self._strengths(
            IncidentKind.BURST_MAIN, domains.supply.water.mains, self._unix
        )
        domains.supply.advance(moment, seconds, bursts)
        domains.wastewater.advance(moment, seconds, air, domains.supply.draw)
        domains.gas.advance(moment, seconds, air.temperature)

    def _step_power(self, moment: Moment, seconds: float, temperature: float) -> None:
        domains = self._domains
        transmission, distribution = domains.transmission, domains.distribution
        overload = self._strengths(
            IncidentKind.OVERLOADED_FEEDER, distribution.feeders, moment.unix
        )
        bus = _BUS_KV * transmission.transformers["bus"][self._bus_at]
        supply = Supply(bus, transmission.frequency, temperature)
        distribution.advance(moment, seconds, supply, overload)
        power = distribution.feeders["active_power"]
        below = loads_of_buses(domains.buses, power, transmission.transformers.things)
        transmission.advance(moment, seconds, temperature, below)

    # What can be read

    def readers(self) -> Mapping[tuple[str, str], Reader]:
        """By thing and quantity; only after advance_to()."""
        domains = self._domains
        tables = (
            domains.air.air,
            domains.air.weather,
            domains.transmission.lines,
            domains.transmission.transformers,
            domains.distribution.feeders,
            domains.distribution.transformers,
            domains.distribution.meters,
            *domains.supply.tables(),
            *domains.wastewater.tables(),
            domains.gas.stations,
            domains.gas.regulators,
        )
        found: dict[tuple[str, str], Reader] = {}
        for table in tables:
            found |= table.readers()
        found.update(domains.traffic.readers())
        return found

    # Counters outlive the process, as in a meter

    def _counters(self) -> dict[str, tuple[Table, Floats]]:
        domains = self._domains
        wells, pumps = domains.supply.wells, domains.supply.pumps
        return {
            "meters": (domains.distribution.meters, domains.distribution.energy),
            "wells": (wells.wells, wells.energy),
            "pumps": (pumps.pumps, pumps.energy),
            "gas": (domains.gas.stations, domains.gas.volume),
            "rain": (domains.air.weather, domains.air.rain_total),
        }

    @property
    def counters(self) -> bytes:
        return msgspec.json.encode(
            {
                name: dict(zip(table.things, values.tolist(), strict=True))
                for name, (table, values) in self._counters().items()
            }
        )

    def restore(self, counters: bytes) -> None:
        """Let no counter be below what was remembered."""
        kept = msgspec.json.decode(counters, type=dict[str, dict[str, float]])
        for name, (table, values) in self._counters().items():
            before = kept.get(name, {})
            known = np.array([before.get(thing, 0.0) for thing in table.things])
            np.maximum(values, known, out=values)
