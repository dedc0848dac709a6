from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.backfill.keys import after, count, further
from fsnats.backfill.pages import (
    COINM_RANGE,
    Answer,
    Page,
    one_page,
    page_rows,
    pages,
    read,
    request,
)
from fsnats.binance.limits import KLINES_LIMIT
from fsnats.binance.streams import INTERVALS, Market
from fsnats.binance.weights import weight_of
from fsnats.candles.calendar import DAY, MINUTE
from fsnats.store import Series, Span
from tests.fsnats.backfill.exchange import candle, candle_row

MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")
START = 1_700_000_040_000  # a minute begins


def weight(series: Series, hole: Span) -> int:
    return sum(weight_of(series.market, *request(series, page)) for page in pages(series, hole))


def test_pages_are_as_large_as_costs_least_by_the_row() -> None:
    assert page_rows(Market.SPOT, "kline", "1m") == 1000
    assert page_rows(Market.USDM, "kline", "1m") == page_rows(Market.COINM, "continuousKline", "1m") == 499
    assert page_rows(Market.COINM, "kline", "1d") == 201
    assert page_rows(Market.COINM, "kline", "1M") == 6
    assert page_rows(Market.USDM, "aggTrade", "") == 1000


@given(st.sampled_from((Market.SPOT, Market.USDM)), st.integers(1, 4000))
def test_no_other_pages_cost_less(market: Market, number: int) -> None:
    series = Series(market, "kline", "BTCUSDT", "1m")
    most = KLINES_LIMIT[market]
    costs = [(rows, weight_of(market, "klines", {"limit": rows})) for rows in (99, 499, 1000, most)]
    best = [0] * (number + 1)
    for rows in range(1, number + 1):
        best[rows] = min(best[max(0, rows - size)] + cost for size, cost in costs if size <= most)
    assert weight(series, Span(START, further(series, START, number - 1))) == best[number]


@given(st.sampled_from(Market), st.sampled_from(INTERVALS), st.integers(1, 3000))
def test_pages_follow_one_another_and_fill_the_hole(market: Market, interval: str, number: int) -> None:
    series = Series(market, "kline", "BTCUSDT", interval)
    first = after(series, START)
    hole = Span(first, further(series, first, number - 1))
    found = list(pages(series, hole))
    assert (found[0].span.first, found[-1].span.last) == (hole.first, hole.last)
    assert all(after(series, one.span.last) == other.span.first for one, other in pairwise(found))
    assert sum(page.keys for page in found) == number
    assert all(page.keys == count(series, page.span) <= KLINES_LIMIT[market] for page in found)
    if market is Market.COINM:
        assert all(page.span.last - page.span.first <= COINM_RANGE for page in found)


def test_requests_name_what_the_exchange_wants_to_hear() -> None:
    span = Span(START, START + MINUTE)
    assert request(MINUTES, one_page(MINUTES, span)) == (
        "klines",
        {"symbol": "BTCUSDT", "interval": "1m", "startTime": str(START), "endTime": str(span.last), "limit": "2"},
    )
    series = Series(Market.USDM, "continuousKline", "TSLAUSDT_TRADIFI_PERPETUAL", "1d")
    method, asked = request(series, one_page(series, Span(DAY, DAY)))
    assert (method, asked["pair"], asked["contractType"]) == ("continuousKlines", "TSLAUSDT", "TRADIFI_PERPETUAL")
    assert request(TRADES, Page(Span(7, 9), 3)) == ("aggTrades", {"symbol": "BTCUSDT", "fromId": "7", "limit": "3"})


def answer(*minutes: int, page: tuple[int, int] = (0, 4)) -> Answer:
    body = msgspec.json.encode([candle_row(MINUTES, START + each * MINUTE) for each in minutes])
    return read(MINUTES, one_page(MINUTES, span(*page)), body)


def span(first: int, last: int) -> Span:
    return Span(START + first * MINUTE, START + last * MINUTE)


def test_rows_that_reach_the_end_cover_the_page_with_what_is_missing_in_it() -> None:
    said = answer(1, 2, 4)
    assert list(said.klines) == [candle(MINUTES, START + each * MINUTE) for each in (1, 2, 4)]
    assert (said.covered, said.rest) == (span(0, 4), None)


def test_what_lies_behind_the_last_row_is_not_known() -> None:
    assert (answer(0, 1).covered, answer(0, 1).rest) == (span(0, 1), span(2, 4))
    assert (answer().covered, answer().rest) == (None, span(0, 4))


def test_rows_in_any_order_and_of_other_pages_do_no_harm() -> None:
    said = answer(5, 3, 2, -1, 4)
    assert [row.start_time for row in said.klines] == [START + each * MINUTE for each in (2, 3, 4)]
    assert said.covered == span(0, 4)


def trades(*ids: int) -> Answer:
    rows = [{"a": a, "p": "1.50", "q": "2", "f": a, "l": a, "T": 5, "m": True, "nq": "2"} for a in ids]
    return read(TRADES, Page(Span(10, 14), 5), msgspec.json.encode(rows))


def test_a_later_trade_proves_that_those_before_it_are_not_there() -> None:
    assert [row.agg_id for row in trades(12, 14).trades] == [12, 14]
    assert (trades(12, 14).covered, trades(12, 14).rest) == (Span(10, 14), None)
    gone = trades(20, 21)
    assert (gone.trades, gone.covered, gone.rest, gone.following) == ([], Span(10, 14), None, 20)
    assert (trades(10, 11).covered, trades(10, 11).rest) == (Span(10, 11), Span(12, 14))
    assert trades().rest == Span(10, 14)


@pytest.mark.parametrize("body", [b"{}", b"[[1]]", b'[{"a":1}]', b"<html>"])
@pytest.mark.parametrize("series", [MINUTES, TRADES])
def test_what_is_no_row_is_not_taken_for_one(series: Series, body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(series, Page(Span(0, 1), 2), body)


def test_numbers_stay_as_they_were_written() -> None:
    row: list[Any] = [START, "1.10", "2.000", "0.50", "1", "0.00100", START + 59_999, "15.0", 3, "4.00", "6", "0"]
    (kline,) = read(MINUTES, one_page(MINUTES, span(0, 0)), msgspec.json.encode([row])).klines
    assert (kline.open, kline.high, kline.low, kline.close) == ("1.10", "2.000", "0.50", "1")
    assert (kline.volume, kline.quote_volume, kline.taker_buy_volume) == ("0.00100", "15.0", "4.00")
    assert (kline.first_trade_id, kline.last_trade_id, kline.is_closed) == (-1, -1, True)
