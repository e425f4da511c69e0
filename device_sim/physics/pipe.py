"""PURE: pressurised mains, gravity sewers and gas lines."""

import numpy as np

from device_sim.signals import Floats

_DEPTHS = np.linspace(0.0, 1.0, 201)
_OPENING = 2.0 * np.arccos(1.0 - 2.0 * _DEPTHS)
_AREAS = (_OPENING - np.sin(_OPENING)) / (2.0 * np.pi)
_RADII = np.divide(
    _OPENING - np.sin(_OPENING),
    _OPENING,
    out=np.zeros_like(_OPENING),
    where=_OPENING > 0,
)
_FLOWS = _AREAS * _RADII ** (2.0 / 3.0)
# Above 0.93 of the depth a round pipe carries less the fuller it is; it is never run there.
_RISING = int(np.argmax(_FLOWS)) + 1


def pressure_with_leak(
    head: Floats, demand: Floats, resistance: Floats, emitter: Floats
) -> Floats:
    """Pressure at the end of a main: head less the loss by flow squared, the flow being demand plus a leak.

    The leak is an orifice (Torricelli): emitter * sqrt(pressure). With s = sqrt(p):
    s^2 = head - resistance (demand + emitter s)^2, a quadratic. 0 where the demand alone takes all of it.
    """
    a = 1.0 + resistance * emitter**2
    b = resistance * demand * emitter
    c = resistance * demand**2 - head
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    pressure: Floats = np.maximum((root - b) / a, 0.0) ** 2
    return pressure


def leak_flow(pressure: Floats, emitter: Floats) -> Floats:
    leak: Floats = emitter * np.sqrt(pressure)
    return leak


def sewer_depth(flow_ratio: Floats) -> Floats:
    """Depth over diameter of a round pipe at a flow over its full flow (Manning)."""
    depth: Floats = np.interp(
        flow_ratio, _FLOWS[:_RISING] / _FLOWS[-1], _DEPTHS[:_RISING]
    )
    return depth


def sewer_velocity(depth_ratio: Floats) -> Floats:
    """Velocity over that of the full pipe at a depth over the diameter (Manning)."""
    velocity: Floats = np.interp(
        depth_ratio, _DEPTHS, (_RADII / _RADII[-1]) ** (2.0 / 3.0)
    )
    return velocity


def gas_outlet_pressure(inlet: Floats, flow: Floats, resistance: Floats) -> Floats:
    """Absolute pressure at the end of a line: p1^2 - p2^2 = resistance flow^2 (general flow equation)."""
    outlet: Floats = np.sqrt(np.maximum(inlet**2 - resistance * flow**2, 0.0))
    return outlet
