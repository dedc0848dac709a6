"""What stream types and their options mean in Binance's names."""

import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import BadCommand, StreamNameError
from gateway.protocol.topics import GLOBAL, STREAM_TYPES, Option, Topic, topic_of
from tests.gateway.protocol.worlds import COINM, EVERY, SPOT, USDM, listing, world

SYMBOLS = {SPOT: "BTCUSDT", USDM: "BTCUSDT", COINM: "BTCUSD_PERP"}


@pytest.mark.parametrize(
    ("market", "name", "options", "stream"),
    [
        (SPOT, "kline", {}, "btcusdt@kline_1m"),
        (SPOT, "kline", {"interval": "1s"}, "btcusdt@kline_1s"),
        (USDM, "kline", {"interval": "1M"}, "btcusdt@kline_1M"),
        (COINM, "kline", {"interval": "3d"}, "btcusd_perp@kline_3d"),
        (SPOT, "depth", {}, "btcusdt@depth"),
        (SPOT, "depth", {"level": 20}, "btcusdt@depth20"),
        (SPOT, "depth", {"level": "5"}, "btcusdt@depth5"),
        (SPOT, "depth", {"level": 5, "updateSpeed": "100ms"}, "btcusdt@depth5@100ms"),
        (SPOT, "depth", {"updateSpeed": "1000ms"}, "btcusdt@depth"),
        (SPOT, "depth", {"updateSpeed": "100ms"}, "btcusdt@depth@100ms"),
        (USDM, "depth", {"updateSpeed": "250ms"}, "btcusdt@depth"),
        (USDM, "depth", {"level": 10, "updateSpeed": "500ms"}, "btcusdt@depth10@500ms"),
        (COINM, "depth", {"level": 10, "updateSpeed": "250ms"}, "btcusd_perp@depth10"),
        (SPOT, "ticker", {}, "btcusdt@ticker"),
        (SPOT, "ticker", {"interval": "1m", "level": 5}, "btcusdt@ticker"),
        (USDM, "miniTicker", {}, "btcusdt@miniTicker"),
        (SPOT, "bookTicker", {}, "btcusdt@bookTicker"),
        (COINM, "aggTrade", {}, "btcusd_perp@aggTrade"),
        (USDM, "trade", {}, "btcusdt@trade"),
        (USDM, "markPrice", {}, "btcusdt@markPrice"),
        (USDM, "markPrice", {"updateSpeed": "3s"}, "btcusdt@markPrice"),
        (COINM, "markPrice", {"updateSpeed": "1s"}, "btcusd_perp@markPrice@1s"),
        (USDM, "liquidation", {}, "btcusdt@forceOrder"),
        (USDM, "continuousKline", {}, "btcusdt_perpetual@continuousKline_1m"),
    ],
)
def test_stream_of_a_symbol(market: Market, name: str, options: dict[str, Option], stream: str) -> None:
    assert topic_of(market, name, options).stream(SYMBOLS[market]) == parse(market, stream)


def test_continuous_kline_of_a_quarter() -> None:
    topic = topic_of(COINM, "continuousKline", {"contractType": "current_quarter", "interval": "1h"})
    assert topic.stream("BTCUSD") == parse(COINM, "btcusd_current_quarter@continuousKline_1h")


@pytest.mark.parametrize(
    ("name", "options", "stream"),
    [
        ("liquidation", {}, "!forceOrder@arr"),
        ("markPrice", {}, "!markPrice@arr"),
        ("markPrice", {"updateSpeed": "1s"}, "!markPrice@arr@1s"),
        ("miniTicker", {}, "!miniTicker@arr"),
    ],
)
def test_global_is_the_all_market_stream(name: str, options: dict[str, Option], stream: str) -> None:
    assert topic_of(USDM, name, options).stream(GLOBAL) == parse(USDM, stream)


def test_most_types_have_no_all_market_stream() -> None:
    with pytest.raises(StreamNameError):
        topic_of(SPOT, "kline", {}).stream(GLOBAL)


@pytest.mark.parametrize(
    ("market", "name", "options", "code", "message"),
    [
        (SPOT, "kline", {"interval": "7m"}, "UNKNOWN_INTERVAL", "unknown interval '7m' on spot; allowed: 1s, 1m, 3m"),
        (USDM, "kline", {"interval": "1s"}, "UNKNOWN_INTERVAL", "unknown interval '1s' on usdm; allowed: 1m, 3m"),
        (SPOT, "kline", {"interval": 1}, "UNKNOWN_INTERVAL", "unknown interval '1' on spot; allowed: 1s"),
        (SPOT, "depth", {"level": 7}, "UNKNOWN_LEVEL", "unknown depth level '7'; allowed: 5, 10, 20"),
        (
            SPOT,
            "depth",
            {"updateSpeed": "250ms"},
            "UNKNOWN_UPDATE_SPEED",
            "unknown update speed of depth '250ms' on spot; allowed: 1000ms, 100ms",
        ),
        (
            USDM,
            "depth",
            {"updateSpeed": "1000ms"},
            "UNKNOWN_UPDATE_SPEED",
            "unknown update speed of depth '1000ms' on usdm; allowed: 250ms, 500ms, 100ms",
        ),
        (USDM, "markPrice", {"updateSpeed": "2s"}, "UNKNOWN_UPDATE_SPEED", "unknown update speed of markPrice '2s'"),
        (
            SPOT,
            "markPrice",
            {},
            "UNKNOWN_STREAM_TYPE",
            "unknown stream type 'markPrice' on spot; allowed: kline, depth",
        ),
        (USDM, "book", {}, "UNKNOWN_STREAM_TYPE", "unknown stream type 'book' on usdm; allowed: kline, depth"),
        (
            USDM,
            "continuousKline",
            {"contractType": "weekly"},
            "UNKNOWN_CONTRACT_TYPE",
            "unknown contract type 'weekly'",
        ),
    ],
)
def test_error_names_what_is_allowed(
    market: Market, name: str, options: dict[str, Option], code: str, message: str
) -> None:
    with pytest.raises(BadCommand) as error:
        topic_of(market, name, options)
    assert error.value.code == code
    assert error.value.message.startswith(message)
    assert "allowed: " in error.value.message


def test_everything_is_what_trades() -> None:
    listings = world()
    assert topic_of(SPOT, "ticker", {}).everything(listings[SPOT]) == {"BTCUSDT", "ETHUSDT", "BNBUSDT"}


def test_everything_of_continuous_klines_is_each_pair_that_has_the_contract() -> None:
    listings = world()
    perpetual = topic_of(USDM, "continuousKline", {})
    quarterly = topic_of(USDM, "continuousKline", {"contractType": "current_quarter"})
    assert perpetual.everything(listings[USDM]) == {"BTCUSDT", "ETHUSDT"}
    assert quarterly.everything(listings[USDM]) == {"BTCUSDT"}


def test_everything_leaves_out_contracts_that_do_not_trade() -> None:
    halted = listing(USDM, "BTCUSDT/SETTLING", "ETHUSDT", "BTCUSDT_261225")
    assert topic_of(USDM, "continuousKline", {}).everything(halted) == {"ETHUSDT"}


def test_streams_come_in_one_order_without_those_that_cannot_be() -> None:
    topic = Topic(COINM, "kline", "kline_1m")
    streams = topic.streams(frozenset({"ETHUSD_PERP", "BTCUSD", "BTCUSD_PERP"}))
    assert list(streams) == ["BTCUSD_PERP", "ETHUSD_PERP"]


@pytest.mark.parametrize("market", EVERY)
def test_every_stream_type_names_a_stream_on_each_of_its_markets(market: Market) -> None:
    for name, stream_type in STREAM_TYPES.items():
        if market in stream_type.markets:
            assert topic_of(market, name, {}).stream("BTCUSD" if stream_type.word[0] == "c" else SYMBOLS[market])
