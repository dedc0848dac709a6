"""A given number of messages a second, whatever the streams' own cadences: the simulator as a load generator.

The messages are spread evenly over all channels and made from templates: the first is what the stream's own feed says,
the following ones have new times and, where the type has them, consecutive ids.  They are valid and consistent within
their stream.  What was said of trades is kept, so that REST tells the same of them.
"""

import re
from collections.abc import Callable

import msgspec

from workers.simulator import streams
from workers.simulator.feeds import Feed
from workers.simulator.hub import Channel, Hub
from workers.simulator.issued import Issued
from workers.simulator.ledger import Ledger
from workers.simulator.world import World

_IDS = {
    "aggTrade": rb'"(E|T|a|f|l)":\d+',
    "trade": rb'"(E|T|t)":\d+',
    "depth": rb'"(E|T|U|u|pu)":\d+',
    "rpiDepth": rb'"(E|T|U|u|pu)":\d+',
    "bookTicker": rb'"(E|T|u)":\d+',
}
_EVENT_TIME = re.compile(rb'"E":\d+')
_FIRST_ID = {"aggTrade": b"a", "trade": b"t", "depth": b"u", "rpiDepth": b"u", "bookTicker": b"u"}
_LATE_MAX = 0.25  # seconds of messages to catch up with; what is later is given up and counted
_SILENCE = 1000  # milliseconds to try for a first message before a stream is asked again


class Source:
    """One channel's messages."""

    def __init__(self, channel: Channel, feed: Feed, now: int, world: World) -> None:
        self.channel = channel
        self._world = world
        self._issued: Issued | None = None
        self._feed = feed
        self._kind = channel.stream.kind
        self._numbered = self._kind in _IDS
        self._template = b""
        self._values: dict[bytes, int] = {}
        self._id = 0
        self._step = 3 if "epth" in self._kind else 1
        self._refresh = now

    def next(self, now: int) -> list[bytes]:
        """The next message; sometimes more, when a candle ends; none while the stream has nothing to say yet."""
        if now >= self._refresh and not (self._numbered and self._template):
            return self._renew(now)
        if not self._template:
            return []
        values = self._values
        values[b"E"] = values[b"T"] = now
        if self._numbered:
            following = self._id + self._step
            values[b"U"], values[b"pu"] = self._id + 1, self._id
            values[b"u"] = values[b"a"] = values[b"f"] = values[b"l"] = values[b"t"] = following
            self._id = following
            if self._issued is not None:
                self._issued.say(now)
        return [self._template % values]

    def _renew(self, now: int) -> list[bytes]:
        """Ask the feed, and make the template from the last thing it says."""
        self._refresh = max(now + 1, self._feed.due)
        said = self._feed.produce(now)
        if self._numbered and not said:
            said = self._feed.produce(now + _SILENCE)
        self._refresh = max(now + 1, self._feed.due)
        if not said:
            return []
        last = said[-1].replace(b"%", b"%%")
        if self._numbered:
            found = re.search(rb'"%b":(\d+)' % _FIRST_ID[self._kind], last)
            assert found is not None
            self._id = int(found[1])
            self._template = re.sub(_IDS[self._kind], rb'"\1":%(\1)d', last)
            if self._remember(last):
                return []  # the stream was told before: it goes on where it ended, not where the model is
        elif last[:1] == b"{":
            self._template = _EVENT_TIME.sub(b'"E":%(E)d', last, count=1)
        else:
            self._template = last
        return said

    def _remember(self, payload: bytes) -> bool:
        """Keep what is said of trades from here on; whether some was said before."""
        instrument = self._world.exchange.get(self.channel.market, self.channel.stream.subject)
        if self._kind not in ("aggTrade", "trade") or instrument is None:
            return False
        key = self._kind, instrument.key
        known = self._world.issued.get(key)
        if known is None:
            trade = _said(payload)
            known = Issued(self._id + 1, trade.p, trade.q, trade.m, self._template)
            self._world.issued[key] = known
            self._issued = known
            return False
        self._template, self._id, self._issued = known.template, known.following - 1, known
        return True


class _Said(msgspec.Struct):
    p: str
    q: str
    m: bool


_said = msgspec.json.Decoder(_Said).decode


class Load:
    """Spreads `rate` messages a second over all channels, one after the other."""

    def __init__(self, world: World, hub: Hub, ledger: Ledger, rate: float, monotonic: Callable[[], float]) -> None:
        self._world = world
        self._hub = hub
        self._ledger = ledger
        self._rate = rate
        self._monotonic = monotonic
        self._now = 0
        self._sources: dict[Channel, Source] = {}
        self._order: list[Source] = []
        self._position = 0
        self._owed = 0.0
        self._last = monotonic()

    def opened(self, channel: Channel) -> None:
        """A channel takes its part of the messages from now on."""
        feed = streams.build(self._world, channel.stream, self._now)
        if feed is not None:
            self._sources[channel] = Source(channel, feed, self._now, self._world)
            self._order = list(self._sources.values())

    def closed(self, channel: Channel) -> None:
        """A channel's part goes to the others."""
        self._sources.pop(channel, None)
        self._order = list(self._sources.values())

    def turn(self, now: int) -> None:
        """Send what the time since the last turn is worth."""
        self._now = now
        instant = self._monotonic()
        self._owed += (instant - self._last) * self._rate
        self._last = instant
        if not self._order:
            self._owed = 0.0
            return
        count = int(self._owed)
        self._owed -= count
        most = int(self._rate * _LATE_MAX) + 1
        if count > most:
            self._ledger.shortfall += count - most
            count = most
        order, size, deliver = self._order, len(self._order), self._hub.deliver
        position = self._position % size
        for _ in range(count):
            source = order[position]
            for payload in source.next(now):
                deliver(source.channel, payload)
            position += 1
            if position == size:
                position = 0
        self._position = position
