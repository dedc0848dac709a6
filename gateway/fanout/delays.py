"""How long frames took from their workers to here, and from here to the sockets: of one frame in 64.  Pure."""

from collections.abc import Callable

from fsnats.binance.streams import Market
from fsnats.frames import Frame
from fsnats.metrics.histogram import Histogram
from fsnats.metrics.hops import BUS, GATEWAY, Hops

MASK = 63  # frames whose count has these bits zero are looked at: to look costs a microsecond


class Delays:
    """One gateway's, by `hops`."""

    def __init__(self, read_ns: Callable[[], int], now_ns: Callable[[], int]) -> None:
        """When the bus was read last, and now: nanoseconds since 1970."""
        self._read_ns = read_ns
        self._now_ns = now_ns
        self._unwritten: Histogram | None = None  # where to count a frame of this read
        self._both: dict[Market, tuple[Histogram, Histogram]] = {}
        self.hops = Hops()

    def note(self, frame: Frame, market: Market) -> None:
        """A frame came with the last read."""
        published_ns = frame.published_ns
        if published_ns:
            bus, self._unwritten = self._both.get(market) or self._begin(market)
            bus.observe((self._read_ns() - published_ns) / 1e9)

    def _begin(self, market: Market) -> tuple[Histogram, Histogram]:
        both = self._both[market] = self.hops.of(BUS, market), self.hops.of(GATEWAY, market)
        return both

    def written(self) -> None:
        """All that came with the last read is written."""
        if self._unwritten is not None:
            self._unwritten.observe((self._now_ns() - self._read_ns()) / 1e9)
            self._unwritten = None
