"""Programs that people use against the real exchange read the simulated one without a change but the address."""

import asyncio
import warnings
from typing import Any

import ccxt
import pytest

from fsnats.binance.streams import Market
from tests.workers.simulator.conftest import Start

with warnings.catch_warnings():
    # It imports what websockets has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance.client import Client as PythonBinance

PATH = {Market.SPOT: "/api/v3", Market.USDM: "/fapi/v1", Market.COINM: "/dapi/v1"}


@pytest.mark.parametrize(
    ("venue", "market", "symbol"),
    [
        (ccxt.binance, Market.SPOT, "BTC/USDT"),
        (ccxt.binanceusdm, Market.USDM, "BTC/USDT:USDT"),
        (ccxt.binancecoinm, Market.COINM, "BTC/USD:BTC"),
    ],
)
async def test_ccxt_trades_here_unmodified(start: Start, venue: Any, market: Market, symbol: str) -> None:
    simulator = await start()
    exchange = venue(
        {"options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}}} if market is Market.SPOT else {}
    )
    exchange.session.trust_env = False
    for name in ("public", "fapiPublic", "dapiPublic"):
        home = {"public": Market.SPOT, "fapiPublic": Market.USDM, "dapiPublic": Market.COINM}[name]
        exchange.urls["api"][name] = simulator.rest_url(home) + PATH[home]

    def use() -> tuple[int, int]:
        exchange.load_markets()
        return len(exchange.fetch_ohlcv(symbol, "1m", limit=10)), len(
            exchange.fetch_order_book(symbol, limit=20)["bids"]
        )

    try:
        assert await asyncio.to_thread(use) == (10, 20)
    finally:
        exchange.session.close()


async def test_python_binance_reads_here_unmodified(start: Start) -> None:
    simulator = await start()

    def use() -> tuple[str, int, int]:
        # It takes the thread's event loop for its own, or makes one and never closes it.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        client = PythonBinance(ping=False)
        client.session.trust_env = False
        client.API_URL = simulator.rest_url(Market.SPOT) + "/api"
        client.FUTURES_URL = simulator.rest_url(Market.USDM) + "/fapi"
        try:
            info = client.get_symbol_info("BTCUSDT")
            assert info is not None
            spot = client.get_klines(symbol="BTCUSDT", interval="1m", limit=7)
            futures = client.futures_klines(symbol="BTCUSDT", interval="1m", limit=8)
            return info["status"], len(spot), len(futures)
        finally:
            client.close_connection()
            asyncio.set_event_loop(None)
            loop.close()

    assert await asyncio.to_thread(use) == ("TRADING", 7, 8)
