from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.candles.calendar import MINUTE
from fsnats.candles.candle import Candle
from fsnats.candles.live import merged
from fsnats.candles.trades import Trade, traded
from fsnats.errors import Unusable
from fsnats.store import KlineData, Origin, Rows, Series
from tests.fsnats.candles.test_live import events, minute
from workers.recorder.chain import Chain, TradeChain, kline_of

BARS = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")
DAY = 30_000_000 // 1440 * 1440  # the number of a minute at which a day begins


def told(rows: list[Rows]) -> dict[str, list[tuple[int, int, bool]]]:
    """By interval: opening in minutes, trades, and whether it is closed."""
    return {
        each.series.interval: [(k.start_time // MINUTE - DAY, k.number_of_trades, k.is_closed) for k in each.klines]
        for each in rows
    }


def test_longer_candles_are_made_of_the_longest_that_fill_them() -> None:
    chain = Chain(BARS, ["1M", "3m", "1h", "15m", "1w", "1d"])
    assert [(link.series.interval, link.lower.interval) for link in chain.links] == [
        ("3m", "1m"), ("15m", "3m"), ("1h", "15m"), ("1d", "1h"), ("1w", "1d"), ("1M", "1d"),
    ]  # fmt: skip
    hours = Chain(Series(Market.SPOT, "kline", "BTCUSDT", "1h"), ["1m", "1d"])
    assert [link.series.interval for link in hours.links] == ["1d"]


def test_a_candle_is_told_when_it_closes_and_open_ones_when_they_are_asked_for() -> None:
    chain = Chain(BARS, ["3m", "15m"])
    for number in range(4):
        chain.feed(minute(DAY + number, 2))
    chain.feed(minute(DAY + 4, 1, closed=False))
    assert told(list(chain.rows(opened=False))) == {"3m": [(0, 6, True)]}
    assert told(list(chain.rows(opened=True))) == {"3m": [(3, 3, False)], "15m": [(0, 9, False)]}
    assert told(list(chain.rows(opened=True))) == {}, "nothing is new"


def test_what_is_told_proves_what_is_over() -> None:
    chain = Chain(BARS, ["3m"])
    for number in range(7):
        chain.feed(minute(DAY + number))
    (rows,) = chain.rows(opened=True)
    assert rows.origin is Origin.MADE
    assert [(span.first // MINUTE - DAY, span.last // MINUTE - DAY) for span in rows.covered] == [(0, 3)]


def test_a_candle_of_which_something_is_missing_is_not_told_before_that_comes() -> None:
    chain = Chain(BARS, ["3m", "15m"])
    for number in (0, 2, 3, 4):
        chain.feed(minute(DAY + number))
    assert told(list(chain.rows(opened=True))) == {"3m": [(3, 2, False)]}
    assert chain.partial
    chain.feed(minute(DAY + 1))
    assert told(list(chain.rows(opened=False))) == {"3m": [(0, 3, True)]}


def test_primed_with_what_is_stored_it_goes_on_where_it_was() -> None:
    chain = Chain(BARS, ["3m", "15m"])
    chain.prime(chain.links[0], [minute(DAY + number) for number in (3, 4)])
    threes = Chain(BARS, ["3m"])
    for number in range(3):
        threes.feed(minute(DAY + number))
    (closed,) = threes._closed[threes.links[0].series]
    chain.prime(chain.links[1], [closed])
    for number in (4, 5):
        chain.feed(minute(DAY + number))
    assert told(list(chain.rows(opened=True))) == {"3m": [(3, 3, True)], "15m": [(0, 6, False)]}


def trades(count: int, first: int = 0) -> list[Trade]:
    return [
        Trade(Decimal("1.50"), Decimal("0.20"), number, number, 1_795_000_000_000 + number * 300, number % 2 == 0)
        for number in range(first, first + count)
    ]


def test_trades_make_the_shortest_and_that_makes_the_longer_ones() -> None:
    chain, told = TradeChain(TRADES, ["1m", "1s", "5m"]), trades(3000, first=7)
    chain.feed(told)
    found = {each.series.interval: each for each in chain.rows(opened=True)}
    assert {each.series.kind for each in found.values()} == {"kline"}
    assert found.keys() == {"1s", "1m", "5m"}
    for interval, each in found.items():
        exact = [candle for candle in traded(told, Market.SPOT, interval) if not candle.missing]
        assert list(each.klines) == [kline_of(candle, interval) for candle in exact]


def test_trades_whose_times_go_back_are_counted() -> None:
    chain = TradeChain(TRADES, ["1s"])
    chain.feed([*trades(3), Trade(Decimal(1), Decimal(1), 3, 3, 5, False)])
    assert chain.unusable == 1


def test_coinm_is_not_made_of_trades() -> None:
    with pytest.raises(Unusable):
        TradeChain(Series(Market.COINM, "aggTrade", "BTCUSD_PERP"), ["1m"])


def whole(pieces: list[Candle], interval: str) -> dict[int, KlineData]:
    """The candles that are known in full once all pieces have come, in order."""
    closed = sorted({piece.open_ms: piece for piece in pieces if piece.closed}.values(), key=lambda each: each.open_ms)
    return {each.open_ms: kline_of(each, interval) for each in merged(closed, "1m", interval) if each.whole}


@given(events(), st.lists(st.integers(0, 6), max_size=40))
def test_what_is_told_is_what_all_at_once_makes(pieces: list[Candle], looks: list[int]) -> None:
    chain = Chain(BARS, ["3m", "5m", "15m", "1h"])
    last: dict[tuple[str, int], KlineData] = {}

    def look(opened: bool) -> None:
        for rows in chain.rows(opened=opened):
            last.update({(rows.series.interval, kline.start_time): kline for kline in rows.klines})

    for number, piece in enumerate(pieces):
        chain.feed(piece)
        if number in looks:
            look(opened=number % 2 == 0)
    look(opened=True)
    for interval in ("3m", "5m", "15m", "1h"):
        closed = {at: kline for (of, at), kline in last.items() if of == interval and kline.is_closed}
        exact = whole(pieces, interval)
        assert closed == exact
