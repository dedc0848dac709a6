"""What a program wants of the workers, told on the bus: changes at once, the whole set every few seconds."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Literal

from fsnats import demand
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.subjects import DEMAND_REQUEST
from fsnats.subjects import demand as demand_subject

LOOK = 0.5  # seconds between two looks at whether it is time to tell the whole set


class Announcer:
    """Announces the streams that `wanted` gives, by market, as those of `name`; see `fsnats.demand`."""

    def __init__(
        self,
        name: str,
        markets: Iterable[Market],
        bus: Bus,
        monotonic: Callable[[], float],
        wanted: Callable[[Market], Iterable[str]],
    ) -> None:
        self._name = name
        self._markets = tuple(markets)
        self._bus = bus
        self._monotonic = monotonic
        self._wanted = wanted
        self._added: dict[Market, list[str]] = {}
        self._round = 0
        self._asked = asyncio.Event()

    def add(self, market: Market, name: str) -> None:
        """A stream is wanted from now on: told together with everything else that this turn of the loop adds."""
        if not self._added:
            asyncio.get_running_loop().call_soon(self._announce_added)
        self._added.setdefault(market, []).append(name)

    def drop(self, market: Market, names: list[str]) -> None:
        """These are wanted no more."""
        self._announce("drop", market, names)

    def repeat(self) -> None:
        """Tell the whole set soon: the bus came back, or a worker asks."""
        self._asked.set()

    async def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Tell the whole set every few seconds and whenever a worker asks, until cancelled.  `tick` is called often."""
        self._bus.subscribe(DEMAND_REQUEST, lambda _subject, _reply, _payload: self.repeat())
        next_whole = self._monotonic()
        while True:
            tick()
            if self._asked.is_set() or self._monotonic() >= next_whole:
                self._asked.clear()
                self.announce_whole()
                next_whole = self._monotonic() + demand.WHOLE_EVERY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._asked.wait()

    def announce_whole(self) -> None:
        """Tell the whole set now."""
        self._round += 1
        for market in self._markets:
            for announcement in demand.whole(self._name, market, self._wanted(market), self._round):
                self._publish(announcement)

    def _announce_added(self) -> None:
        for market, names in self._added.items():
            self._announce("add", market, names)
        self._added.clear()

    def _announce(self, kind: Literal["add", "drop"], market: Market, names: list[str]) -> None:
        for start in range(0, len(names), demand.STREAMS_PER_PAGE):
            page = names[start : start + demand.STREAMS_PER_PAGE]
            self._publish(demand.Announcement(self._name, market, kind, page))

    def _publish(self, announcement: demand.Announcement) -> None:
        self._bus.publish(demand_subject(announcement.market), demand.encode(announcement))
