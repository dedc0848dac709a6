import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, Stream, parse
from workers.ingest.cadence import KNOWN, Pace, is_witness, rests_at_will, steady_pause, symbol_of, witnesses


def stream(name: str) -> Stream:
    market, _, rest = name.partition(":")
    return parse(Market(market), rest)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("usdm:btcusdt@markPrice", 3),
        ("usdm:btcusdt@markPrice@1s", 1),
        ("usdm:!markPrice@arr@1s", 1),
        ("coinm:btcusd@indexPrice", 3),
        ("spot:!miniTicker@arr", 1),
        ("usdm:!bookTicker", 5),
        ("coinm:!bookTicker", 5),
        ("usdm:tradingSession", 1),
        # Measured: two or three events a minute without any trade.
        ("spot:btcusdt@kline_1m", 30),
        ("spot:btcusdt@kline_1M", 30),
    ],
)
def test_some_types_speak_whatever_happens(name: str, seconds: float) -> None:
    assert steady_pause(stream(name)) == seconds


@pytest.mark.parametrize(
    "name",
    [
        "usdm:btcusdt@kline_1m",
        "spot:btcusdt@aggTrade",
        "spot:btcusdt@ticker",
        "spot:btcusdt@depth20@100ms",
        "usdm:btcusdt@compositeIndex",  # of a symbol that is no index it says nothing, ever
        "usdm:nopeusd@assetIndex",
        "usdm:btcusdt@forceOrder",
    ],
)
def test_others_speak_when_something_happened(name: str) -> None:
    assert steady_pause(stream(name)) is None


@pytest.mark.parametrize(
    ("name", "at_will"),
    [
        ("usdm:btcusdt@forceOrder", True),
        ("usdm:!forceOrder@arr", True),
        ("usdm:!contractInfo", True),
        ("spot:btcusdt@blockTrade", True),
        ("spot:btcusdt@referencePrice", True),
        ("spot:btcusdt@aggTrade", False),
    ],
)
def test_the_silence_of_some_is_always_normal(name: str, at_will: bool) -> None:
    assert rests_at_will(stream(name)) == at_will


def test_a_trade_moves_candles_tickers_and_books_but_books_move_without_trades() -> None:
    for name in ("kline_1m", "ticker", "miniTicker", "avgPrice", "bookTicker", "depth@100ms", "depth5", "trade"):
        assert "aggTrade" in witnesses(stream(f"spot:btcusdt@{name}")), name
    assert "bookTicker" in witnesses(stream("spot:btcusdt@depth"))
    for name in ("aggTrade", "kline_1m", "ticker", "bookTicker"):
        assert not witnesses(stream(f"spot:btcusdt@{name}")).keys() & {"bookTicker", "depth", "ticker"}, name


def test_spot_candles_prove_less_since_they_speak_without_trades_too() -> None:
    spot, futures = (witnesses(stream(f"{market}:btcusdt@aggTrade"))["kline"] for market in ("spot", "usdm"))
    assert spot > futures
    assert spot > 60 / 20  # a candle without trades speaks every 20 to 30 seconds


def test_what_speaks_by_the_clock_proves_nothing() -> None:
    names = ("usdm:btcusdt@markPrice", "spot:btcusdt@ticker", "spot:btcusdt@depth20", "spot:btcusdt@kline_1s")
    assert not any(is_witness(stream(name)) for name in names)
    assert is_witness(stream("spot:btcusdt@kline_5m"))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("spot:btcusdt@trade", "BTCUSDT"),
        ("usdm:btcusdt_perpetual@continuousKline_1m", "BTCUSDT"),
        ("coinm:btcusd_perpetual@continuousKline_1m", "BTCUSD_PERP"),
        ("coinm:btcusd_next_quarter@continuousKline_1m", ""),  # which date that is now is not in the name
        ("coinm:btcusd@indexPrice", ""),
        ("usdm:!miniTicker@arr", ""),
    ],
)
def test_witnesses_are_of_the_same_symbol(name: str, symbol: str) -> None:
    assert symbol_of(stream(name)) == symbol


def test_a_pace_is_known_after_it_was_heard_often_enough() -> None:
    pace = Pace()
    for number in range(KNOWN):
        assert pace.usual is None
        pace.looked(True)
        pace.paused(4.0 if number == 7 else 1.0, float(number))
    assert pace.usual == 4.0


def test_a_long_pause_is_forgotten_after_two_windows() -> None:
    pace = Pace(heard=KNOWN)
    pace.paused(90.0, 0)
    pace.paused(1.0, 1801)
    assert pace.usual == 90.0
    pace.paused(1.0, 3602)
    assert pace.usual == 1.0


def test_after_hours_of_silence_the_past_says_nothing_but_the_silence_does() -> None:
    pace = Pace(heard=KNOWN)
    pace.paused(90.0, 0)
    pace.paused(20_000.0, 20_000)
    pace.paused(1.0, 21_801)
    assert pace.usual == 20_000
    pace.paused(1.0, 30_000)
    assert pace.usual == 1.0


@given(st.lists(st.booleans(), max_size=200), st.integers(0, 60))
def test_the_newest_looks_are_remembered(looks: list[bool], newest: int) -> None:
    pace = Pace()
    for spoke in looks:
        pace.looked(spoke)
    assert pace.spoke_in(newest) == sum(looks[len(looks) - newest :] if newest < len(looks) else looks[-60:])
