"""PURE: from a city file to the plans of water supply and sewerage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_sim.topology import Topology, number
from device_sim.world.pumping import Pump, Well
from device_sim.world.supply import SupplyPlan
from device_sim.world.wastewater import (
    LIFTED,
    RETURNED,
    Collector,
    LiftStation,
    Sewerage,
)
from device_sim.world.water import Main, Reservoir, Waterworks, Zone

_DRAWN: Final = 0.55  # of what the wells could give, on average
_WELL_FLOW, _PUMP_FLOW, _LIFT_FLOW = 150.0, 600.0, 500.0
_VOLUME, _DEPTH, _DIAMETER, _SEWER = 8_000.0, 5.0, 500.0, 1_000.0
_FIRST_POINT, _LAST_POINT = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class _Pipes:
    """Where each main comes from and goes to, by key."""

    station: dict[str, str] = field(default_factory=dict)
    source: dict[str, str | None] = field(default_factory=dict)
    target: dict[str, str] = field(default_factory=dict)


def plan_supply(topology: Topology) -> SupplyPlan:
    reservoirs = _reservoirs(topology)
    basins = {each.thing: each.basin for each in reservoirs}
    wells, pumps, field_basins = _wells_and_pumps(topology, basins)
    stations = {pump.thing: pump.station for pump in pumps}
    pipes = _pipes(topology, basins, stations, field_basins)
    zones = _zones(topology, basins, reservoirs, sum(well.rated_flow for well in wells))
    works = Waterworks(
        reservoirs,
        _mains(topology, pipes, zones),
        zones,
        [thing.key for thing in topology.measured_by("water_quality_monitor")],
    )
    return SupplyPlan(works, wells, pumps, field_basins)


def _reservoirs(topology: Topology) -> list[Reservoir]:
    """Reservoirs that feed the same things are one basin, named after the first."""
    names: dict[frozenset[str], str] = {}
    return [
        Reservoir(
            thing.key,
            names.setdefault(frozenset(topology.feeds(thing.key)), thing.key),
            number(thing, "volume_m3", _VOLUME),
            number(thing, "depth_m", _DEPTH),
        )
        for thing in topology.measured_by("reservoir_monitor")
    ]


def _wells_and_pumps(
    topology: Topology, basins: Mapping[str, str]
) -> tuple[list[Well], list[Pump], dict[str, str]]:
    """Pumps of one whole are a station; wells of one whole are a field, and fill a basin or feed its station."""
    pumps = [
        Pump(
            pump.key,
            topology.whole(pump.key) or pump.key,
            number(pump, "rated_flow_m3_per_h", _PUMP_FLOW),
        )
        for pump in topology.measured_by("booster_pump")
    ]
    wells, field_basins = [], {}
    for well in topology.measured_by("well_pump"):
        field = topology.whole(well.key) or well.key
        wells.append(
            Well(well.key, field, number(well, "rated_flow_m3_per_h", _WELL_FLOW))
        )
        filled = topology.among(topology.feeds(well.key), basins)
        if filled:
            field_basins[field] = basins[filled[0]]
    return wells, pumps, field_basins


def _pipes(
    topology: Topology,
    basins: Mapping[str, str],
    stations: Mapping[str, str],
    field_basins: Mapping[str, str],
) -> _Pipes:
    """The mains that lead from a station to a basin; others carry nothing here."""
    known = set(stations.values())
    pipes = _Pipes()
    for main in topology.of_kind("water_main"):
        above = topology.fed_by(main.key)
        lifted = [stations.get(thing, thing) for thing in above]
        lifting = topology.among(lifted, known)
        filled = topology.among(topology.feeds(main.key), basins)
        if lifting and filled:
            station = lifting[0]
            pipes.station[main.key] = station
            pipes.target[main.key] = basins[filled[0]]
            pipes.source[main.key] = field_basins.get(station) or _suction(
                topology, station, basins
            )
    return pipes


def _suction(topology: Topology, station: str, basins: Mapping[str, str]) -> str | None:
    """The basin that a station draws from; None: straight from wells."""
    above = topology.among(topology.fed_by(station), basins)
    return basins[above[0]] if above else None


def _zones(
    topology: Topology,
    basins: Mapping[str, str],
    reservoirs: Sequence[Reservoir],
    yield_: float,
) -> list[Zone]:
    """What the wells give is drawn in proportion to the basins' volumes, evenly among a basin's zones."""
    fed = {
        zone.key: basins[above[0]]
        for zone in topology.of_kind("pressure_zone")
        if (above := topology.among(topology.fed_by(zone.key), basins))
    }
    volumes = dict.fromkeys(fed.values(), 0.0)
    for reservoir in reservoirs:
        if reservoir.basin in volumes:
            volumes[reservoir.basin] += reservoir.volume
    total, counts = sum(volumes.values()), list(fed.values())
    points = {thing.key for thing in topology.measured_by("zone_pressure_logger")}
    return [
        Zone(
            zone,
            basin,
            _DRAWN * yield_ * volumes[basin] / total / counts.count(basin),
            tuple(topology.among(topology.parts(zone), points)),
        )
        for zone, basin in fed.items()
    ]


def _mains(topology: Topology, pipes: _Pipes, zones: Sequence[Zone]) -> list[Main]:
    flows = _mean_flows(topology, pipes, zones)
    loggers = {thing.key for thing in topology.measured_by("main_logger")}
    return [
        Main(
            main,
            pipes.station[main],
            pipes.source[main],
            pipes.target[main],
            flows[main],
            tuple(_along(topology.among(topology.parts(main), loggers))),
        )
        for main in pipes.target
    ]


def _mean_flows(
    topology: Topology, pipes: _Pipes, zones: Sequence[Zone]
) -> dict[str, float]:
    """Each basin needs what its zones draw and what its mains carry on; its mains share that by their area."""
    things = topology.city.things
    area = {
        main: number(things[main], "diameter_mm", _DIAMETER) ** 2
        for main in pipes.target
    }
    flows = dict.fromkeys(pipes.target, 0.0)
    # As many rounds as mains: then what the furthest basin needs has reached the first.
    for _ in pipes.target:
        for main, basin in pipes.target.items():
            need = sum(zone.demand for zone in zones if zone.basin == basin)
            need += sum(
                flows[other]
                for other, source in pipes.source.items()
                if source == basin
            )
            into = sum(
                area[other] for other, target in pipes.target.items() if target == basin
            )
            flows[main] = need * area[main] / into
    return flows


def _along(things: Sequence[str]) -> list[tuple[str, float]]:
    """Evenly from the first place to the last."""
    gaps = max(1, len(things) - 1)
    return [
        (thing, _FIRST_POINT + (_LAST_POINT - _FIRST_POINT) * place / gaps)
        for place, thing in enumerate(things)
    ]


def plan_sewerage(topology: Topology, supply: SupplyPlan) -> Sewerage:
    """What a district draws comes back in its collector, half of it by way of its lift stations."""
    stations = topology.measured_by("lift_station")
    collectors = topology.of_kind("collector")
    known = [collector.key for collector in collectors]
    loggers = {thing.key for thing in topology.measured_by("collector_logger")}
    lifting = {
        station.key: into[0]
        for station in stations
        if (into := topology.among(topology.feeds(station.key), known))
    }
    returned = _returned(topology, supply, lifting, known)
    counts = list(lifting.values())
    return Sewerage(
        [
            LiftStation(
                station.key,
                lifting[station.key],
                number(station, "rated_flow_m3_per_h", _LIFT_FLOW),
                LIFTED
                * returned[lifting[station.key]]
                / counts.count(lifting[station.key]),
            )
            for station in stations
            if station.key in lifting
        ],
        [
            Collector(
                each.key,
                returned[each.key] * (1.0 - LIFTED if each.key in counts else 1.0),
                number(each, "diameter_mm", _SEWER) / 1000.0,
                tuple(_along(topology.among(topology.parts(each.key), loggers))),
            )
            for each in collectors
        ],
        *(
            [thing.key for thing in topology.measured_by(kind)]
            for kind in ("works_inlet", "aeration_tank", "works_outlet")
        ),
    )


def _returned(
    topology: Topology,
    supply: SupplyPlan,
    lifting: Mapping[str, str],
    collectors: Sequence[str],
) -> dict[str, float]:
    """The mean flow of each collector: what is drawn in its lift stations' districts; elsewhere, the last one's."""
    things = topology.city.things
    own = {collector: things[collector].district for collector in collectors}
    served = {district: collector for collector, district in own.items()}
    served |= {things[station].district: into for station, into in lifting.items()}
    flows = dict.fromkeys(collectors, 0.0)
    for zone in supply.works.zones if collectors else ():
        into = served.get(things[zone.thing].district, collectors[-1])
        flows[into] += RETURNED * zone.demand
    return flows
