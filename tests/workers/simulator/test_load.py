import json
from itertools import pairwise
from typing import Any

import pytest

from fsnats.binance.streams import Market, parse
from tests.workers.simulator.test_hub import Ear
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.hub import Hub
from workers.simulator.ledger import Ledger
from workers.simulator.load import Load
from workers.simulator.rest import Rest


class Range:
    """A load on some streams, with time moved by hand."""

    def __init__(self, rate: float, *names: tuple[Market, str], start: int = NOW) -> None:
        self.start, self.passed = start, 0.0
        self.ledger = Ledger()
        self.hub = Hub(self.ledger, record=True, stamp=False)
        self.world = make_world()
        self.load = Load(self.world, self.hub, self.ledger, rate, lambda: self.passed)
        self.hub.watcher = self.load
        self.load.turn(start)
        for market, name in names:
            self.hub.join(Ear(), market, parse(market, name))

    def run(self, seconds: float, step: float = 0.01) -> None:
        for _ in range(round(seconds / step)):
            self.passed += step
            self.load.turn(self.start + int(self.passed * 1000))

    def events(self, market: Market, name: str) -> list[Any]:
        return [json.loads(payload) for payload in self.ledger.payloads(market, name)]


def test_the_rate_is_spread_evenly() -> None:
    names = [(Market.USDM, f"{symbol}usdt@aggTrade") for symbol in ("btc", "eth", "bnb", "sol")]
    load = Range(10_000, *names)
    load.run(2)
    counts = [load.ledger.of(*name).produced for name in names]
    assert abs(sum(counts) - 20_000) <= 100
    assert max(counts) - min(counts) <= 5  # the first messages are as many as the feed has
    assert load.ledger.shortfall == 0


@pytest.mark.parametrize("market", Market)
def test_ids_are_consecutive_within_a_stream(market: Market) -> None:
    symbol = "btcusd_perp" if market is Market.COINM else "btcusdt"
    names = [(market, f"{symbol}@{kind}") for kind in ("aggTrade", "trade", "depth@100ms", "bookTicker")]
    load = Range(1000, *names)
    load.run(1)
    aggregates, trades, depths, bests = (load.events(*name) for name in names)
    assert [event["a"] for event in aggregates] == list(range(aggregates[0]["a"], aggregates[0]["a"] + len(aggregates)))
    assert [event["t"] for event in trades] == list(range(trades[0]["t"], trades[0]["t"] + len(trades)))
    assert [event["u"] for event in bests] == list(range(bests[0]["u"], bests[0]["u"] + len(bests)))
    for before, after in pairwise(depths):
        assert after["U"] == before["u"] + 1 if market is Market.SPOT else after["pu"] == before["u"]
    assert min(map(len, (aggregates, trades, depths, bests))) > 200


def test_candles_close_once_and_keep_their_shape() -> None:
    load = Range(200, (Market.USDM, "btcusdt@kline_1m"), start=NOW // 60_000 * 60_000 + 58_000)
    load.run(4)
    events = load.events(Market.USDM, "btcusdt@kline_1m")
    assert len([event for event in events if event["k"]["x"]]) == 1
    times = [event["E"] for event in events]
    assert times == sorted(times)
    assert len(events) >= 790


def test_what_cannot_be_caught_up_with_is_counted() -> None:
    load = Range(1000, (Market.USDM, "btcusdt@aggTrade"))
    load.run(10, step=10)
    assert load.ledger.shortfall == 10_000 - 251


def test_an_idle_load_owes_nothing() -> None:
    load = Range(1000)
    load.run(10)
    load.hub.join(Ear(), Market.SPOT, parse(Market.SPOT, "btcusdt@trade"))
    load.run(0.01)
    assert load.ledger.produced() <= 12


@pytest.mark.parametrize("market", Market)
async def test_rest_tells_the_same_trades(market: Market) -> None:
    symbol = "btcusd_perp" if market is Market.COINM else "btcusdt"
    load = Range(1000, (market, f"{symbol}@aggTrade"), (market, f"{symbol}@trade"))
    load.run(1)
    now = load.start + 1000
    rest = Rest(load.world)
    said = load.events(market, f"{symbol}@aggTrade")
    query = {"symbol": symbol.upper(), "fromId": str(said[0]["a"]), "limit": "1000"}
    told = json.loads(await rest.answer(market, "aggTrades", query, now))
    fields = ("a", "p", "q", "f", "l", "T", "m")
    assert [[row[field] for field in fields] for row in told] == [[event[field] for field in fields] for event in said]
    since = said[100]["T"]  # the very first ones are the model's own
    query = {"symbol": symbol.upper(), "startTime": str(since), "limit": "1000"}
    told = json.loads(await rest.answer(market, "aggTrades", query, now))
    assert [row["a"] for row in told] == [event["a"] for event in said[20:] if event["T"] >= since]
    trades = load.events(market, f"{symbol}@trade")
    told = json.loads(await rest.answer(market, "trades", {"symbol": symbol.upper(), "limit": "100"}, now))
    assert [(row["id"], row["time"]) for row in told] == [(event["t"], event["T"]) for event in trades[-100:]]


def test_a_stream_that_is_asked_for_again_goes_on_counting() -> None:
    load, ear = Range(1000), Ear()
    stream = parse(Market.SPOT, "btcusdt@aggTrade")
    for _ in range(2):
        load.hub.join(ear, Market.SPOT, stream)
        load.run(1)
        load.hub.leave(ear, Market.SPOT, stream.name)
    ids = [event["a"] for event in load.events(Market.SPOT, stream.name)]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) > 1500
