"""What this gateway wants of the workers, told on the bus: changes at once, the whole set every few seconds."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from fsnats import demand
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.subjects import DEMAND_REQUEST, subject_of
from fsnats.subjects import demand as demand_subject
from gateway.channel import Channel
from gateway.hub import Key

logger = logging.getLogger(__name__)

LINGER = 1.0  # seconds that a stream without listeners stays subscribed: reconnecting crowds do not thrash the bus


class Interest:
    """Subscribes channels on the bus and announces them."""

    def __init__(self, gateway: str, markets: tuple[Market, ...], bus: Bus, monotonic: Callable[[], float]) -> None:
        self._gateway = gateway
        self._markets = markets
        self._bus = bus
        self._monotonic = monotonic
        self._subscribed: dict[Key, tuple[int, Channel]] = {}
        self._idle: dict[Key, float] = {}  # when its last listener left
        self._added: dict[Market, list[str]] = {}
        self._round = 0
        self._asked = asyncio.Event()

    def first(self, channel: Channel) -> None:
        """A stream has its first listener here."""
        stream = channel.stream
        key = (stream.market, stream.name)
        self._idle.pop(key, None)
        before = self._subscribed.pop(key, None)
        if before is not None:  # it lingered
            self._bus.redirect(before[0], channel.receive)
            self._subscribed[key] = (before[0], channel)
        else:
            sid = self._bus.subscribe(subject_of(stream.market, stream.name), channel.receive)
            self._subscribed[key] = (sid, channel)
            if not self._added:
                # One announcement for everything that this turn of the loop adds.
                asyncio.get_running_loop().call_soon(self._announce_added)
            self._added.setdefault(stream.market, []).append(stream.name)

    def last(self, channel: Channel) -> None:
        """A stream has lost its last listener here."""
        self._idle[(channel.stream.market, channel.stream.name)] = self._monotonic()

    def bus_changed(self, connected: bool) -> None:
        """The bus came back: tell everything.  What was sent meanwhile shows as a hole in each stream's sequence."""
        if connected:
            self._asked.set()

    async def run(self) -> None:
        """Announce the whole set every few seconds and whenever a worker asks, until cancelled."""
        self._bus.subscribe(DEMAND_REQUEST, lambda _subject, _reply, _payload: self._asked.set())
        next_whole = self._monotonic()
        while True:
            self._drop_idle()
            if self._asked.is_set() or self._monotonic() >= next_whole:
                self._asked.clear()
                self._announce_whole()
                next_whole = self._monotonic() + demand.WHOLE_EVERY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER / 2):
                    await self._asked.wait()

    def withdraw(self) -> None:
        """This gateway stops: it wants nothing any more."""
        self._subscribed.clear()
        self._idle.clear()
        self._announce_whole()

    def _announce_added(self) -> None:
        self._announce("add", self._added)
        self._added.clear()

    def _drop_idle(self) -> None:
        now = self._monotonic()
        dropped: dict[Market, list[str]] = {}
        for key in [key for key, since in self._idle.items() if now - since >= LINGER]:
            del self._idle[key]
            sid, _ = self._subscribed.pop(key)
            self._bus.unsubscribe(sid)
            dropped.setdefault(key[0], []).append(key[1])
        self._announce("drop", dropped)

    def _announce(self, kind: Literal["add", "drop"], changed: Mapping[Market, list[str]]) -> None:
        for market, names in changed.items():
            for start in range(0, len(names), demand.STREAMS_PER_PAGE):
                page = names[start : start + demand.STREAMS_PER_PAGE]
                self._publish(demand.Announcement(self._gateway, market, kind, page))

    def _announce_whole(self) -> None:
        self._round += 1
        for market in self._markets:
            names = [name for where, name in self._subscribed if where is market]
            for announcement in demand.whole(self._gateway, market, names, self._round):
                self._publish(announcement)

    def _publish(self, announcement: demand.Announcement) -> None:
        self._bus.publish(demand_subject(announcement.market), demand.encode(announcement))
