"""A feed: one upstream connection, kept alive, re-subscribed and paced for as long as it has streams to carry."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum

import msgspec
from websockets.exceptions import ConnectionClosed

from fsnats.backoff import Backoff
from fsnats.binance.commands import Reply
from fsnats.binance.limits import CONTROL_PER_SECOND
from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.errors import ExchangeUnavailable
from fsnats.window import SlidingWindow
from workers.ingest.router import Router
from workers.ingest.subscriptions import Subscriptions
from workers.ingest.upstream import Upstream, dial

logger = logging.getLogger(__name__)

DELAY_FIRST, DELAY_MAX = 1.0, 60.0  # seconds between two dials of one feed
HEALTH = 10.0  # seconds of connection, with data, after which a feed counts as healthy

# Own pings count as messages: none on spot, whose server pings every 20 s; on futures one keeps proxies from cutting
# an idle connection between server pings three minutes apart.
_PING_INTERVAL = {Market.SPOT: None, Market.USDM: 45.0, Market.COINM: 45.0}
# Seconds without a byte, pings and pongs included, after which the connection is dead: three server pings of spot.
_SILENCE = 60.0


class State(StrEnum):
    """Where a feed is in its life."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"


class Record(msgspec.Struct):
    """What `fsnats status` shows of a feed."""

    id: str
    status: State
    streams: int
    live: int
    message_count: int
    dials: int
    connected_since: float | None  # monotonic seconds
    last_message: float | None  # monotonic seconds
    last_error: str | None


class Feed:
    """Keeps one connection; `run` ends only by cancellation."""

    def __init__(
        self,
        name: str,
        market: Market,
        url: str,
        proxy: str | None,
        router: Router,
        admitted: Callable[[], Awaitable[None]],
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """`admitted` returns when the exit may dial once more."""
        self.name = name
        self._market = market
        self._url = url
        self._proxy = proxy
        self._router = router
        self._admitted = admitted
        self._clock = clock
        self._backoff = Backoff(DELAY_FIRST, DELAY_MAX, jitter)
        self._subscriptions = Subscriptions()
        self._changed = asyncio.Event()
        self._state = State.DISCONNECTED
        self._messages = 0
        self._dials = 0
        self._connected_since: float | None = None
        self._last_message: float | None = None
        self._last_error: str | None = None

    def want(self, names: set[str]) -> None:
        """Carry exactly these streams from now on."""
        if names != self._subscriptions.wanted:
            self._subscriptions.wanted = set(names)
            self._changed.set()

    @property
    def record(self) -> Record:
        """The feed as it is now."""
        return Record(
            self.name,
            self._state,
            len(self._subscriptions.wanted),
            len(self._subscriptions.live),
            self._messages,
            self._dials,
            self._connected_since,
            self._last_message,
            self._last_error,
        )

    async def run(self) -> None:
        """Connect, carry, connect again."""
        while True:
            self._state = State.CONNECTING if self._dials == 0 else State.RECONNECTING
            await self._admitted()
            self._dials += 1
            try:
                connection = await dial(self._url, self._proxy, _PING_INTERVAL[self._market], self._received)
            except ExchangeUnavailable as error:
                await self._failed(str(error), error.retry_after)
                continue
            reason = await self._carry(connection)
            await self._failed(reason, None)

    async def _failed(self, reason: str, retry_after: float | None) -> None:
        self._last_error = reason
        self._connected_since = None
        self._state = State.RECONNECTING
        delay = max(self._backoff.next_delay(), retry_after or 0)
        logger.warning("feed is down", extra={"feed": self.name, "error": reason, "next": round(delay, 1)})
        await self._clock.sleep(delay)

    async def _carry(self, connection: Upstream) -> str:
        """Carry until the connection ends, and return why it did."""
        self._state = State.CONNECTED
        self._connected_since = self._clock.monotonic()
        self._subscriptions.opened()
        self._changed.set()
        logger.info("feed is connected", extra={"feed": self.name, "streams": len(self._subscriptions.wanted)})
        try:
            async with asyncio.TaskGroup() as tasks:
                asking = tasks.create_task(self._ask(connection))
                watching = tasks.create_task(self._watch(connection))
                await connection.wait_closed()
                asking.cancel()
                watching.cancel()
        finally:
            self._state = State.CLOSING
            # Reached with an open connection only when the feed is cancelled.
            await connection.close()
        if connection.close_code is None or connection.close_code == 1006:
            return "the connection was cut"
        return f"closed with {connection.close_code} {connection.close_reason}".rstrip()

    async def _ask(self, connection: Upstream) -> None:
        """Send control messages, as many as the exchange allows."""
        pace = SlidingWindow(CONTROL_PER_SECOND[self._market], 1.0)
        with contextlib.suppress(ConnectionClosed):  # `_carry` sees it too
            while True:
                self._changed.clear()
                while (request := self._subscriptions.next_request()) is not None:
                    delay = pace.reserve(self._clock.monotonic())
                    if delay > 0:
                        await self._clock.sleep(delay)
                    await connection.send(request.text, text=True)
                await self._changed.wait()

    async def _watch(self, connection: Upstream) -> None:
        """End a connection that is silent, and notice health."""
        healthy = False
        while True:
            await self._clock.sleep(1.0)
            now = self._clock.monotonic()
            since, newest = self._connected_since, self._last_message
            if not healthy and since is not None and newest is not None and newest > since and now - since > HEALTH:
                healthy = True
                self._backoff.healthy()
            if now - connection.heard > _SILENCE:
                logger.warning("feed is silent", extra={"feed": self.name, "seconds": _SILENCE})
                connection.transport.abort()
                return

    def _received(self, data: bytes, received_ns: int) -> None:
        self._messages += 1
        outcome = self._router.receive(data, received_ns)
        if isinstance(outcome, str):
            self._last_message = self._clock.monotonic()
            self._subscriptions.live.add(outcome)
        elif isinstance(outcome, Reply):
            self._answered(outcome)

    def _answered(self, reply: Reply) -> None:
        failure = reply.failure
        request = self._subscriptions.answered(reply.id, failure)
        if failure is not None:
            self._last_error = failure
            logger.error(
                "the exchange refused a request",
                extra={"feed": self.name, "error": failure, "streams": request.names[:5] if request else None},
            )
