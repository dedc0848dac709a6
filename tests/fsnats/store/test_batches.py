"""What a batch comes to before a database sees it."""

from fsnats.binance.streams import Market
from fsnats.store import Batch, Origin, RawFrame, Rows, Series, Span
from fsnats.store.batches import prepared
from tests.fsnats.store.rows import CANDLES, MINUTE, TRADES, candle, trade


def test_series_and_their_rows_are_in_order_each_once() -> None:
    spot = Series(Market.SPOT, "aggTrade", "BTCUSDT")
    batch = prepared(
        Batch(
            [
                Rows(TRADES, trades=[trade(2), trade(1)]),
                Rows(spot, trades=[trade(9)]),
                Rows(TRADES, Origin.FETCHED, trades=[trade(1, price="9"), trade(3)], covered=[Span(1, 3)]),
            ]
        )
    )
    assert list(batch.series) == [spot, TRADES]
    assert list(batch.series[TRADES].trades.values()) == [
        (trade(1), Origin.LIVE),
        (trade(2), Origin.LIVE),
        (trade(3), Origin.FETCHED),
    ]
    assert batch.series[TRADES].covered == [Span(1, 3)]


def test_of_the_states_of_a_candle_one_is_left() -> None:
    states = [candle(1, trades=1, closed=False), candle(1, trades=3, closed=False), candle(1, trades=2, closed=False)]
    batch = prepared(Batch([Rows(CANDLES, klines=states), Rows(CANDLES, klines=[candle(0)])]))
    assert batch.series[CANDLES].klines == {0: (candle(0), Origin.LIVE), MINUTE: (states[1], Origin.LIVE)}


def test_rows_of_nothing_make_no_series() -> None:
    assert prepared(Batch([Rows(CANDLES)])).series == {}


def test_a_frame_that_comes_again_is_passed_over() -> None:
    frames = [RawFrame(Market.SPOT, "btcusdt@trade", ns, 1, seq, 0, b"") for ns, seq in ((1, 1), (2, 2), (3, 1))]
    assert prepared(Batch(frames=frames)).frames == frames[:2]
