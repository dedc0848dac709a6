"""Composes fleets for scenarios and runs these one after the other."""

import asyncio
import random
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from fsnats.binance.streams import Market, parse
from fsnats.bus.nats import NatsBus
from fsnats.chaos.client import Client
from fsnats.chaos.exchange import Exchange
from fsnats.chaos.processes import Fleet
from fsnats.chaos.proxy import Proxy
from fsnats.chaos.reader import Reader
from fsnats.chaos.report import Report
from fsnats.chaos.scenarios import Scenario
from fsnats.chaos.stage import PATIENCE, Troubled

# A connection that is kept may be closed by the exchange at the moment at which the next request goes out.
_ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)
_STEADY = ("aggTrade", "trade", "depth@100ms", "bookTicker")
_CANDLES = {Market.SPOT: ("kline_1m", "kline_1s"), Market.USDM: ("kline_1m",)}
_PROXIES = {"proxy": 1, "redundant": 2}
_FEW = ("btcusdt", "ethusdt")
_CROWD = ("btcusdt", "ethusdt", "bnbusdt", "solusdt", "xrpusdt", "dogeusdt", "adausdt")


@asynccontextmanager
async def troubled(kind: str = "plain", rate: float = 0, *, with_gateway: bool = False) -> AsyncIterator[Troubled]:
    """A fleet of its own for one or more scenarios.

    It is `plain`, behind a `proxy`, a `crowd` of twenty feeds, or `redundant`: two connections, two proxies.  A gateway
    serves one client everything that is judged.
    """
    symbols: tuple[str, ...] = _FEW
    settings: dict[str, object] = {}
    simulator = ["--rate", str(rate)] if rate else []
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fsnats-chaos-")))
        proxies = [await stack.enter_async_context(Proxy()) for _ in range(_PROXIES.get(kind, 0))]
        if proxies:
            settings |= {"proxy": ",".join(proxy.url for proxy in proxies), "redundancy": len(proxies)}
        if kind == "crowd":
            symbols = _CROWD
            settings |= {"symbols": ",".join(symbols).upper(), "symbols_per_worker": 1}
        fleet = Fleet(directory, simulator, settings, with_gateway=with_gateway)
        stage = await stack.enter_async_context(watched(fleet, symbols, proxies))
        if with_gateway:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stage.client = Client(fleet.gateway_port, stage.reader.readings)
            listening = tasks.create_task(stage.client.run())
            stack.callback(listening.cancel)
        yield stage


@asynccontextmanager
async def watched(
    fleet: Fleet,
    symbols: Iterable[str],
    proxies: Sequence[Proxy] = (),
    markets: tuple[Market, ...] = (Market.SPOT, Market.USDM),
) -> AsyncIterator[Troubled]:
    """Start a fleet, and read what it sends of these symbols."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(fleet)
        name = f"chaos-{secrets.token_hex(4)}"
        bus = await stack.enter_async_context(NatsBus([fleet.nats_url], name, random.random))
        await bus.connected()
        reader = Reader(bus, name)
        for symbol in symbols:
            for market in markets:
                for rest in (*_STEADY, *_CANDLES[market]):
                    reader.read(parse(market, f"{symbol}@{rest}"), steady=rest in _STEADY)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        reading = tasks.create_task(reader.run())
        stack.callback(reading.cancel)
        client = await stack.enter_async_context(httpx.AsyncClient(limits=_ONE_REQUEST, trust_env=False, timeout=10))
        yield Troubled(fleet, Exchange(client, fleet.simulator), reader, bus, proxies)


async def run_all(
    scenarios: Iterable[Scenario],
    told: Callable[[Report], None],
    seconds: float | None = None,
    patience: float = PATIENCE,
) -> list[Report]:
    """Run scenarios, those that may share a fleet on one, and tell of each as it ends."""
    reports: list[Report] = []
    waiting = sorted(scenarios, key=lambda each: each.fleet)
    while waiting:
        async with troubled(waiting[0].fleet) as fleet:
            kind, well = waiting[0].fleet, True
            # One that did not heal is no place for the next trouble.
            while well and waiting and waiting[0].fleet == kind:
                scenario = waiting.pop(0)
                reports.append(await fleet.run(scenario, scenario.seconds if seconds is None else seconds, patience))
                told(reports[-1])
                well = None not in reports[-1].back.values()
    return reports
