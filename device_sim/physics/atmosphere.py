"""PURE: sun, moisture and a well-mixed box of air over a city."""

import math

_DECLINATION = 23.44
_DAYS = 365.25
_WINTER_SOLSTICE = -10.0  # day of the year
_MAGNUS_A, _MAGNUS_B = 17.62, 243.12


def solar_elevation_sine(
    latitude: float, day_of_year: float, solar_hour: float
) -> float:
    """Of the sun above the horizon; negative at night. solar_hour: 12 when it stands highest."""
    year = 2.0 * math.pi * (day_of_year - _WINTER_SOLSTICE) / _DAYS
    declination = -math.radians(_DECLINATION) * math.cos(year)
    turn = math.pi * (solar_hour - 12.0) / 12.0
    here = math.radians(latitude)
    return math.sin(here) * math.sin(declination) + math.cos(here) * math.cos(
        declination
    ) * math.cos(turn)


def clear_sky_radiation(elevation_sine: float) -> float:
    """W/m2 on the level (Haurwitz 1945)."""
    if elevation_sine <= 0:
        return 0.0
    return 1098.0 * elevation_sine * math.exp(-0.059 / elevation_sine)


def cloudy_radiation(clear: float, cloud: float) -> float:
    """cloud: 0 to 1 (Kasten and Czeplak 1980)."""
    return float(clear * (1.0 - 0.75 * cloud**3.4))


def vapour_pressure(temperature: float) -> float:
    """Of water at saturation, in hPa (Magnus, WMO-No. 8)."""
    return 6.112 * math.exp(_MAGNUS_A * temperature / (_MAGNUS_B + temperature))


def relative_humidity(temperature: float, dew_point: float) -> float:
    """Per cent."""
    return min(100.0, 100.0 * vapour_pressure(dew_point) / vapour_pressure(temperature))


def ventilation_constant(width: float, wind: float) -> float:
    """Seconds in which wind (m/s) replaces the air over a stretch of so many metres."""
    return width / wind


def box_rise(emission: float, mixing_height: float, wind: float, width: float) -> float:
    """Steady rise of concentration over the background: emission per area (ug/m2/s) diluted by wind and height."""
    return emission * width / (wind * mixing_height)
