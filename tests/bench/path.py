"""The whole path on all cores: exchange → worker → nats-server → gateway → clients that parse what comes."""

from typing import NamedTuple

from tests.bench.fleet import STREAMS, Fleet
from tests.bench.tools import Answer


class Carried(NamedTuple):
    """What became of messages: what the exchange and the clients say, and the CPU time of each part, in µs."""

    sent: Answer
    arrived: Answer
    cpu_us: dict[str, float]


class Path:
    """It carries all streams, to `clients` of which each gets all of them (`all`) or its share (`share`)."""

    def __init__(self, fleet: Fleet, clients: int, which: str) -> None:
        self.copies = clients if which == "all" else 1  # of each message
        self._exchange = fleet.exchange()
        worker, gateway = fleet.worker(), fleet.gateway()
        self._clients = fleet.clients(clients, "latency", STREAMS, which)
        fleet.subscribed(self._exchange, worker)
        self._parts = {"worker": worker, "nats": fleet.nats, "gateway": gateway}

    def carry(self, rate: int, warm: int, count: int, burst: int = 1) -> Carried:
        """Send `count` messages, `rate` a second and `burst` at once, after some to warm up."""
        frame_bytes = self._exchange.ask(f"run {rate} {warm} {burst}").frame_bytes * self.copies
        self._clients.ask(f"until {warm * frame_bytes} 5")
        before = {name: part.cpu_us() for name, part in self._parts.items()}
        sent = self._exchange.ask(f"run {rate} {count} {burst}")
        arrived = self._clients.ask(f"until {count * frame_bytes} 10")
        return Carried(sent, arrived, {name: part.cpu_us() - before[name] for name, part in self._parts.items()})
