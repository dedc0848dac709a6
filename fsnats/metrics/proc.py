"""What the kernel knows of a process (Linux; elsewhere nothing)."""

import os
import time
from pathlib import Path

import msgspec

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
# proc_pid_stat(5), counted behind the name in parentheses: which may hold anything.
_UTIME, _STIME, _THREADS, _START, _RSS = 11, 12, 17, 19, 21


class Numbers(msgspec.Struct, frozen=True):
    """Of one process, now.  `started` is in seconds since 1970; None where the kernel does not let us look."""

    rss: int
    cpu_seconds: float
    threads: int
    started: float
    open_files: int | None
    open_files_most: int | None


def numbers(pid: int | None = None) -> Numbers | None:
    """Those of a process, by default of this one; None when it is gone."""
    place = Path("/proc") / ("self" if pid is None else str(pid))
    try:
        fields = (place / "stat").read_bytes().rpartition(b")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    age = uptime - int(fields[_START]) / _TICKS
    return Numbers(
        rss=int(fields[_RSS]) * _PAGE,
        cpu_seconds=(int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS,
        threads=int(fields[_THREADS]),
        started=time.time() - age,
        open_files=_open_files(place / "fd"),
        open_files_most=_open_files_most(place / "limits"),
    )


def _open_files_most(limits: Path) -> int | None:
    try:
        lines = limits.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return int(soft) if soft.isdigit() else None  # else "unlimited"
    return None


def _open_files(directory: Path) -> int | None:
    try:
        # Since Linux 6.2 the directory's size is their number; to list ten thousand takes milliseconds.
        return directory.stat().st_size or len(os.listdir(directory))
    except OSError:
        return None
