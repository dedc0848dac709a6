"""Reading ranges, of every store there is."""

from fsnats.binance.streams import Market
from fsnats.candles.calendar import MINUTE
from fsnats.history import Missing
from fsnats.store import Batch, Origin, Rows, Series, Span, Store
from fsnats.store.forms import kline_of, trade_of
from fsnats.store.reading import (
    candles,
    first_trade,
    pages_of_candles,
    pages_of_trades,
    source_of,
    unknown_candles,
    unknown_trades,
)
from tests.fsnats.cli.test_export import START, bar
from tests.workers.history.shelves import deal_of

MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
HOURS = Series(Market.USDM, "kline", "BTCUSDT", "1h")
TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")


async def keep(store: Store, first: int, last: int) -> None:
    klines = [kline_of(bar(number), "1m") for number in range(first, last + 1)]
    covered = [Span(START + first * MINUTE, START + last * MINUTE)]
    await store.write(Batch([Rows(MINUTES, Origin.FETCHED, klines=klines, covered=covered)]))


async def keep_trades(store: Store, first: int, last: int) -> None:
    trades = [trade_of(deal_of(START, key), "BTCUSDT") for key in range(first, last + 1)]
    await store.write(Batch([Rows(TRADES, Origin.FETCHED, trades=trades, covered=[Span(first, last)])]))


async def test_a_range_comes_page_by_page(store: Store) -> None:
    await keep(store, 0, 99)
    pages = [page async for page in pages_of_candles(store, MINUTES, START + MINUTE, START + 95 * MINUTE, page=30)]
    assert [len(page) for page in pages] == [30, 30, 30, 5]
    assert [row for page in pages for row in page] == [bar(number) for number in range(1, 96)]
    assert (await candles(store, MINUTES, START, START + 29 * MINUTE, 30))[1] is None


async def test_what_is_not_known_is_told_in_openings(store: Store) -> None:
    await keep(store, 10, 19)
    await keep(store, 30, 99)
    assert await unknown_candles(store, MINUTES, START + 1, START + 40 * MINUTE + 5) == [
        Missing(START + MINUTE, START + 9 * MINUTE),
        Missing(START + 20 * MINUTE, START + 29 * MINUTE),
    ]
    assert await unknown_candles(store, MINUTES, START + 1, START + 2) == []


async def test_hours_are_made_of_minutes_as_long_as_none_is_stored(store: Store) -> None:
    assert await source_of(store, HOURS) == HOURS
    await keep(store, 0, 150)
    await keep(store, 170, 300)
    assert await source_of(store, HOURS) == MINUTES
    hours = [page async for page in pages_of_candles(store, HOURS, START, START + 239 * MINUTE, page=1)]
    assert [row.t - START for page in hours for row in page] == [0, 60 * MINUTE, 180 * MINUTE]
    assert hours[0][0].v == "420.0"
    assert await unknown_candles(store, HOURS, START, START + 239 * MINUTE) == [
        Missing(START + 120 * MINUTE, START + 120 * MINUTE)
    ]
    rows, goes_on = await candles(store, HOURS, START, START + 239 * MINUTE, 2)
    assert (len(rows), goes_on) == (2, START + 120 * MINUTE)


async def test_a_range_is_read_of_one_series_whatever_comes_meanwhile(store: Store) -> None:
    await keep(store, 0, 300)
    hours = []
    async for page in pages_of_candles(store, HOURS, START, START + 239 * MINUTE, page=1):
        hours += [row.t - START for row in page]
        await store.write(Batch([Rows(HOURS, Origin.FETCHED, covered=[Span(START, START)])]))
    assert hours == [0, 60 * MINUTE, 120 * MINUTE, 180 * MINUTE]


async def test_trades_between_two_times(store: Store) -> None:
    await keep_trades(store, 10, 99)
    pages = [page async for page in pages_of_trades(store, TRADES, START + 20 * 500, START + 50 * 500, page=20)]
    assert [row.a for page in pages for row in page] == list(range(20, 51))
    assert [page async for page in pages_of_trades(store, TRADES, START + 500 * 500, START + 600 * 500)] == []


async def test_what_is_not_known_of_trades(store: Store) -> None:
    await keep_trades(store, 10, 19)
    await keep_trades(store, 30, 39)
    assert await unknown_trades(store, TRADES, START, START + 100 * 500) == [
        Missing(START, START + 10 * 500),
        Missing(20, 29, "a"),
        Missing(START + 39 * 500, START + 100 * 500),
    ]
    assert await unknown_trades(store, TRADES, START + 11 * 500, START + 18 * 500) == []
    assert await unknown_trades(store, TRADES, START + 50 * 500, START + 60 * 500) == [
        Missing(START + 50 * 500, START + 60 * 500)
    ]


async def test_the_first_trade_is_known_by_the_one_before_it(store: Store) -> None:
    await keep_trades(store, 10, 19)
    assert await first_trade(store, TRADES, START) is None
    found = await first_trade(store, TRADES, START + 12 * 500)
    assert found is not None
    assert found.agg_id == 12
    await keep_trades(store, 0, 9)
    found = await first_trade(store, TRADES, 0)
    assert found is not None
    assert found.agg_id == 0
