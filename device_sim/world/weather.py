"""PURE: Almaty's plain from January to December; a function of seed and time, so a restart does not stop the rain.

The monthly means are Almaty's, rounded; the plain north of the city is about a degree warmer.
"""

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.atmosphere import (
    clear_sky_radiation,
    cloudy_radiation,
    relative_humidity,
    solar_elevation_sine,
)
from device_sim.signals import Profile, generator_for

_MONTHLY_MEAN: Final = (-4.0, -2.0, 4.5, 12.5, 17.5, 22.5, 24.8, 24.0, 18.5, 11.0, 3.7, -2.0)  # fmt: skip
_RAIN_CHANCE: Final = (
    0.25,
    0.28,
    0.35,
    0.38,
    0.32,
    0.22,
    0.18,
    0.12,
    0.12,
    0.22,
    0.28,
    0.28,
)
_DAILY_SWING: Final = Profile(
    (-0.6, -0.7, -0.8, -0.9, -0.95, -1.0, -1.0, -0.85, -0.5, -0.05, 0.35, 0.65,
     0.85, 0.97, 1.0, 0.97, 0.85, 0.6, 0.3, 0.05, -0.12, -0.27, -0.4, -0.5)
)  # fmt: skip
_SWING_KELVIN: Final = 5.5
_DEW_DEPRESSION: Final = 6.0
_ALTITUDE_PRESSURE: Final = 942.0  # hPa at 640 m
_HIGHEST_MIXING: Final = 1500.0
_LOWEST_MIXING: Final = 220.0
_SOUTH: Final = 180.0


@dataclass(frozen=True, slots=True)
class Air:
    """Over the whole city. Celsius, hPa, m/s, degrees, mm/h, W/m2, metres."""

    temperature: float
    dew_point: float
    humidity: float
    pressure: float
    wind_speed: float
    wind_direction: float
    rain: float
    solar: float
    mixing_height: float
    visibility: float


@dataclass(frozen=True, slots=True)
class _Day:
    """What chance decides about one day; rain_start and rain_hours in local hours."""

    anomaly: float
    pressure: float
    breeze: float
    cloud: float
    rain_start: float
    rain_hours: float
    rain_peak: float


@lru_cache(maxsize=64)
def _day(seed: int, date: dt.date) -> _Day:
    chance = generator_for(seed, "weather", date.isoformat())
    anomaly, pressure = np.clip(chance.standard_normal(2), -2.0, 2.0)
    wet = chance.random() < _RAIN_CHANCE[date.month - 1]
    return _Day(
        anomaly=float(2.0 * anomaly),
        pressure=float(4.0 * pressure),
        breeze=float(chance.uniform(1.8, 3.6)),
        cloud=float(chance.uniform(0.6, 0.9) if wet else chance.uniform(0.0, 0.5)),
        rain_start=float(chance.uniform(0.0, 19.0)),
        rain_hours=float(chance.uniform(1.5, 4.5)),
        rain_peak=float(chance.uniform(0.6, 3.5)) if wet else 0.0,
    )


@dataclass(frozen=True, slots=True)
class _Mood:
    """What drifts from one day's noon to the next."""

    anomaly: float
    pressure: float
    breeze: float
    cloud: float


class Weather:
    def __init__(self, seed: int, latitude: float) -> None:
        self._seed = seed
        self._latitude = latitude

    def at(self, moment: Moment) -> Air:
        today = _day(self._seed, moment.day)
        mood = self._between_noons(moment)
        sun = solar_elevation_sine(
            self._latitude, moment.day_of_year, moment.hour + 0.1
        )
        rain = _rain(today, moment.hour)
        cloud = min(1.0, mood.cloud + 0.2 * rain)
        mean = _monthly_mean(moment) + mood.anomaly
        swing = _SWING_KELVIN * (1.0 - 0.6 * cloud)
        temperature = mean + swing * _DAILY_SWING.at(moment.hour)
        # Rain and drizzle bring the dew point up to the temperature.
        dew_point = min(
            temperature - 0.3, mean - _DEW_DEPRESSION * (1.0 - 0.8 * min(1.0, rain))
        )
        humidity = relative_humidity(temperature, dew_point)
        return Air(
            temperature=temperature,
            dew_point=dew_point,
            humidity=humidity,
            pressure=_ALTITUDE_PRESSURE + mood.pressure,
            wind_speed=mood.breeze * (0.6 + 0.7 * max(0.0, sun)),
            wind_direction=_mountain_breeze(moment.hour),
            rain=rain if temperature > 0 else 0.0,
            solar=cloudy_radiation(clear_sky_radiation(sun), cloud),
            mixing_height=self._mixing_height(moment),
            visibility=30_000.0 / (1.0 + rain) * (1.0 - 0.6 * humidity / 100.0),
        )

    def _between_noons(self, moment: Moment) -> _Mood:
        after = moment.hour / 24.0 - 0.5
        step = dt.timedelta(days=1 if after >= 0 else -1)
        here, there = _day(self._seed, moment.day), _day(self._seed, moment.day + step)

        def between(from_value: float, to_value: float) -> float:
            return from_value + abs(after) * (to_value - from_value)

        return _Mood(
            between(here.anomaly, there.anomaly),
            between(here.pressure, there.pressure),
            between(here.breeze, there.breeze),
            between(here.cloud, there.cloud),
        )

    def _mixing_height(self, moment: Moment) -> float:
        """The layer follows the sun by an hour; at night it is an inversion."""
        sun = solar_elevation_sine(
            self._latitude, moment.day_of_year, moment.hour - 1.0
        )
        return _LOWEST_MIXING + (_HIGHEST_MIXING - _LOWEST_MIXING) * max(0.0, sun)


def _monthly_mean(moment: Moment) -> float:
    """Straight from the middle of one month to the next."""
    place = moment.day_of_year / 365.25 * 12.0 - 0.5
    month, share = math.floor(place), place - math.floor(place)
    here, there = _MONTHLY_MEAN[month % 12], _MONTHLY_MEAN[(month + 1) % 12]
    return here + share * (there - here)


def _rain(day: _Day, hour: float) -> float:
    done = (hour - day.rain_start) / day.rain_hours
    return day.rain_peak * math.sin(math.pi * done) ** 2 if 0 < done < 1 else 0.0


def _mountain_breeze(hour: float) -> float:
    """Degrees: from the mountains in the south at night, from the plain in the north by day."""
    return (_SOUTH + 180.0 / (1.0 + math.exp(-2.0 * (hour - 10.0)))
            + 180.0 / (1.0 + math.exp(-2.0 * (hour - 20.0)))) % 360.0  # fmt: skip
