"""What the simulator's tests share: a moment, a world under one seed, and instruments to draw from."""

from hypothesis import strategies as st

from fsnats.binance.streams import Market
from workers.simulator.exchange import Exchange
from workers.simulator.instruments import Instrument, universe
from workers.simulator.market import Model
from workers.simulator.world import World

NOW = 1_795_174_312_345  # 2026-11-20 11:31:52 UTC, in milliseconds
SECONDS = NOW / 1000
INSTRUMENTS = list(universe(1, NOW, history_days=60))


def make_world() -> World:
    return World(Exchange(INSTRUMENTS), Model(1))


def listed(market: Market, symbol: str) -> Instrument:
    return next(each for each in INSTRUMENTS if each.market is market and each.symbol == symbol)


BTC = {
    Market.SPOT: listed(Market.SPOT, "BTCUSDT"),
    Market.USDM: listed(Market.USDM, "BTCUSDT"),
    Market.COINM: listed(Market.COINM, "BTCUSD_PERP"),
}
instruments = st.sampled_from(INSTRUMENTS)
minutes = st.integers(NOW // 60_000 - 50_000, NOW // 60_000 + 50_000)
times = st.integers(NOW - 50 * 86_400_000, NOW)
