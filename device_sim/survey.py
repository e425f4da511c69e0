"""PURE: from a city file to the worlds' plans: sizes and connections, with usual values where the file is silent."""

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from device_sim.survey_water import plan_sewerage, plan_supply
from device_sim.topology import Topology, number
from device_sim.world.air import AirQuality, Place
from device_sim.world.gas import Gas, Regulator, Station
from device_sim.world.incidents import IncidentKind
from device_sim.world.power import (
    MEAN_KW_PER_KVA,
    Distribution,
    Feeder,
    Meter,
    Network,
    Transformer,
)
from device_sim.world.supply import WaterSupply
from device_sim.world.traffic import Direction, Road, Stream, Traffic
from device_sim.world.transmission import Branch, Transmission
from device_sim.world.wastewater import Wastewater
from device_sim.world.weather import Weather
from device_sim.world.world import Domains, World
from services.core.city.entities import City, Thing

_ROOT_3: Final = 3.0**0.5
_FEEDER_A, _POINT_KVA, _TRANSFORMER_MVA, _LINE_A = 400.0, 630.0, 63.0, 600.0
_AGDS_FLOW, _AGDS_INLET, _AGDS_OUTLET = 60_000.0, 5.4, 0.6
_SIDES: Final = {
    "n": Direction.TOWARDS,  # vehicles that come from the north go to Almaty
    "s": Direction.AWAY,
    "e": Direction.ACROSS,
    "w": Direction.ACROSS,
}
_LANE_PEAKS: Final = (0.58, 0.66, 0.62)


def build_world(city: City, seed: int) -> World:
    topology = Topology(city)
    roads = _roads(topology)
    network, buses = _network(topology)
    supply = plan_supply(topology)
    stations, regulators = _gas(topology)
    domains = Domains(
        weather=Weather(seed, city.latitude),
        traffic=Traffic(roads, seed),
        air=AirQuality(
            _places(topology.measured_by("air_station")),
            _places(topology.measured_by("weather_station")),
            _places([city.things[road.thing] for road in roads]),
            seed,
        ),
        transmission=_transmission(topology, network, buses, seed),
        distribution=Distribution(network, seed),
        buses=buses,
        supply=WaterSupply(supply, seed),
        wastewater=Wastewater(plan_sewerage(topology, supply), seed),
        gas=Gas(stations, regulators, seed),
        affected={
            IncidentKind.BURST_MAIN: _itself(
                [main.thing for main in supply.works.mains]
            ),
            IncidentKind.OVERLOADED_FEEDER: _itself(
                [each.thing for each in network.feeders]
            ),
            IncidentKind.JAMMED_OVERPASS: _overpasses(topology, roads),
        },
    )
    return World(domains, ZoneInfo(city.time_zone))


def _itself(things: Sequence[str]) -> Mapping[str, Sequence[str]]:
    return {thing: (thing,) for thing in things}


def _places(things: Sequence[Thing]) -> list[Place]:
    return [Place(thing.key, thing.longitude, thing.latitude) for thing in things]


# Power


def _network(topology: Topology) -> tuple[Network, list[str]]:
    """The distribution grid, and of each feeder the power transformer that feeds it."""
    power = [thing.key for thing in topology.measured_by("transformer_monitor")]
    bays, points = (
        topology.measured_by("feeder_bay"),
        topology.measured_by("distribution_transformer"),
    )
    feeders = [
        Feeder(bay.key, bus[0], number(bay, "rated_current_a", _FEEDER_A))
        for bay in bays
        if (bus := topology.among(topology.fed_by(bay.key), power))
    ]
    known = [feeder.thing for feeder in feeders]
    transformers = [
        Transformer(point.key, feeder[0], number(point, "rated_kva", _POINT_KVA))
        for point in points
        if (feeder := topology.among(topology.fed_by(point.key), known))
    ]
    known = [transformer.thing for transformer in transformers]
    meters = [
        Meter(home.key, point[0])
        for home in topology.measured_by("smart_meter")
        if (point := topology.among(topology.fed_by(home.key), known))
    ]
    return Network(meters, transformers, feeders), [feeder.bus for feeder in feeders]


def _transmission(
    topology: Topology, network: Network, buses: Sequence[str], seed: int
) -> Transmission:
    modelled = dict.fromkeys(buses, 0.0)
    bus_of = {feeder.thing: feeder.bus for feeder in network.feeders}
    for transformer in network.transformers:
        modelled[bus_of[transformer.feeder]] += MEAN_KW_PER_KVA * transformer.rating
    lines = [
        Branch(
            line.key,
            _line_rating(line),
            number(line, "voltage_kv", 110.0),
            topology.fed_by(line.key),
        )
        for line in topology.measured_by("line_bay_220", "line_bay_110")
    ]
    transformers = [
        Branch(
            each.key,
            number(each, "rated_mva", _TRANSFORMER_MVA) * 1000.0,
            number(each, "secondary_kv", 10.0),
            topology.fed_by(each.key),
            modelled.get(each.key, 0.0),
        )
        for each in topology.measured_by("transformer_monitor")
    ]
    return Transmission(lines, transformers, seed)


def _line_rating(line: Thing) -> float:
    current = number(line, "rated_current_a", _LINE_A)
    return _ROOT_3 * number(line, "voltage_kv", 110.0) * current


# Gas


def _gas(topology: Topology) -> tuple[list[Station], list[Regulator]]:
    stations = [
        Station(
            agds.key,
            number(agds, "capacity_m3_per_h", _AGDS_FLOW),
            number(agds, "inlet_mpa", _AGDS_INLET),
            number(agds, "outlet_mpa", _AGDS_OUTLET),
        )
        for agds in topology.measured_by("agds")
    ]
    known = [station.thing for station in stations]
    sources = {
        regulator.key: source
        for regulator in topology.measured_by("gas_regulator")
        if (source := _gas_source(topology, regulator.key, known))
    }
    counts = {station: list(sources.values()).count(station) for station in known}
    regulators = [
        Regulator(thing, station, 0.95 / counts[station])
        for thing, station in sources.items()
    ]
    return stations, regulators


def _gas_source(topology: Topology, thing: str, known: Sequence[str]) -> str | None:
    """The station at the beginning of the line that feeds this."""
    reached = [thing]
    for place in reached:
        if place in known:
            return place
        reached += [each for each in topology.fed_by(place) if each not in reached]
    return None


# Traffic


def _roads(topology: Topology) -> list[Road]:
    return [
        *(
            Road(
                thing.key,
                tuple(
                    Stream(side, direction, 2, 46.0, 760.0, 0.62)
                    for side, direction in _SIDES.items()
                ),
            )
            for thing in topology.measured_by("intersection_controller")
        ),
        *(_carriageway(thing) for thing in topology.measured_by("overpass_detector")),
        *(_counter(thing) for thing in topology.measured_by("road_counter")),
    ]


def _carriageway(thing: Thing) -> Road:
    """One radar sees three lanes; a key that ends with the way it leads tells its peak."""
    free = 0.93 * number(thing, "speed_limit_kmh", 80.0)
    direction = {"north": Direction.AWAY, "south": Direction.TOWARDS}.get(
        thing.key.rpartition("-")[2], Direction.ACROSS
    )
    streams = [
        Stream(str(lane), direction, 1, free, 1750.0, peak)
        for lane, peak in enumerate(_LANE_PEAKS, 1)
    ]
    return Road(thing.key, tuple(streams))


def _counter(thing: Thing) -> Road:
    free = 0.93 * number(thing, "speed_limit_kmh", 90.0)
    lanes = int(number(thing, "lanes", 2))
    return Road(thing.key, (Stream("", Direction.ACROSS, lanes, free, 1850.0, 0.60),))


def _overpasses(topology: Topology, roads: Sequence[Road]) -> dict[str, list[str]]:
    """Of each overpass, and of each carriageway alone, what a jam there fills."""
    carriageways = topology.measured_by("overpass_detector")
    found = {thing.key: [thing.key] for thing in carriageways}
    for thing in carriageways:
        if whole := topology.whole(thing.key):
            found.setdefault(whole, []).append(thing.key)
    known = {road.thing for road in roads}
    return {
        thing: [each for each in parts if each in known]
        for thing, parts in found.items()
    }
