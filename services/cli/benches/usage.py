"""Processor time and resident memory of processes, as the kernel counts them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_USER, _CHILDREN = 11, 13  # in /proc/PID/stat behind the name: user, then system


def cpu_seconds(pid: int, *, with_reaped: bool = False) -> float:
    """User and system time of a process, 0 of one that is gone. with_reaped: and of its children that have ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = stat.rpartition(")")[2].split()
    ticks = sum(map(int, fields[_USER : _USER + 2]))
    if with_reaped:
        ticks += sum(map(int, fields[_CHILDREN : _CHILDREN + 2]))
    return ticks / _TICKS_A_SECOND


def resident_bytes(pid: int) -> int:
    try:
        statm = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(statm.split()[1]) * _PAGE_BYTES


def total_cpu_seconds(pids: Iterable[int]) -> float:
    return sum(cpu_seconds(pid) for pid in pids)
