from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.store import KlineData, Origin, RawAggTrade, RawFrame, Rows, Series, Span
from workers.recorder.sheet import Sheet, of_candles, of_ids

KLINES = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")
MINUTE = 60_000


def kline(minute: int, *, closed: bool = True, trades: int = 10) -> KlineData:
    start = minute * MINUTE
    return KlineData(start, start + MINUTE - 1, "1m", 1, 2, "1", "1", "1", "1", "1", trades, closed, "1", "1", "1")


def trade(number: int) -> RawAggTrade:
    return RawAggTrade("BTCUSDT", "1", "1", 1000 + number, number, number, number, False)


def rows_of(sheet: Sheet) -> list[Rows]:
    return list(sheet.batch().rows)


def test_of_the_states_of_an_open_candle_the_last_one_is_written() -> None:
    sheet = Sheet()
    for trades in (1, 5, 9):
        sheet.add(KLINES, Origin.LIVE, kline(1, closed=False, trades=trades))
    sheet.add(KLINES, Origin.LIVE, kline(1, closed=False, trades=5))
    assert rows_of(sheet) == [Rows(KLINES, klines=[kline(1, closed=False, trades=9)], covered=[])]


def test_a_closed_candle_is_not_opened_again() -> None:
    sheet = Sheet()
    sheet.add(KLINES, Origin.LIVE, kline(1, trades=9))
    sheet.add(KLINES, Origin.LIVE, kline(1, closed=False, trades=12))
    assert rows_of(sheet) == [Rows(KLINES, klines=[kline(1, trades=9)], covered=[Span(MINUTE, MINUTE)])]


def test_candles_that_follow_one_another_prove_that_nothing_is_missing_between_them() -> None:
    sheet = Sheet()
    for minute in (2, 1, 3, 7, 8):
        sheet.add(KLINES, Origin.LIVE, kline(minute))
    sheet.add(KLINES, Origin.LIVE, kline(9, closed=False))
    (rows,) = rows_of(sheet)
    assert rows.covered == [Span(MINUTE, 3 * MINUTE), Span(7 * MINUTE, 8 * MINUTE)]


def test_an_open_candle_proves_nothing_and_parts_what_lies_beside_it() -> None:
    assert of_candles([kline(1), kline(2, closed=False), kline(3)]) == [
        Span(MINUTE, MINUTE),
        Span(3 * MINUTE, 3 * MINUTE),
    ]


def test_a_hole_in_the_ids_of_trades_is_not_covered() -> None:
    sheet = Sheet()
    for number in (5, 6, 9, 10):
        sheet.add(TRADES, Origin.LIVE, trade(number))
    for number in (7, 6):
        sheet.add(TRADES, Origin.RECOVERED, trade(number))
    assert rows_of(sheet) == [
        Rows(TRADES, Origin.LIVE, trades=list(map(trade, (5, 6, 9, 10))), covered=[Span(5, 6), Span(9, 10)]),
        Rows(TRADES, Origin.RECOVERED, trades=list(map(trade, (6, 7))), covered=[Span(6, 7)]),
    ]


def test_raw_frames_are_written_in_their_order() -> None:
    sheet = Sheet()
    frames = [RawFrame(Market.SPOT, "btcusdt@depth", 1, 1, seq, 0, b"{}") for seq in (1, 2)]
    for frame in frames:
        sheet.keep(frame)
    assert sheet.batch().frames == frames


@given(st.sets(st.integers(0, 60)))
def test_spans_hold_exactly_the_ids_that_came(ids: set[int]) -> None:
    spans = of_ids(sorted(ids))
    assert {number for span in spans for number in range(span.first, span.last + 1)} == ids
    assert all(after.first > before.last + 1 for before, after in pairwise(spans))


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_spans_hold_exactly_the_candles_that_closed(closed: set[int], opened: set[int]) -> None:
    klines = [kline(minute, closed=minute in closed) for minute in sorted(closed | opened)]
    covered = {start // MINUTE for span in of_candles(klines) for start in range(span.first, span.last + 1, MINUTE)}
    assert covered == closed
