"""Every stream type of the exchange has something to say, under its own name, and nothing else does."""

import json
from typing import Any

import pytest

from fsnats.binance.streams import CONTRACT_TYPES, INTERVALS, Market, parse
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.streams import build

WORLD = make_world()

SPOT = [
    *("aggTrade", "trade", "blockTrade", "kline_1s", "kline_1m", "kline_1M", "kline_1d@+08:00", "miniTicker", "ticker"),
    *("ticker_1h", "ticker_4h", "ticker_1d", "bookTicker", "avgPrice", "referencePrice", "depth5", "depth10@100ms"),
    *("depth20", "depth", "depth@100ms"),
]
USDM = [
    *("aggTrade", "trade", "kline_1m", "markPrice", "markPrice@1s", "miniTicker", "ticker", "forceOrder", "bookTicker"),
    *("depth5", "depth10@500ms", "depth20@100ms", "depth", "depth@500ms", "depth@0ms", "rpiDepth@500ms"),
]
COINM = [rest for rest in USDM if rest != "rpiDepth@500ms"] + ["markPriceKline_1m"]
NAMES = [
    *((Market.SPOT, f"btcusdt@{rest}") for rest in SPOT),
    *((Market.USDM, f"btcusdt@{rest}") for rest in USDM),
    *((Market.COINM, f"btcusd_perp@{rest}") for rest in COINM),
    *((Market.USDM, f"{pair}@continuousKline_1s") for pair in ("btcusdt_perpetual", "btcusdt_current_quarter")),
    *((Market.USDM, name) for name in ("tslausdt_tradifi_perpetual@continuousKline_1m", "defiusdt@compositeIndex")),
    *((Market.COINM, f"btcusd{rest}") for rest in ("@markPrice@1s", "@indexPrice", "@indexPriceKline_1m")),
    (Market.COINM, "btcusd_next_quarter@continuousKline_1m"),
    *((Market.SPOT, name) for name in ("!miniTicker@arr", "!ticker_1h@arr", "!ticker_1d@arr", "币安人生usdt@trade")),
    *((Market.USDM, name) for name in ("!markPrice@arr", "!markPrice@arr@1s", "!assetIndex@arr", "tradingSession")),
    *(
        (market, name)
        for market in (Market.USDM, Market.COINM)
        for name in ("!miniTicker@arr", "!ticker@arr", "!bookTicker", "!forceOrder@arr")
    ),
    (Market.USDM, "btcusd@assetIndex"),
    (Market.USDM, "人生k线usdt@aggTrade"),
]


def speak(market: Market, name: str) -> list[Any]:
    """What a stream says first, within five minutes."""
    feed = build(WORLD, parse(market, name), NOW)
    assert feed is not None
    while feed.due < NOW + 300_000:
        said = feed.produce(feed.due)
        if said:
            return [json.loads(payload) for payload in said]
    return []


@pytest.mark.parametrize(("market", "name"), NAMES, ids=str)
def test_every_stream_type_speaks(market: Market, name: str) -> None:
    (first, *_) = speak(market, name)
    stream = parse(market, name)
    if isinstance(first, dict) and "s" in first and stream.subject.isascii() and stream.subject:
        assert first["s"] == stream.subject


@pytest.mark.parametrize(
    ("market", "name"),
    [
        (Market.SPOT, "nosuchusdt@trade"),
        (Market.SPOT, "luncusdt@trade"),
        (Market.USDM, "omgusdt@kline_1m"),
        (Market.USDM, "btcusdt@compositeIndex"),
        (Market.USDM, "solusdt_current_quarter@continuousKline_1m"),
        (Market.USDM, "nosuch@assetIndex"),
        (Market.COINM, "nosuch@markPrice"),
        (Market.USDM, "!contractInfo"),
    ],
)
def test_what_is_not_there_or_does_not_trade_is_silent(market: Market, name: str) -> None:
    assert build(WORLD, parse(market, name), NOW) is None


@pytest.mark.parametrize("interval", INTERVALS)
def test_all_intervals_are_named_in_the_candle(interval: str) -> None:
    for market, symbol in ((Market.SPOT, "btcusdt"), (Market.USDM, "btcusdt"), (Market.COINM, "btcusd_perp")):
        (candle, *_) = speak(market, f"{symbol}@kline_{interval}")
        assert candle["k"]["i"] == interval


@pytest.mark.parametrize("market", [Market.USDM, Market.COINM])
@pytest.mark.parametrize("name", ["!miniTicker@arr", "!ticker@arr"])
def test_arrays_of_both_futures_hosts_hold_both_markets(market: Market, name: str) -> None:
    (rows,) = speak(market, name)
    assert {row["st"] for row in rows} == {1, 2}


def test_arrays_hold_only_what_traded_since() -> None:
    (rows,) = speak(Market.SPOT, "!miniTicker@arr")
    assert 0 < len(rows) < len(WORLD.exchange.trading(Market.SPOT))


def test_mark_prices_come_in_two_frames_with_tradfi_apart() -> None:
    others, stocks = speak(Market.USDM, "!markPrice@arr@1s")
    assert {row["s"] for row in stocks} == {"TSLAUSDT", "NVDAUSDT", "XAUUSDT"}
    assert {row["st"] for row in others} == {1, 2}


def test_a_pair_of_coinm_is_the_array_of_its_contracts() -> None:
    (rows,) = speak(Market.COINM, "btcusd@markPrice")
    assert [row["s"] for row in rows] == ["BTCUSD_PERP", "BTCUSD_261225", "BTCUSD_270326"]
    assert [row["r"] == "" and row["T"] == 0 for row in rows] == [False, True, True]


def test_contract_types_are_those_of_the_grammar() -> None:
    contracts = {each.contract.lower() for each in WORLD.exchange.all(Market.USDM)}
    assert contracts == set(CONTRACT_TYPES)
