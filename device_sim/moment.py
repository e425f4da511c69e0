"""PURE: a point of simulated time as the city's people live it."""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """unix: seconds since 1970; hour: local, with its fraction."""

    unix: float
    hour: float
    day: dt.date
    weekend: bool

    @property
    def day_of_year(self) -> float:
        return self.day.timetuple().tm_yday + self.hour / 24


def moment_at(unix: float, zone: ZoneInfo) -> Moment:
    local = dt.datetime.fromtimestamp(unix, zone)
    hour = (
        local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600
    )
    return Moment(unix, hour, local.date(), local.weekday() >= _SATURDAY)
