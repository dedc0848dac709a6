"""The log files of one program, as `fsnats.logs.names` calls them: written, bounded, and cleared away."""

import contextlib
import fcntl
import os
from pathlib import Path

import msgspec

from fsnats.logs import names
from fsnats.logs.names import FileName

_PROCESSES_MOST = 64  # of one name that write into one directory


class Bounds(msgspec.Struct, frozen=True):
    """How much is kept: bytes of a file, bytes of a program's day, days."""

    file: int
    day: int
    days: int


class LogFile:
    """Where this process writes.  Blocks as disks do: for a thread of its own."""

    def __init__(self, directory: Path, program: str, bounds: Bounds) -> None:
        self._directory = directory
        self._program = program
        self._bounds = bounds
        self._slot = ""
        self._lock = -1
        self._file = -1
        self._name = FileName("", 0, "")
        self._size = 0

    def write(self, day: str, lines: bytes) -> None:
        """Append whole lines of one day (`2026-11-20`).

        Raises OSError, and has written nothing then; the next call begins anew.
        """
        try:
            self._make_ready(day, len(lines))
            _append(self._file, lines, self._size)
        except OSError:
            self._let_go()
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Let go of the files, and of their name."""
        self._let_go()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _make_ready(self, day: str, more: int) -> None:
        if self._file >= 0 and os.fstat(self._file).st_nlink == 0:
            self._let_go()  # somebody removed it
        if self._file >= 0 and self._name.day == day and (not self._size or self._size + more <= self._bounds.file):
            return
        part = self._name.part + 1 if self._file >= 0 and self._name.day == day else None
        self._let_go()
        # For its owner alone, the state directory too: whoever can write there can speak for a supervisor's children.
        for directory in (self._directory.parent, self._directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock < 0:
            self._take_a_name()
        there = self._there()
        if part is None:
            part = max((name.part for name in there if (name.slot, name.day) == (self._slot, day)), default=0)
        self._open(FileName(day, part, self._slot))
        if self._size and self._size + more > self._bounds.file:
            self._let_go()
            self._open(FileName(day, part + 1, self._slot))
        self._clear_away(there, day)

    def _take_a_name(self) -> None:
        """Find a name that no other process writes under; the kernel lets go of it however we end."""
        for number in range(1, _PROCESSES_MOST + 1):
            self._slot = names.slot(self._program, number)
            path = self._directory / f".{self._slot}.lock"
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            except OSError:
                os.close(lock)
                raise
            else:
                self._lock = lock
                return
        raise OSError(f"{_PROCESSES_MOST} processes write as '{self._program}' into '{self._directory}'")

    def _open(self, name: FileName) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self._directory / str(name), flags, 0o600)
        self._name = name
        self._size = os.fstat(self._file).st_size
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
            # The machine went down amid a line.
            _append(self._file, b"\n", self._size)
            self._size += 1

    def _let_go(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            with contextlib.suppress(OSError):
                os.close(file)

    def _there(self) -> list[FileName]:
        return [name for name in map(FileName.read, os.listdir(self._directory)) if name is not None]

    def _clear_away(self, there: list[FileName], day: str) -> None:
        sizes = []
        for name in there:
            if (name.slot, name.day) == (self._slot, day) and name != self._name:
                with contextlib.suppress(FileNotFoundError):
                    sizes.append((name, os.stat(self._directory / str(name)).st_size))
        # Room for the whole of the one that was begun.
        gone = names.crowded_out([*sizes, (self._name, self._bounds.file)], self._bounds.day)
        for name in {*gone, *names.outdated(there, day, self._bounds.days)} - {self._name}:
            with contextlib.suppress(OSError):  # others clear away, too
                os.unlink(self._directory / str(name))


def _append(file: int, data: bytes, size: int) -> None:
    """Write all of it or, as far as that can be had, nothing."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise
