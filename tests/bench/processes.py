"""Processes to measure and to measure with: chosen cores, a clean environment, ended by their pid."""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

_TICKS = os.sysconf("SC_CLK_TCK")
_END = 5.0  # seconds that a process gets to end in good order


class BenchError(Exception):
    """The measurement cannot be made; the message says why."""


# The process under test has a core of its own; everything that feeds and drains it shares the others.
_CORES = sorted(os.sched_getaffinity(0))
UNDER_TEST = frozenset(_CORES[-1:])
PEERS = frozenset(_CORES[:-1] or _CORES)
ANYWHERE = frozenset(_CORES)


@contextmanager
def _on(cores: Iterable[int]) -> Iterator[None]:
    # A child inherits the mask of its parent, with all threads that it starts later.
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Process:
    """A running program.  Use as a context manager: leaving the block ends it."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        directory: Path,
        environ: Mapping[str, str] | None = None,
        cores: Iterable[int] = ANYWHERE,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
    ) -> None:
        """`directory` is where the program runs and what it says on standard error is kept."""
        self.name = Path(argv[0]).name if argv[0][0] == "/" and "-m" not in argv else " ".join(argv[argv.index("-m") :])
        self._errors = directory / f"{time.monotonic_ns()}.log"
        with self._errors.open("wb") as errors, _on(cores):
            self._process = subprocess.Popen(
                argv,
                cwd=directory,
                env=dict(environ or {}),
                stdin=stdin,
                stdout=errors if stdout is None else stdout,
                stderr=errors,
            )
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()

    def end(self) -> None:
        """Ask it to stop, then make it."""
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # a command was on its way to it when it ended
                    stream.close()
        self._process.terminate()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The end of what it said on standard error."""
        return self._errors.read_text(errors="replace")[-2000:]

    def cpu_us(self) -> float:
        """CPU time of all its threads so far, user and system, in microseconds."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:  # the thread ended, or this kernel does not tell nanoseconds
                if not (task / "schedstat").exists() and task.exists():
                    return self._cpu_us_by_ticks()
        return total / 1e3

    def user_us(self) -> float:
        """The part of it that is not the kernel's, to the tick."""
        return self._ticks()[0] / _TICKS * 1e6

    def _cpu_us_by_ticks(self) -> float:
        return sum(self._ticks()) / _TICKS * 1e6

    def _ticks(self) -> tuple[int, int]:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]), int(fields[12])

    def pss_kib(self) -> int:
        """Its proportional share of resident memory."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        raise BenchError("/proc/PID/smaps_rollup has no Pss")
