"""Points of time that the simulator's tests share."""

from zoneinfo import ZoneInfo

from device_sim.moment import Moment, moment_at

ALMATY = ZoneInfo("Asia/Almaty")
DAY = 1_795_287_600.0  # Sunday 2026-11-22 00:00 in Almaty
_MONDAY = DAY + 86_400


def at_hour(hour: float) -> Moment:
    """Of a Monday in November."""
    return moment_at(_MONDAY + hour * 3600, ALMATY)
