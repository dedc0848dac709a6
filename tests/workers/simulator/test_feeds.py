"""What streams say over time, with time moved by hand."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from fsnats.candles.calendar import span
from tests.workers.simulator.worlds import BTC, NOW, make_world
from workers.simulator.streams import build
from workers.simulator.world import World

WORLD = make_world()
EDGE = NOW // 60_000 * 60_000 + 60_000
SYMBOL = {Market.SPOT: "btcusdt", Market.USDM: "btcusdt", Market.COINM: "btcusd_perp"}
turns = st.lists(st.integers(1, 400), min_size=5, max_size=60)  # milliseconds between two looks


def said(market: Market, rest: str, start: int, gaps: list[int], world: World = WORLD) -> list[Any]:
    """Everything that a symbol's stream says when looked at after these gaps; each with the time it was said."""
    feed = build(world, parse(market, f"{SYMBOL[market]}@{rest}"), start)
    assert feed is not None
    events, now = [], start
    for gap in gaps:
        now += gap
        if feed.due <= now:
            events += [json.loads(payload) for payload in feed.produce(now)]
            assert feed.due > now
    return events


@given(st.sampled_from(Market), st.integers(EDGE - 5000, EDGE), turns)
def test_aggregate_trades_are_consecutive_and_of_the_past(market: Market, start: int, gaps: list[int]) -> None:
    events = said(market, "aggTrade", start, gaps)
    ids = [event["a"] for event in events]
    assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True
    assert all(before["l"] + 1 == after["f"] for before, after in pairwise(events))
    assert all(event["T"] <= event["E"] for event in events)


@given(st.sampled_from(Market), st.integers(EDGE - 5000, EDGE), turns)
def test_trades_are_consecutive(market: Market, start: int, gaps: list[int]) -> None:
    ids = [event["t"] for event in said(market, "trade", start, gaps)]
    assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True


@given(st.sampled_from(Market), st.sampled_from(["depth", "depth@100ms"]), st.integers(EDGE - 5000, EDGE), turns)
@settings(deadline=None)
def test_depth_chains_without_gaps(market: Market, rest: str, start: int, gaps: list[int]) -> None:
    events = said(market, rest, start, gaps)
    for before, after in pairwise(events):
        if market is Market.SPOT:
            assert after["U"] == before["u"] + 1
        else:
            assert after["pu"] == before["u"]


@pytest.mark.parametrize("market", Market)
def test_two_readers_of_a_depth_stream_hear_the_same(market: Market) -> None:
    early = said(market, "depth@100ms", EDGE, [100] * 50)
    late = said(market, "depth@100ms", EDGE + 2000, [100] * 30)
    assert early[-len(late) :] == late
    assert late


@pytest.mark.parametrize("market", Market)
def test_best_prices_are_told_when_they_change_with_rising_ids(market: Market) -> None:
    events = said(market, "bookTicker", EDGE, [50] * 100)
    ids = [event["u"] for event in events]
    assert ids == sorted(set(ids))
    assert all((one["b"], one["B"], one["A"]) != (two["b"], two["B"], two["A"]) for one, two in pairwise(events))


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("tick", [10, 50, 700, 2500])
def test_a_candle_is_closed_once_just_after_its_end(market: Market, tick: int) -> None:
    events = said(market, "kline_1m", EDGE - 3000, [tick] * (6000 // tick))
    closing = [event for event in events if event["k"]["x"]]
    assert len(closing) == 1
    assert closing[0]["k"]["T"] == EDGE - 1
    assert EDGE <= closing[0]["E"] <= EDGE + tick + 3
    opens = [event["k"]["t"] for event in events]
    assert opens == sorted(opens)
    assert all(event["k"]["t"] == EDGE for event in events[events.index(closing[0]) + 1 :])


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("interval", ["1m", "3m", "1h", "1d", "1w", "1M"])
def test_a_closing_candle_is_the_row_that_the_model_has(market: Market, interval: str) -> None:
    _, stop = span(interval, NOW)
    (closing,) = [event["k"] for event in said(market, f"kline_{interval}", stop - 500, [100] * 10) if event["k"]["x"]]
    instrument = BTC[market]
    bar = WORLD.bars.between(instrument, span(interval, NOW)[0], stop)
    assert closing["o"] == instrument.price(bar.open)
    assert closing["c"] == instrument.price(bar.close)
    assert closing["v"] == instrument.quantity(bar.volume)
    assert closing["q"] == instrument.turnover(bar.quote)
    assert (closing["f"], closing["L"], closing["n"]) == (bar.first, bar.last, bar.count)


def test_an_open_candle_only_grows() -> None:
    candles = [event["k"] for event in said(Market.USDM, "kline_5m", EDGE, [250] * 400)]
    counts = [candle["n"] for candle in candles if candle["t"] == candles[-1]["t"]]
    assert counts == sorted(counts)
    assert len(set(counts)) > 100


def test_streamed_trades_build_the_streamed_candle() -> None:
    trades = [
        event for event in said(Market.USDM, "aggTrade", EDGE - 1, [100] * 605) if EDGE <= event["T"] < EDGE + 60_000
    ]
    (candle,) = [event["k"] for event in said(Market.USDM, "kline_1m", EDGE, [100] * 605) if event["k"]["x"]]
    prices = [float(trade["p"]) for trade in trades]
    assert float(candle["o"]) == prices[0]
    assert float(candle["c"]) == prices[-1]
    assert float(candle["h"]) == max(prices)
    assert float(candle["l"]) == min(prices)
    assert round(float(candle["v"]), 3) == round(sum(float(trade["q"]) for trade in trades), 3)
    assert (candle["f"], candle["L"]) == (trades[0]["f"], trades[-1]["l"])


def test_a_day_in_beijing_is_told_apart_by_its_times_only() -> None:
    (utc, *_), (beijing, *_) = (said(Market.SPOT, f"kline_1d{zone}", NOW, [2000]) for zone in ("", "@+08:00"))
    assert beijing["k"].keys() == utc["k"].keys()
    assert utc["k"]["t"] - beijing["k"]["t"] == 8 * 3_600_000


def test_a_jump_of_the_clock_ends_the_candle_and_goes_on() -> None:
    feed = build(WORLD, parse(Market.SPOT, "btcusdt@kline_1m"), NOW)
    assert feed is not None
    feed.produce(NOW)
    later = [json.loads(payload) for payload in feed.produce(NOW + 86_400_000)]
    assert later[0]["k"]["x"]
    assert later[-1]["k"]["t"] == span("1m", NOW + 86_400_000)[0]
    assert len(later) < 200


@pytest.mark.parametrize(
    ("market", "rest", "per_minute"),
    [
        (Market.SPOT, "kline_1h", 30),
        (Market.USDM, "kline_1h", 240),
        (Market.SPOT, "miniTicker", 60),
        (Market.USDM, "ticker", 30),
        (Market.COINM, "ticker", 120),
        (Market.USDM, "markPrice", 20),
        (Market.USDM, "markPrice@1s", 60),
        (Market.SPOT, "depth20", 60),
        (Market.USDM, "depth20@500ms", 120),
    ],
)
def test_cadences_are_the_documented_ones(market: Market, rest: str, per_minute: int) -> None:
    assert abs(len(said(market, rest, EDGE + 1, [50] * 1200)) - per_minute) <= 1
