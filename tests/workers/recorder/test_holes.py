from fsnats.backfill.filler import Want
from fsnats.binance.streams import Market
from fsnats.store import Series, Span
from workers.recorder.holes import KEYS_MOST, Holes

TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")
BARS = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
MINUTE = 60_000


def test_what_lies_between_spans_is_wanted_when_it_is_there_twice() -> None:
    holes, known = Holes(), {TRADES: [Span(1, 5), Span(9, 10), Span(12, 20)]}
    assert holes.look(known) == []
    assert holes.look(known) == [Want(TRADES, Span(6, 8)), Want(TRADES, Span(11, 11))]
    assert holes.open == 2


def test_what_a_worker_brings_meanwhile_is_not_asked_for() -> None:
    holes = Holes()
    holes.look({TRADES: [Span(1, 5), Span(9, 10)]})
    assert holes.look({TRADES: [Span(1, 10)]}) == []
    assert holes.open == 0


def test_candles_are_missing_by_their_openings() -> None:
    holes, known = Holes(), {BARS: [Span(0, 2 * MINUTE), Span(5 * MINUTE, 9 * MINUTE)]}
    holes.look(known)
    assert holes.look(known) == [Want(BARS, Span(3 * MINUTE, 4 * MINUTE))]


def test_what_the_exchange_does_not_have_is_not_asked_for_again() -> None:
    holes, known = Holes(), {TRADES: [Span(1, 5), Span(9, 10)]}
    holes.look(known)
    holes.asked(holes.look(known))
    assert holes.look(known) == []
    assert holes.in_vain == 1
    holes.look({TRADES: [Span(1, 10)]})
    assert holes.in_vain == 0


def test_a_part_of_it_that_is_new_is_asked_for() -> None:
    holes = Holes()
    holes.look({TRADES: [Span(1, 5), Span(9, 10)]})
    holes.asked(holes.look({TRADES: [Span(1, 5), Span(9, 10)]}))
    holes.look({TRADES: [Span(1, 5), Span(7, 10)]})
    assert holes.look({TRADES: [Span(1, 5), Span(7, 10)]}) == [Want(TRADES, Span(6, 6))]


def test_what_is_too_large_is_left() -> None:
    holes, known = Holes(), {TRADES: [Span(1, 5), Span(KEYS_MOST + 7, KEYS_MOST + 9)]}
    holes.look(known)
    assert holes.look(known) == []
    assert holes.too_large == 1


def test_candles_that_were_over_before_a_start_are_wanted_at_once() -> None:
    known = {BARS: [Span(0, 2 * MINUTE)], TRADES: [Span(1, 5)], Series(Market.SPOT, "kline", "NEW", "1m"): []}
    assert Holes().begin(known, 5 * MINUTE + 30_000) == [Want(BARS, Span(3 * MINUTE, 4 * MINUTE))]
    assert Holes().begin(known, 3 * MINUTE + 30_000) == []


def test_without_two_spans_nothing_is_missing() -> None:
    assert Holes().look({TRADES: [], BARS: [Span(0, 0)]}) == []
