"""What clients that do not read do to those that do: the same clients with and without bad company."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.fleet import AGG_TRADE, Fleet
from tests.bench.native import Native
from tests.bench.processes import BenchError, Process
from tests.bench.report import Row, Values
from tests.bench.tools import Tool

_GOOD, _DEAF, _STREAMS = 200, 100, 10
_RATE = 200  # messages/s, each to everybody
_NAMES = [f"sym{number:03}usdt@{AGG_TRADE}" for number in range(_STREAMS)]
_OUTBOX_BYTES = 1024 * 1024  # the gateway's default
_SLOW_READS = 256  # bytes, four times a second

TITLE = f"fairness: {_GOOD} clients x {_STREAMS} streams, {_RATE} messages/s, beside {_DEAF} that never read"
ROWS = (
    Row("alone p50", "alone                                        p50", "ms"),
    Row("alone p99", "                                             p99", "ms"),
    Row("beside p50", f"beside {_DEAF} deaf ones and one that reads 1 kB/s  p50", "ms"),
    Row("beside p99", "                                             p99", "ms"),
    Row("ratio", "p99 beside them / p99 alone", "", "≤ 1.10"),
    Row("alone cpu", "the gateway's work alone", "CPU µs/delivered"),
    Row("beside cpu", "  and beside them, by what the good ones get", "CPU µs/delivered"),
    Row("memory", "the gateway's memory per deaf client", "KiB", "≤ 1,300"),
    Row("lost", "lost by the good ones", "messages", "0"),
    Row("closed", "of the slow ones closed", "clients", "0"),
)


class _Good(NamedTuple):
    """The gateway, who publishes, and those who read everything."""

    gateway: Process
    publisher: Tool
    clients: Tool

    def run(self, count: int, rate: int, values: Values) -> tuple[float, float, float]:
        """p50 and p99 in ms, and the gateway's CPU time per message in µs."""
        before = self.gateway.cpu_us()
        frame_bytes = self.publisher.ask(f"run {rate} {count} 1").frame_bytes
        arrived = self.clients.ask(f"until {count * _GOOD * frame_bytes} 10")
        values["lost"] += count * _GOOD - arrived.messages
        return arrived.p50, arrived.p99, (self.gateway.cpu_us() - before) / (count * _GOOD)

    def settled(self, count: int, values: Values) -> tuple[float, float, float]:
        """The same at the usual rate, behind a second that is not looked at: the first messages after a pause, or after
        a flood, are late by milliseconds, whoever else is there."""
        self.run(_RATE, _RATE, values)
        return self.run(count, _RATE, values)


def measure(tools: Path, quick: bool) -> Values:
    """One repetition: alone, beside the others, alone again."""
    values: Values = {"lost": 0.0}
    count = _RATE * (5 if quick else 15)
    with Fleet(tools, pinned=True) as fleet:
        gateway, publisher = fleet.gateway(), fleet.publisher(_STREAMS, AGG_TRADE)
        good = _Good(gateway, publisher, fleet.clients(_GOOD, "latency", "/stream?streams=" + "/".join(_NAMES)))
        alone = [good.settled(count, values)]
        memory = gateway.pss_kib()
        with _company(fleet):
            # Then all of them are behind by their limit, and lose the oldest with each message that comes.
            good.run(_OUTBOX_BYTES // 300, 2_000, values)
            beside = good.settled(count, values)
            values["memory"] = (gateway.pss_kib() - memory) / (_DEAF + 1)
            values["closed"] = float(_slow_closed(fleet, gateway))
        alone.append(good.settled(count, values))
    for at, what in enumerate(("p50", "p99", "cpu")):
        values[f"alone {what}"] = sum(each[at] for each in alone) / 2
        values[f"beside {what}"] = beside[at]
    values["ratio"] = values["beside p99"] / values["alone p99"]
    return values


def _slow_closed(fleet: Fleet, gateway: Process) -> int:
    status = fleet.status("gateway")
    if status["slow_clients"] != _DEAF + 1:
        raise BenchError(f"{status['slow_clients']} of {_DEAF + 1} clients are slow: {gateway.last_words()}")
    counted = status["counted"]
    assert isinstance(counted, dict)
    return int(counted["slow"])


@contextmanager
def _company(fleet: Fleet) -> Iterator[None]:
    """Clients that subscribe to everything and read nothing, and one that reads a little."""
    stop = threading.Event()
    with ExitStack() as stack:
        clients = [stack.enter_context(_subscriber(fleet.gateway_port)) for _ in range(_DEAF + 1)]

        def read_slowly() -> None:
            while not stop.wait(0.25):
                clients[0].read(_SLOW_READS)

        reader = threading.Thread(target=read_slowly)
        reader.start()
        try:
            yield
        finally:
            stop.set()
            reader.join()


def _subscriber(port: int) -> Native:
    """A client that has asked for every stream."""
    client = Native(port)
    client.ask(type="subscribe", rawStreams=_NAMES)
    return client
