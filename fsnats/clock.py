"""Time as an argument: product code takes a `Clock`, tests move one by hand."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never go back, milliseconds and nanoseconds since 1970, and waiting."""

    def monotonic(self) -> float: ...

    def time_ns(self) -> int: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    # Asked for with every message: no call more than it takes.
    monotonic = staticmethod(time.monotonic)
    time_ns = staticmethod(time.time_ns)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
