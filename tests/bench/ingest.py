"""The worker alone: from the socket of one feed to NATS, as fast as it can and at 5,000 messages a second."""

import time
from pathlib import Path

from tests.bench.fleet import AGG_TRADE, KLINE, Fleet
from tests.bench.processes import Process
from tests.bench.report import Row, Values
from tests.bench.tools import Tool

TITLE = "ingest: one worker, one feed, 200 streams, 367 B a message"
ROWS = (
    Row("saturated", "worker, saturated", "CPU µs/message", "≤ 8", "7.4, raw 3.96"),
    Row("saturated rate", "  messages a second", "1/s"),
    Row("saturated nats", "  nats-server", "CPU µs/message"),
    Row("saturated lost", "  lost", "messages", "0"),
    Row("paced", "worker, 5,000/s one at a time", "CPU µs/message", "", "74, raw 53"),
    Row("paced nats", "  nats-server", "CPU µs/message"),
    Row("paced lost", "  lost", "messages", "0"),
    Row("trades", "aggTrade, every id looked at, saturated", "CPU µs/message"),
    Row("trades lost", "  lost", "messages", "0"),
    Row("plain", "  the same without any guard against loss", "CPU µs/message"),
    Row("guarded", "  the guards' share", "%", "≤ 15"),
)

_SATURATED = 300_000
_RATE = 5_000


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    with Fleet(tools, pinned=True) as fleet:
        exchange, tap = fleet.exchange(), fleet.tap()
        worker = fleet.worker(KLINE)
        fleet.subscribed(exchange, worker)
        _carried(fleet, worker, exchange, tap, 0, 20_000)  # to warm up
        saturated = _carried(fleet, worker, exchange, tap, 0, _SATURATED)
        paced = _carried(fleet, worker, exchange, tap, _RATE, _RATE * (2 if quick else 5))
        status = fleet.status("ingest")
    values = {f"saturated {name}".rstrip(): value for name, value in saturated.items()}
    values |= {f"paced {name}".rstrip(): value for name, value in paced.items()}
    # What the worker itself knows it could not pass on: nothing, or the figures above are of something else.
    odd = status["odd"]
    assert isinstance(odd, dict)
    values["saturated lost"] += float(str(status["unpublished"])) + sum(odd.values())
    trades, plain = _trades(tools, "workers"), _trades(tools, "tests.bench.plain")
    values |= {"trades": trades[""], "trades lost": trades["lost"] + plain["lost"], "plain": plain[""]}
    values["guarded"] = (trades[""] / plain[""] - 1) * 100
    return values


def _trades(tools: Path, module: str) -> Values:
    with Fleet(tools, pinned=True) as fleet:
        exchange, tap = fleet.exchange(AGG_TRADE), fleet.tap(AGG_TRADE)
        worker = fleet.worker(AGG_TRADE, module=module)
        fleet.subscribed(exchange, worker)
        _carried(fleet, worker, exchange, tap, 0, 20_000)
        return _carried(fleet, worker, exchange, tap, 0, _SATURATED)


def _carried(fleet: Fleet, worker: Process, exchange: Tool, tap: Tool, rate: int, count: int) -> Values:
    cpu = worker.cpu_us(), fleet.nats.cpu_us()
    start = time.monotonic()
    exchange.ask(f"run {rate} {count} 1")
    arrived = tap.ask(f"until {count} 20")
    return {
        "": (worker.cpu_us() - cpu[0]) / count,
        "nats": (fleet.nats.cpu_us() - cpu[1]) / count,
        "rate": count / (time.monotonic() - start),
        "lost": count - arrived.frames + arrived.repeated,
    }
