"""A queue of requests on the bus: several history workers share them out, each keeps to a limit of its own."""

import asyncio
from collections.abc import Awaitable, Callable

from fsnats.bus import Bus
from fsnats.metrics.histogram import Histogram

QUEUE = "history"
AT_ONCE = 64  # requests of one kind in work; beyond it callers are told at once


class Answers:
    """Takes requests on one subject and publishes what `answer` makes of each."""

    def __init__(
        self,
        bus: Bus,
        subject: str,
        answer: Callable[[bytes], Awaitable[bytes]],
        busy: bytes,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """`answer` must not raise; `busy` is the reply to a request too many."""
        self._bus = bus
        self._subject = subject
        self._answer = answer
        self._busy = busy
        self._tasks = tasks
        self._working: set[asyncio.Task[None]] = set()
        self._sid = 0
        self.taken = 0
        self.turned_away = 0
        self.taking = Histogram()  # seconds

    @property
    def in_work(self) -> int:
        """Requests that are being answered now."""
        return len(self._working)

    def start(self) -> None:
        """Take requests from now on."""
        self._sid = self._bus.subscribe(self._subject, self._asked, QUEUE)

    def stop(self) -> None:
        """Take no more, and leave those in work: their callers hear of it when they have waited long enough."""
        self._bus.unsubscribe(self._sid)
        for task in self._working:
            task.cancel()

    def _asked(self, _subject: str, reply: str, payload: bytes) -> None:
        if not reply:
            return
        self.taken += 1
        if len(self._working) >= AT_ONCE:
            self.turned_away += 1
            self._bus.publish(reply, self._busy)
            return
        task = self._tasks.create_task(self._reply(reply, payload))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _reply(self, reply: str, payload: bytes) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self._answer(payload)
        self.taking.observe(loop.time() - began)
        self._bus.publish(reply, answer)
