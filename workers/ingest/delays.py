"""How long messages took to get here, and through here: of those that the router looks at.  Pure."""

from collections.abc import Mapping

from fsnats.binance.streams import Market
from fsnats.metrics.hops import EXCHANGE, WORKER, Hops
from fsnats.offset import Offset


class Delays:
    """One market's, by `hops`."""

    def __init__(self, market: Market, offsets: Mapping[Market, Offset]) -> None:
        """`offsets` says how far the exchange's clock is ahead of ours, where that is known."""
        self._market = market
        self._offsets = offsets
        self.hops = Hops()
        self._to_us = self.hops.of(EXCHANGE, market)
        self._through = self.hops.of(WORKER, market)

    def note(self, event_ms: int | None, received_ns: int, published_ns: int) -> None:
        """A message of this event time, if it tells one, was read and published then; since 1970."""
        self._through.observe((published_ns - received_ns) / 1e9)
        offset = self._offsets.get(self._market)
        if event_ms is not None and offset is not None:  # by clocks that disagree a delay means nothing
            self._to_us.observe((received_ns / 1e6 + offset.offset_ms - event_ms) / 1e3)
