"""PURE: flow, density and speed on a road lane; the triangular fundamental diagram.

Source: G. F. Newell, A simplified theory of kinematic waves in highway traffic, part II, Transportation
Research B 27, 1993.
"""

from dataclasses import dataclass

import numpy as np

from device_sim.signals import Floats

_VEHICLE_AND_DETECTOR = 6.5  # metres: what one vehicle occupies of a detector


@dataclass(frozen=True, slots=True)
class Lane:
    """Or many lanes at once. free_speed: km/h; capacity: vehicles/h; jam_density: vehicles/km."""

    free_speed: Floats
    capacity: Floats
    jam_density: float = 140.0

    @property
    def critical_density(self) -> Floats:
        return self.capacity / self.free_speed

    @property
    def wave_speed(self) -> Floats:
        """Of the end of a queue, backwards; km/h."""
        return self.capacity / (self.jam_density - self.critical_density)

    def flow(self, density: Floats) -> Floats:
        queued = self.wave_speed * (self.jam_density - density)
        return np.maximum(np.minimum(self.free_speed * density, queued), 0.0)

    def free_density(self, flow: Floats) -> Floats:
        return flow / self.free_speed

    def queued_density(self, flow: Floats) -> Floats:
        return self.jam_density - flow / self.wave_speed


def speed(flow: Floats, density: Floats, free_speed: Floats) -> Floats:
    """From flow = density * speed, km/h; an empty road is free."""
    result: Floats = np.divide(flow, density, out=free_speed.copy(), where=density > 0)
    return result


def occupancy(density: Floats) -> Floats:
    """Per cent of the time that a vehicle stands over the detector."""
    return np.minimum(100.0, density * _VEHICLE_AND_DETECTOR / 10.0)
