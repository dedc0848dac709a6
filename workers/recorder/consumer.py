"""Reads one market's replay window through a durable JetStream consumer, from where the store stopped.

What is delivered waits until it is stored; only then is it acknowledged.  Whenever it is not certain that nothing was
lost between the server and us (a new process, a new connection, an answer that does not come), the consumer is made
anew, right behind what is acknowledged, or stored: JetStream would otherwise deliver newer messages first, and whoever
acknowledges those acknowledges the lost ones, too.

The window lies in NATS' memory.  One that is new (NATS was restarted) is read from its beginning.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus, jetstream
from fsnats.clock import Clock
from fsnats.errors import BusUnavailable
from fsnats.replay import window
from workers.recorder import deliveries
from workers.recorder.deliveries import ACK, Delivery

logger = logging.getLogger(__name__)

BATCH = 1_000  # messages of one pull
EXPIRES = 5.0  # seconds for which the server answers a pull
IDLE = 600.0  # seconds after which a consumer that nobody asks is no use: the window is shorter
_GRACE = 2.0  # seconds beyond EXPIRES after which the server has forgotten us
_EARLY = 1.0  # seconds before EXPIRES: a pull that ended earlier was refused
_AGAIN = 1.0  # seconds of rest after a failure


class _Sequence(msgspec.Struct, frozen=True):
    stream_seq: int = 0


class _Reply(jetstream.Reply):
    created: str = ""
    ack_floor: _Sequence = _Sequence()


class Consumer:
    """One market's.  `received` gets what comes, in order and once; `room` says how many more may come now."""

    def __init__(
        self,
        bus: Bus,
        market: Market,
        name: str,
        filters: Sequence[str],
        clock: Clock,
        *,
        received: Callable[[Delivery], None],
        room: Callable[[], int],
        most: int,
    ) -> None:
        """`name` is what the consumer is found by after a restart; `most` is the most that `room` ever says."""
        self._bus = bus
        self._market = market
        self._stream = window(market)
        self._name = name
        self._filters = filters
        self._clock = clock
        self._received = received
        self._room = room
        self._most = most
        self._created = ""  # of the window: another one counts positions anew
        self._newest = 0  # position up to which everything was received
        self._stored = 0  # and up to which it is stored
        self._again: deque[tuple[int, str]] = deque()  # received twice, and not stored yet
        self._generation = 0
        self._since = 0  # the first generation of this window
        self._left = 0  # messages that the pull still owes
        self._ended = asyncio.Event()
        self._freed = asyncio.Event()
        self._broken = False
        self.pending = 0  # messages that wait in the window
        self.trouble = "not begun yet"

    async def run(self) -> None:
        """Read, until cancelled."""
        forget = self._bus.on_connect(self._reconnected)
        try:
            while True:
                self._broken = False
                self._ended.clear()
                try:
                    await self._begin()
                    self._say("")
                    await self._read()
                except BusUnavailable as error:
                    self._say(str(error))
                if not self._broken:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_AGAIN):
                            await self._ended.wait()
        finally:
            forget()

    def stored(self, delivery: Delivery) -> None:
        """This one is in the store, and everything that was received before it."""
        if delivery.generation < self._since:
            return  # of a window that is gone
        self._stored = delivery.position
        reply = ""
        while self._again and self._again[0][0] <= delivery.position:
            reply = self._again.popleft()[1]
        if delivery.generation == self._generation:
            reply = delivery.reply
        if reply:
            self._bus.publish(reply, ACK)

    def freed(self) -> None:
        """There may be room again."""
        self._freed.set()

    def _reconnected(self) -> None:
        self._broken = True
        self._ended.set()
        self._freed.set()

    async def _begin(self) -> None:
        """Make the consumer anew, behind what is stored.  Raises BusUnavailable."""
        created = (await self._ask(f"STREAM.INFO.{self._stream}")).created
        named = f"{self._stream}.{self._name}"
        self._generation += 1  # from here on nothing of an earlier consumer is acknowledged: this one numbers anew
        self._again.clear()
        if created != self._created:
            before = await self._ask(f"CONSUMER.INFO.{named}", fine=jetstream.NO_CONSUMER)
            self._created = created
            self._since = self._generation
            self._newest = self._stored = before.ack_floor.stream_seq
            logger.info(
                "reading a window", extra={"event": "window.reading", "market": self._market, "after": self._stored}
            )
        await self._ask(f"CONSUMER.DELETE.{named}", fine=jetstream.NO_CONSUMER)
        start = self._stored + 1 if self._stored else 0
        request = deliveries.consumer(self._stream, self._name, self._filters, start, self._most + BATCH, IDLE)
        await self._ask(f"CONSUMER.CREATE.{named}", request)

    async def _read(self) -> None:
        """Pull until the connection is another one, or a pull is not answered as it should be."""
        inbox = f"_INBOX.{self._name}.{id(self):x}.{self._generation}"
        sid = self._bus.subscribe(inbox, partial(self._came, self._generation))
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}"
        try:
            while not self._broken:
                self._freed.clear()
                count = min(BATCH, self._room())
                if count <= 0:
                    await self._freed.wait()
                    continue
                self._left = count
                self._ended.clear()
                asked = self._clock.monotonic()
                if not self._bus.publish(subject, deliveries.pull(count, EXPIRES), inbox):
                    raise BusUnavailable("NATS is not connected")
                try:
                    async with asyncio.timeout(EXPIRES + _GRACE):
                        await self._ended.wait()
                except TimeoutError:
                    raise BusUnavailable("the replay window does not answer") from None
                if self._left > 0 and self._clock.monotonic() - asked < EXPIRES - _EARLY and not self._broken:
                    raise BusUnavailable("the replay window's consumer is gone")
        finally:
            self._bus.unsubscribe(sid)

    def _came(self, generation: int, _subject: str, reply: str, payload: bytes) -> None:
        found = deliveries.place(reply)
        if found is None:  # a status: the pull is over
            self._ended.set()
            return
        position, self.pending = found
        self._left -= 1
        if self._left == 0:
            self._ended.set()
        if position > self._newest:
            self._newest = position
            self._received(Delivery(self._market, generation, position, reply, payload))
        elif position > self._stored:
            self._again.append((position, reply))
        else:
            self._bus.publish(reply, ACK)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            if trouble:
                logger.warning(
                    "cannot read the replay window",
                    extra={"event": "window.unreadable", "market": self._market, "error": trouble},
                )
            self.trouble = trouble

    async def _ask(self, what: str, request: bytes = b"", fine: int = 0) -> _Reply:
        return await jetstream.ask(self._bus, what, request, kind=_Reply, fine=fine)
