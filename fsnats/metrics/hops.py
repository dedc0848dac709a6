"""The way of a message from the exchange to a client, hop by hop, and how long each takes.  Pure.

exchange   event time in the payload → read from the exchange's socket; by the exchange's clock, where its distance from
           ours is known
worker     read from the exchange's socket → handed to NATS: what a hole before it held up is in it
bus        handed to NATS → read by the gateway; two clocks, where they run on two machines
gateway    read by the gateway → written to its clients' sockets
"""

from collections.abc import Mapping

from fsnats.metrics.family import Family, distribution
from fsnats.metrics.histogram import Histogram

EXCHANGE, WORKER, BUS, GATEWAY = "exchange", "worker", "bus", "gateway"

HOP = distribution(
    "fsnats_hop_seconds",
    "how long messages took for one hop (exchange, worker, bus, gateway), of one message in 64",
    "hop",
    "market",
)


class Hops:
    """What one program measures of the way."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], Histogram] = {}

    def of(self, hop: str, market: str) -> Histogram:
        """Where to count: always the same one for the same hop and market."""
        taken = self._taken.get((hop, market))
        if taken is None:
            taken = self._taken[hop, market] = Histogram()
        return taken

    def turn(self) -> None:
        """See `Histogram.turn`."""
        for taken in self._taken.values():
            taken.turn()

    def recent(self) -> Mapping[str, object]:
        """For the status: by market, by hop."""
        markets: dict[str, dict[str, object]] = {}
        for (hop, market), taken in self._taken.items():
            markets.setdefault(market, {})[hop] = taken.recent()
        return markets

    def family(self) -> Family:
        """For Prometheus."""
        return HOP.family([each for key, taken in self._taken.items() for each in taken.samples(HOP, *key)])
