"""One connection of a feed, from its opening to its end: asks for streams, keeps the pace, notices silence.

A carrier never reconnects; the feed starts another one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from websockets.exceptions import ConnectionClosed

from fsnats.binance.commands import Reply
from fsnats.binance.limits import CONTROL_PER_SECOND
from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.exits.address import Exit
from fsnats.window import SlidingWindow
from workers.ingest.arbiter import Member
from workers.ingest.lateness import Tally
from workers.ingest.line import Line
from workers.ingest.router import Shutdown
from workers.ingest.subscriptions import ANSWER, Subscriptions
from workers.ingest.traffic import Traffic, count
from workers.ingest.upstream import Upstream

logger = logging.getLogger(__name__)

HEALTH = 10.0  # seconds of connection, with data, after which a connection counts as healthy
QUIET_HEALTH = 60.0  # the same without data: streams may be quiet
RETRY = 5.0  # seconds between two tries of what the exchange refused

# Seconds without a byte, pings and pongs included, after which the connection is dead: three server pings of spot.
SILENCE = 60.0
# Seconds without data, pings going on, after which a connection that used to bring some is a ghost.
GHOST = 12.0
_GHOST_MEANS = 20  # and at least so many times the mean pause between two messages of this connection
_GHOST_MESSAGES = 10  # messages that it takes to know that mean


class Carrier:
    """Carries streams over one open connection."""

    def __init__(
        self,
        name: str,
        market: Market,
        clock: Clock,
        tally: Tally,
        received: Callable[["Carrier", bytes, int], None],
        begins: Callable[["Carrier", list[str]], None] = lambda _carrier, _names: None,
        traffic: Traffic | None = None,
    ) -> None:
        """`received` gets every text message with the time of its reading, nanoseconds since 1970; `begins` the streams
        that are about to be subscribed, perhaps again; `traffic` counts for the whole worker."""
        self.name = name
        self._market = market
        self._clock = clock
        self._hand_on = received
        self._begins = begins
        self._traffic = traffic or Traffic()
        self._connection: Upstream | None = None
        self._changed = asyncio.Event()
        self.subscriptions = Subscriptions()
        self.member = Member(tally, self.subscriptions)  # among the connections of its feed
        self._data = 0
        self.opened_at: float | None = None  # monotonic seconds
        self.last_data: float | None = None  # monotonic seconds
        self.last_error: str | None = None
        self.by: Exit | None = None  # the exit by which the connection left
        self.healthy = False
        self.due = asyncio.Event()  # set when the exchange announced that it will end this connection
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def received(self, data: bytes, received_ns: int) -> None:
        """What the connection calls for each text message."""
        self._hand_on(self, data, received_ns)

    def want(self, names: set[str]) -> None:
        """Carry exactly these streams from now on."""
        if names != self.subscriptions.wanted:
            self.subscriptions.wanted = set(names)
            self._changed.set()

    def audit(self) -> None:
        """Have the exchange list what is subscribed here, and ask again for what it does not know."""
        if self.subscriptions.audit(self._clock.monotonic()):
            self._changed.set()

    def renew(self, names: set[str]) -> None:
        """Unsubscribe these streams and subscribe to them again."""
        self.subscriptions.renew(names)
        self._changed.set()

    @property
    def close_code(self) -> int | None:
        """What the connection was closed with; 1006 when it was cut, None while it is open."""
        return self._connection.close_code if self._connection is not None else None

    @property
    def read_bytes(self) -> int:
        """What it read so far; nothing any more once it has ended: then the worker's traffic has it."""
        return self._connection.read_bytes if self._connection is not None and not self.ended.done() else 0

    def note(self, outcome: Line | Reply | Shutdown | None) -> None:
        """Learn from what the router made of a message."""
        if isinstance(outcome, Line):
            self._data += 1
            assert self._connection is not None
            self.last_data = self._connection.heard
            self.subscriptions.live.add(outcome.stream.name)
        elif isinstance(outcome, Reply):
            self._answered(outcome)
        elif isinstance(outcome, Shutdown):
            logger.info("the exchange will end this connection", extra={"event": "feed.ending", "feed": self.name})
            self.due.set()

    async def carry(self, connection: Upstream) -> None:
        """Carry until the connection ends; then `ended` says why."""
        self._connection = connection
        self.opened_at = self._clock.monotonic()
        self.subscriptions.opened()
        self._changed.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                asking = tasks.create_task(self._ask(connection))
                watching = tasks.create_task(self._watch(connection))
                await connection.wait_closed()
                asking.cancel()
                watching.cancel()
        finally:
            await connection.close()  # it is still open only when this task was cancelled
            if not self.ended.done():
                self._traffic.read_bytes += connection.read_bytes
                self.ended.set_result(self._reason(connection))

    async def close(self) -> None:
        """End the connection in order.  Messages read before its end are still handed on."""
        if self._connection is not None:
            await self._connection.close()

    def _reason(self, connection: Upstream) -> str:
        if self.last_error is not None:
            return self.last_error
        if connection.close_code is None or connection.close_code == 1006:
            return "the connection was cut"
        return f"closed with {connection.close_code} {connection.close_reason}".rstrip()

    async def _ask(self, connection: Upstream) -> None:
        """Send control messages, as many as the exchange allows."""
        pace = SlidingWindow(CONTROL_PER_SECOND[self._market], 1.0)
        with contextlib.suppress(ConnectionClosed):  # `carry` sees it too
            while True:
                self._changed.clear()
                while (request := self.subscriptions.next_request(self._clock.monotonic())) is not None:
                    delay = pace.reserve(self._clock.monotonic())
                    if delay > 0:
                        await self._clock.sleep(delay)
                    if request.subscribes:
                        self._begins(self, request.names)
                    await connection.send(request.text, text=True)
                    count(self._traffic.controls, request.kind)
                await self._changed.wait()

    async def _watch(self, connection: Upstream) -> None:
        """End a connection that is silent, ask again for what was refused, and notice health."""
        while True:
            await self._clock.sleep(1.0)
            now = self._clock.monotonic()
            assert self.opened_at is not None
            age = now - self.opened_at
            if age > (HEALTH if self.last_data is not None else QUIET_HEALTH):
                self.healthy = True
            if self.subscriptions.again(now - RETRY, now - ANSWER):
                self._changed.set()
            if now - connection.heard > SILENCE:
                self._give_up(connection, f"silent for {SILENCE:g} s")
            elif self._is_ghost(now):
                self._give_up(connection, f"a ghost: pings are answered, but no data came for {GHOST:g} s")

    def _is_ghost(self, now: float) -> bool:
        if self.opened_at is None or self.last_data is None or self._data < _GHOST_MESSAGES:
            return False
        mean = (self.last_data - self.opened_at) / self._data
        return now - self.last_data > max(GHOST, _GHOST_MEANS * mean)

    def _give_up(self, connection: Upstream, reason: str) -> None:
        self.last_error = reason
        connection.transport.abort()

    def _answered(self, reply: Reply) -> None:
        failure = reply.failure
        listed = reply.result if isinstance(reply.result, list) else None
        request = self.subscriptions.answered(reply.id, failure, self._clock.monotonic(), listed)
        if listed is not None:
            self._changed.set()  # what is not listed is asked for again
        if failure is not None:
            self._traffic.refused += 1
            logger.error(
                "the exchange refused a request",
                extra={
                    "event": "feed.refused",
                    "feed": self.name,
                    "error": failure,
                    "streams": request.names[:5] if request else None,
                },
            )
