import pytest

from fsnats import recording
from fsnats.binance.streams import Market, parse
from fsnats.errors import Unusable
from fsnats.recording import Wish
from fsnats.symbols import Listing, Symbol

LISTING = Listing(
    Market.USDM,
    0,
    False,
    [
        Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING"),
        Symbol("BTCUSDT_261225", "BTCUSDT", "CURRENT_QUARTER", "TRADING"),
        Symbol("ETHBTC", "ETHBTC", "PERPETUAL", "TRADING"),
        Symbol("TSLAUSDT", "TSLAUSDT", "TRADIFI_PERPETUAL", "TRADING"),
        Symbol("OLDUSDT", "OLDUSDT", "PERPETUAL", "SETTLING"),
    ],
)


def streams(text: str) -> list[str]:
    return [stream.name for stream in recording.streams(recording.read(text), LISTING)]


def wish(stream: str, *entries: str, market: Market = Market.USDM) -> Wish:
    return recording.wish([recording.read(entry) for entry in entries], parse(market, stream))


def test_a_star_asks_for_every_symbol_that_trades() -> None:
    assert streams("usdm:*@aggTrade") == [
        "btcusdt@aggTrade",
        "btcusdt_261225@aggTrade",
        "ethbtc@aggTrade",
        "tslausdt@aggTrade",
    ]
    assert streams("usdm:*usdt@kline_1m") == ["btcusdt@kline_1m", "tslausdt@kline_1m"]
    assert streams("usdm:OLDUSDT@aggTrade") == []


def test_continuous_candles_are_asked_of_contracts_that_are_listed() -> None:
    assert streams("usdm:*@continuousKline_1m") == [
        "btcusdt_perpetual@continuousKline_1m",
        "ethbtc_perpetual@continuousKline_1m",
        "tslausdt_tradifi_perpetual@continuousKline_1m",
    ]
    assert streams("usdm:*_current_quarter@continuousKline_1m") == ["btcusdt_current_quarter@continuousKline_1m"]


def test_it_can_be_limited_to_some_symbols() -> None:
    only = {"BTCUSDT"}
    for entry, wanted in (
        ("usdm:*@aggTrade", ["btcusdt@aggTrade"]),
        ("usdm:*@continuousKline_1m", ["btcusdt_perpetual@continuousKline_1m"]),
        ("usdm:ethbtc@aggTrade", []),
        ("usdm:ethbtc_perpetual@continuousKline_1m", []),
    ):
        assert [stream.name for stream in recording.streams(recording.read(entry), LISTING, only)] == wanted


@pytest.mark.parametrize("entry", ["usdm:*@aggTrade", "usdm:*@continuousKline_1m", "usdm:*usdt@kline_1m"])
def test_what_is_asked_for_is_what_is_kept(entry: str) -> None:
    assert streams(entry)
    for name in streams(entry):
        assert wish(name, entry) == Wish(rows=True, raw=False)


def test_what_is_not_named_is_not_kept() -> None:
    assert wish("ethbtc@kline_1m", "usdm:*usdt@kline_1m") == Wish(False, False)
    assert wish("btcusdt@kline_5m", "usdm:*@kline_1m") == Wish(False, False)
    assert wish("btcusdt@kline_1m", "spot:*@kline_1m") == Wish(False, False)
    assert wish("btcusdt_current_quarter@continuousKline_1m", "usdm:*@continuousKline_1m") == Wish(False, False)


def test_frames_are_kept_as_they_came_where_that_is_asked() -> None:
    assert wish("btcusdt@depth@100ms", "raw:usdm:btcusdt@depth@100ms") == Wish(rows=False, raw=True)
    assert wish("btcusdt@aggTrade", "usdm:*@aggTrade", "raw:usdm:BTCUSDT@aggTrade") == Wish(True, True)
    assert streams("raw:usdm:!miniTicker@arr") == ["!miniTicker@arr"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("*@aggTrade", "not <market>:<stream or pattern>"),
        ("usdm", "not <market>:<stream or pattern>"),
        ("okx:*@aggTrade", "not <market>:<stream or pattern>"),
        ("usdm:*@kline_7m", "unknown interval '7m'"),
        ("usdm:*@depth", "raw:usdm:\\*@depth keeps frames"),
        ("spot:*@kline_1d@+08:00", "raw:spot"),
        ("raw:usdm:*@nope", "unknown stream type"),
    ],
)
def test_what_cannot_be_recorded_is_named(entry: str, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        recording.read(entry)


def filters(*entries: str, market: Market = Market.USDM) -> list[str]:
    return recording.filters([recording.read(entry) for entry in entries], market)


def test_a_pattern_is_one_subject() -> None:
    assert filters(
        "usdm:*@aggTrade", "usdm:*_perpetual@continuousKline_1m", "spot:*@trade".replace("trade", "aggTrade")
    ) == [
        "fsnats.usdm.*.aggTrade",
        "fsnats.usdm.*.continuousKline_1m",
    ]
    assert filters("usdm:*@aggTrade", market=Market.SPOT) == []


def test_no_subject_covers_another() -> None:
    assert filters("usdm:btcusdt@aggTrade", "usdm:*usdt@aggTrade", "raw:usdm:ethusdt@aggTrade") == [
        "fsnats.usdm.*.aggTrade"
    ]
    assert filters("raw:usdm:!miniTicker@arr", "raw:usdm:*@miniTicker", "usdm:BTCUSDT@kline_1m") == [
        "fsnats.usdm.!miniTicker.arr",
        "fsnats.usdm.*.miniTicker",
        "fsnats.usdm.btcusdt.kline_1m",
    ]


def test_what_is_made_is_an_interval() -> None:
    assert recording.read_making("1h") == ("1h", False)
    assert recording.read_making("trades:1s") == ("1s", True)
    assert recording.read_making("1M") == ("1M", False)
    for wrong in ("7m", "trades:", "trades", ""):
        with pytest.raises(Unusable, match="unknown interval"):
            recording.read_making(wrong)
