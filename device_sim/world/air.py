"""PURE: air: a box over each station, filled by traffic and stoves, emptied by wind; the weather at each place.

Concentrations in ug/m3, carbon monoxide in mg/m3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device_sim.physics.atmosphere import box_rise, ventilation_constant
from device_sim.signals import Drift, Floats, approach, generator_for
from device_sim.world.table import Table
from device_sim.world.weather import Air

_STREET_METRES: Final = 300.0  # along the wind, that a station feels of its streets
_CITY_METRES: Final = 4_000.0
_STREET_HEIGHT: Final = 18.0
_HEATING_LIMIT: Final = 12.0
_REACH_METRES: Final = 900.0  # at which a road counts half
# ug/m2/s in the street at one unit of traffic; in the city's air at one of heating.
_TRAFFIC: Final = {"no2": 1.6, "co": 16.0, "pm2_5": 0.12, "pm10": 0.35}
_HEATING: Final = {"no2": 0.45, "co": 18.0, "pm2_5": 1.5, "pm10": 1.8, "so2": 0.6}
_BACKGROUND: Final = {"no2": 6.0, "co": 180.0, "pm2_5": 5.0, "pm10": 12.0, "so2": 4.0}
_METRES_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True, slots=True)
class Place:
    thing: str
    longitude: float
    latitude: float


class AirQuality:
    """Tables `air` (concentrations) and `weather`, for stations of both kinds."""

    def __init__(
        self,
        air: Sequence[Place],
        weather: Sequence[Place],
        roads: Sequence[Place],
        seed: int,
    ) -> None:
        self.air = Table([place.thing for place in air])
        self.weather = Table([place.thing for place in weather])
        self._reach = _reach(air, roads)
        chance = generator_for(seed, "air")
        self._drift = Drift(chance, len(air), deviation=0.08, memory=1_800.0)
        self._offsets = {
            table: chance.uniform(-0.5, 0.5, len(table))
            for table in (self.air, self.weather)
        }
        self._gusts = Drift(chance, len(weather), deviation=0.22, memory=40.0)
        self._veer = Drift(chance, len(weather), deviation=9.0, memory=120.0)
        self.rain_total = chance.uniform(50.0, 400.0, len(weather))
        self._rise: dict[str, Floats] = {}

    def advance(self, seconds: float, air: Air, emission: Floats) -> None:
        """emission: of each road, in vehicles/h that count more the slower they go."""
        self._show_weather(seconds, air)
        traffic = self._reach @ emission / 10_000.0
        heating = max(0.0, _HEATING_LIMIT - air.temperature) / 20.0
        wind = max(0.8, air.wind_speed)
        local = 1.0 + self._drift.advance(seconds)
        levels = {
            gas: self._level(gas, traffic * local, heating * local, air, wind, seconds)
            for gas in _BACKGROUND
        }
        # Sunlight makes ozone; fresh exhaust takes it.
        ozone = 38.0 + 0.055 * air.solar + 2.0 * wind - 0.45 * levels["no2"]
        levels["pm10"] = np.maximum(levels["pm10"], 1.15 * levels["pm2_5"])
        levels["co"] = levels["co"] / 1000.0
        self.air.write(o3=np.maximum(ozone, 4.0), **levels)

    def _level(
        self,
        gas: str,
        traffic: Floats,
        heating: Floats,
        air: Air,
        wind: float,
        seconds: float,
    ) -> Floats:
        street = box_rise(_TRAFFIC.get(gas, 0.0), _STREET_HEIGHT, wind, _STREET_METRES)
        city = box_rise(_HEATING.get(gas, 0.0), air.mixing_height, wind, _CITY_METRES)
        start = self._rise.get(gas)
        target = street * traffic + city * heating
        # A street's air is changed within minutes, the city's within the hour; the street decides.
        constant = ventilation_constant(_STREET_METRES, wind)
        rise = target if start is None else approach(start, target, seconds, constant)
        self._rise[gas] = rise
        washed = 1.0 - 0.3 * min(1.0, air.rain)
        return (_BACKGROUND[gas] + rise) * washed

    def _show_weather(self, seconds: float, air: Air) -> None:
        for table, offset in self._offsets.items():
            table.write(
                temperature=air.temperature + offset,
                humidity=np.clip(air.humidity - 2.0 * offset, 5.0, 100.0),
                pressure=air.pressure + offset,
            )
        count = len(self.weather)
        gusts = np.abs(self._gusts.advance(seconds))
        self.rain_total = self.rain_total + air.rain * seconds / 3600.0
        self.weather.write(
            wind_speed=air.wind_speed * (1.0 + 0.5 * self._gusts.value),
            wind_gust=air.wind_speed * (1.35 + gusts),
            wind_direction=(air.wind_direction + self._veer.advance(seconds)) % 360.0,
            rain=np.full(count, air.rain),
            rain_total=self.rain_total,
            solar=np.full(count, air.solar),
            visibility=np.full(count, air.visibility),
        )


def _reach(stations: Sequence[Place], roads: Sequence[Place]) -> Floats:
    """How much of each road's emission each station feels: less the further it is."""
    if not stations or not roads:
        return np.zeros((len(stations), len(roads)))
    here = np.array([(place.longitude, place.latitude) for place in stations])
    there = np.array([(place.longitude, place.latitude) for place in roads])
    away = (here[:, None, :] - there[None, :, :]) * _METRES_PER_DEGREE
    away[:, :, 0] *= np.cos(np.radians(here[:, 1]))[:, None]
    distance = np.hypot(away[:, :, 0], away[:, :, 1])
    reach: Floats = 1.0 / (1.0 + (distance / _REACH_METRES) ** 2)
    return reach
