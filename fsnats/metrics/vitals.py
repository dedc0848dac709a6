"""How this process is: size, CPU, open files, and how late its event loop is."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from fsnats.metrics import proc
from fsnats.metrics.family import Family, counter, distribution, gauge
from fsnats.metrics.histogram import Histogram
from fsnats.metrics.proc import Numbers

TICK = 0.5  # seconds between two looks at how late the loop is
RECENT = 30.0  # seconds after which what was measured is half forgotten

# The names that Prometheus' own client libraries give them: dashboards know them.
RSS = gauge("process_resident_memory_bytes", "resident size of the process")
CPU = counter("process_cpu_seconds", "CPU time of the process, user and system")
FILES = gauge("process_open_fds", "open files and sockets of the process")
FILES_MOST = gauge("process_max_fds", "how many of them the process may have open")
THREADS = gauge("process_threads", "threads of the process")
STARTED = gauge("process_start_time_seconds", "when the process started, seconds since 1970")
LAG = distribution("fsnats_loop_lag_seconds", "by how much the event loop was late, looked at twice a second")


class Vitals:
    """One process's.  `beating` must be entered in its loop."""

    def __init__(self, turns: Callable[[], None] = lambda: None) -> None:
        """`turns` is called when what is recent begins anew: every 30 s."""
        self._turns = turns
        self._lag = Histogram()
        self._since_turn = 0.0

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Look, for as long as the block runs, how late the loop is."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def tick(due: float) -> None:
            nonlocal timer
            now = loop.time()
            self.beat(now - due)
            timer = loop.call_at(now + TICK, tick, now + TICK)

        due = loop.time() + TICK
        timer = loop.call_at(due, tick, due)
        try:
            yield
        finally:
            timer.cancel()

    def beat(self, late: float) -> None:
        """The loop came so many seconds late to a look."""
        self._lag.observe(late)
        self._since_turn += TICK
        if self._since_turn >= RECENT:
            self._since_turn = 0.0
            self._lag.turn()
            self._turns()

    def status(self) -> dict[str, object]:
        """For `fsnats status` (docs/status.md)."""
        now, lag = proc.numbers(), self._lag.recent()
        known = {} if now is None else {"rss": now.rss, "cpu_seconds": now.cpu_seconds, "open_files": now.open_files}
        return {"process": {**known, "loop_lag_p50_ms": lag.p50, "loop_lag_p99_ms": lag.p99}}

    def families(self) -> list[Family]:
        """For Prometheus."""
        return [LAG.family(self._lag.samples(LAG)), *process_families(proc.numbers())]


def process_families(now: Numbers | None) -> list[Family]:
    """What the kernel knows of a process, for Prometheus."""
    if now is None:
        return []
    families = [RSS.one(now.rss), CPU.one(now.cpu_seconds), THREADS.one(now.threads), STARTED.one(now.started)]
    known = [FILES.one(now.open_files)] if now.open_files is not None else []
    most = [FILES_MOST.one(now.open_files_most)] if now.open_files_most is not None else []
    return [*families, *known, *most]
