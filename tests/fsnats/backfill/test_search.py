import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsnats.backfill.search import candle_from, newest_trade, trade_from, trades_between
from fsnats.binance.streams import INTERVALS, Market
from fsnats.bus.memory import MemoryBus
from fsnats.candles.calendar import DAY, HOUR, MINUTE, opening
from fsnats.errors import ExchangeUnavailable
from fsnats.history import RestReply
from fsnats.store import Series, Span
from tests.fsnats.backfill.exchange import Exchange, asking

NOW = 1_795_000_000_000
START = 1_600_000_000_000


def series(market: Market, interval: str = "1m") -> Series:
    return Series(market, "kline", "BTCUSD_PERP" if market is Market.COINM else "BTCUSDT", interval)


@given(
    st.sampled_from(Market),
    st.sampled_from(INTERVALS),
    st.sets(st.integers(START // DAY, NOW // DAY - 1), max_size=4),
    st.integers(START - 10 * DAY, NOW),
)
@example(Market.COINM, "1m", {START // DAY}, START // DAY * DAY + HOUR)
async def test_the_first_candle_from_a_time_on_is_found(
    market: Market, interval: str, days: set[int], at_ms: int
) -> None:
    bus = MemoryBus()
    openings = {opening(interval, day * DAY + 10 * HOUR) for day in days}
    openings = {at for at in openings if at <= NOW}
    exchange = Exchange(bus, interval, openings, NOW)
    found = await candle_from(asking(bus), series(market, interval), at_ms, NOW)
    assert found == min((at for at in openings if at >= at_ms), default=None)
    assert len(exchange.asked) <= (2 if market is not Market.COINM else 14 + len(days))


async def test_nobody_pages_through_the_years_before_a_listing() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, "1m", [NOW // MINUTE * MINUTE - MINUTE], NOW)
    assert await candle_from(asking(bus), series(Market.USDM), 0, NOW) == exchange.openings[0]
    assert (len(exchange.asked), exchange.weight) == (1, 1)
    coinm = Exchange(bus := MemoryBus(), "1m", exchange.openings, NOW)
    assert await candle_from(asking(bus), series(Market.COINM), 0, NOW) == exchange.openings[0]
    assert len(coinm.asked) < 25


async def test_what_are_no_candles_is_not_taken_for_any() -> None:
    bus = MemoryBus()
    Exchange(bus).replies = [RestReply(200, b"{}")] * 3
    with pytest.raises(ExchangeUnavailable):
        await candle_from(asking(bus), series(Market.USDM), 0, NOW)
    with pytest.raises(ExchangeUnavailable):
        await newest_trade(asking(bus), TRADES)


TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")
steps = st.lists(st.tuples(st.integers(1, 3), st.sampled_from((0, 1, 5, 1000, 10**7))), max_size=60)


@given(steps, st.integers(0, 10**6), st.integers(-10, 3000), st.integers(1, 40))
async def test_the_first_trade_from_a_time_on_is_found_by_ids(
    steps: list[tuple[int, int]], first: int, offset: int, page: int
) -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, now_ms=NOW)
    number, at = first, START
    for ids, later in steps:
        for _ in range(page):  # trades that come in bursts, some ids of which do not exist
            number, at = number + ids, at + later
            exchange.trades[number] = at
    at_ms = START + offset * max(1, (at - START) // 1000)
    expected = min((each for each, time in exchange.trades.items() if time >= at_ms), default=None)
    assert await trade_from(asking(bus), TRADES, at_ms) == expected
    assert len(exchange.asked) <= 3 + 2 * 20


async def test_a_trade_of_yesterday_is_asked_for_by_its_time() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, now_ms=NOW)
    exchange.trades = {number: NOW - DAY + number * 1000 for number in range(100)}
    assert await trade_from(asking(bus), TRADES, NOW - DAY + 4500) == 5
    assert await trade_from(asking(bus), TRADES, NOW) is None
    assert len(exchange.asked) == 2
    newest = await newest_trade(asking(bus), TRADES)
    assert newest is not None
    assert newest.agg_id == 99


async def test_the_end_of_a_long_past_is_found_in_few_questions() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, now_ms=NOW)
    exchange.trades = {10_000 + number: START + number * 60_000 for number in range(50_000)}
    assert await trade_from(asking(bus), TRADES, START + 30_000 * 60_000) == 40_000
    assert len(exchange.asked) <= 6


async def test_trades_between_two_times_are_ids() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, now_ms=NOW)
    exchange.trades = {number: NOW - DAY + number * 1000 for number in range(100)}
    ask = asking(bus)
    assert await trades_between(ask, TRADES, NOW - DAY + 1, NOW - DAY + 5000) == Span(1, 4)
    assert await trades_between(ask, TRADES, NOW - DAY + 90_000, NOW) == Span(90, 99)
    assert await trades_between(ask, TRADES, NOW - DAY + 1001, NOW - DAY + 1002) is None
    assert await trades_between(ask, TRADES, NOW - HOUR, NOW) is None
