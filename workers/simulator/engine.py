"""Keeps the feeds of all channels and lets those speak that are due.  No I/O, no clock: `turn` is told the time."""

import heapq

from fsnats.binance.streams import CONTRACT_INFO, Market
from workers.simulator import payloads, streams
from workers.simulator.feeds import Feed
from workers.simulator.hub import Channel, Hub
from workers.simulator.instruments import Instrument
from workers.simulator.world import World


class Engine:
    """Every stream at its own cadence."""

    def __init__(self, world: World, hub: Hub) -> None:
        self._world = world
        self._hub = hub
        self._now = 0
        self._count = 0
        self._heap: list[tuple[int, int, Channel, Feed]] = []
        self._feeds: dict[Channel, Feed] = {}

    def opened(self, channel: Channel) -> None:
        """Somebody listens to a channel for the first time."""
        feed = streams.build(self._world, channel.stream, self._now)
        if feed is not None:
            self._feeds[channel] = feed
            self._push(channel, feed)

    def closed(self, channel: Channel) -> None:
        """Nobody listens any more; what is scheduled is skipped when its time comes."""
        self._feeds.pop(channel, None)

    def turn(self, now: int) -> None:
        """Say everything that is due at `now` (milliseconds)."""
        self._now = now
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, _, channel, feed = heapq.heappop(heap)
            if self._feeds.get(channel) is not feed:
                continue
            for payload in feed.produce(now):
                self._hub.deliver(channel, payload)
            self._push(channel, feed)

    def changed(self, instrument: Instrument, now: int) -> None:
        """An instrument was listed or stopped: its streams begin or end, and futures announce it."""
        self._now = now
        for channel in list(self._hub.channels.values()):
            subject = channel.stream.subject
            if channel.market is instrument.market and subject and subject.startswith(instrument.pair):
                self._feeds.pop(channel, None)
                self.opened(channel)
        if instrument.market is Market.SPOT:
            return
        payload = payloads.contract_info(instrument, now)
        for market in (Market.USDM, Market.COINM):  # both hosts announce both markets since 2026-06-30
            announced = self._hub.channels.get((market, CONTRACT_INFO))
            if announced is not None:
                self._hub.deliver(announced, payload)

    def _push(self, channel: Channel, feed: Feed) -> None:
        self._count += 1
        heapq.heappush(self._heap, (feed.due, self._count, channel, feed))
