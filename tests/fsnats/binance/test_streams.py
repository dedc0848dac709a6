import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Loss, Market, Route, Scope, intervals_of, parse
from fsnats.errors import StreamNameError

PUBLIC = ["bookTicker", "depth5", "depth20@100ms", "depth", "depth@500ms", "rpiDepth@500ms", "trade"]
MARKET = ["aggTrade", "markPrice", "markPrice@1s", "kline_1m", "miniTicker", "ticker", "forceOrder", "compositeIndex"]


@pytest.mark.parametrize("rest", PUBLIC)
def test_usdm_book_streams_are_on_the_public_route(rest: str) -> None:
    assert parse(Market.USDM, f"btcusdt@{rest}").route is Route.PUBLIC


@pytest.mark.parametrize("rest", MARKET)
def test_other_usdm_streams_are_on_the_market_route(rest: str) -> None:
    assert parse(Market.USDM, f"btcusdt@{rest}").route is Route.MARKET


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("!bookTicker", Route.PUBLIC),
        ("!miniTicker@arr", Route.MARKET),
        ("!ticker@arr", Route.MARKET),
        ("!markPrice@arr", Route.MARKET),
        ("!markPrice@arr@1s", Route.MARKET),
        ("!forceOrder@arr", Route.MARKET),
        ("!contractInfo", Route.MARKET),
        ("!assetIndex@arr", Route.MARKET),
        ("tradingSession", Route.MARKET),
    ],
)
def test_usdm_all_market_streams_have_their_route(name: str, route: Route) -> None:
    stream = parse(Market.USDM, name)

    assert (stream.route, stream.scope, stream.subject) == (route, Scope.ALL, "")


@pytest.mark.parametrize("market", [Market.SPOT, Market.COINM])
@pytest.mark.parametrize("rest", ["aggTrade", "depth20@100ms", "kline_1m", "bookTicker"])
def test_only_usdm_has_routes(market: Market, rest: str) -> None:
    symbol = "btcusdt" if market is Market.SPOT else "btcusd_perp"

    assert parse(market, f"{symbol}@{rest}").route is Route.NONE


def test_only_the_symbol_is_case_folded() -> None:
    assert parse(Market.SPOT, "BTCUSDT@kline_1M").name == "btcusdt@kline_1M"
    assert parse(Market.SPOT, "btcusdt@kline_1m").interval == "1m"
    with pytest.raises(StreamNameError, match="unknown stream type 'aggtrade'"):
        parse(Market.SPOT, "btcusdt@aggtrade")


@pytest.mark.parametrize(
    ("market", "name", "reason"),
    [
        (Market.SPOT, "btcusdt@kline_7m", "unknown interval '7m'"),
        (Market.USDM, "btcusdt@kline_1s", "unknown interval '1s'"),
        (Market.USDM, "btcusdt@kline_1m@+08:00", ""),
        (Market.SPOT, "btcusdt@depth7", "unknown depth level '7'"),
        (Market.USDM, "btcusdt@depth20@250ms", "unknown update speed '250ms'"),
        (Market.SPOT, "btcusdt@depth20@500ms", "unknown update speed '500ms'"),
        (Market.SPOT, "!ticker@arr", "no such all-market stream on spot"),
        (Market.SPOT, "btcusdt@markPrice", "unknown stream type 'markPrice' on spot"),
        (Market.USDM, "btcusdt@continuousKline_1m", "contract types are"),
        (Market.COINM, "btcusd@kline_1m", "a symbol like BTCUSD_PERP"),
        (Market.SPOT, "btcusdt", "no such all-market stream"),
        (Market.SPOT, "@trade", "no symbol"),
        (Market.SPOT, "", "not a stream name"),
        (Market.SPOT, "btc usdt@trade", "not a stream name"),
        (Market.SPOT, "btcusdt@trade\r\nSUB x 1", "not a stream name"),
        (Market.SPOT, "*@trade", "not a stream name"),
        (Market.SPOT, "x" * 300 + "@trade", "not a stream name"),
    ],
)
def test_the_part_that_is_wrong_is_named(market: Market, name: str, reason: str) -> None:
    with pytest.raises(StreamNameError) as failure:
        parse(market, name)
    assert reason in failure.value.reason
    assert not str(failure.value).startswith(":"), "an empty name is seen"


def test_a_contracts_pair_is_what_stands_before_its_type() -> None:
    assert parse(Market.USDM, "btcusdt_perpetual@continuousKline_1m").pair == "BTCUSDT"
    assert parse(Market.USDM, "tslausdt_tradifi_perpetual@continuousKline_1m").pair == "TSLAUSDT"
    assert parse(Market.COINM, "btcusd_next_quarter@continuousKline_1m").pair == "BTCUSD"


def test_coinm_tells_pairs_from_symbols() -> None:
    assert parse(Market.COINM, "btcusd@markPrice").scope is Scope.PAIR
    assert parse(Market.COINM, "btcusd_perp@markPrice").scope is Scope.SYMBOL
    assert parse(Market.COINM, "btcusd_261225@markPrice@1s").scope is Scope.SYMBOL


@pytest.mark.parametrize("kind", ["aggTrade", "trade", "depth", "forceOrder"])
def test_trades_books_and_liquidations_are_events(kind: str) -> None:
    assert parse(Market.USDM, f"btcusdt@{kind}").loss is Loss.EVENTS


@pytest.mark.parametrize("kind", ["ticker", "miniTicker", "bookTicker", "depth20", "markPrice", "kline_1m"])
def test_tickers_and_snapshots_are_states(kind: str) -> None:
    assert parse(Market.USDM, f"btcusdt@{kind}").loss is Loss.STATE


@pytest.mark.parametrize(
    ("name", "cadence"),
    [("btcusdt@depth", 0.25), ("btcusdt@depth@100ms", 0.1), ("btcusdt@markPrice", 3), ("btcusdt@markPrice@1s", 1)],
)
def test_a_suffix_sets_the_cadence(name: str, cadence: float) -> None:
    assert parse(Market.USDM, name).cadence == cadence


@given(st.sampled_from(Market), st.text(max_size=40))
def test_any_text_is_a_stream_or_a_stream_name_error(market: Market, text: str) -> None:
    try:
        stream = parse(market, text)
    except StreamNameError:
        return
    assert parse(market, stream.name) == stream  # canonical names stay what they are


def test_intervals_belong_to_market_and_kind() -> None:
    assert "1s" in intervals_of(Market.SPOT)
    assert "1s" not in intervals_of(Market.USDM)
    assert "1s" in intervals_of(Market.USDM, "continuousKline")
    assert intervals_of(Market.SPOT, "continuousKline") == ()


@pytest.mark.recorded
def test_every_recorded_stream_name_is_known(recordings: Path) -> None:
    for capture in sorted((recordings / "captures").glob("*.jsonl.gz")):
        names = set()
        with gzip.open(capture, "rt") as lines:
            for line in lines:
                row = json.loads(line)
                if row["kind"] == "ws":
                    names.add((row["market"].removeprefix("us-"), json.loads(row["raw"])["stream"]))
        assert names, capture
        for market, name in names:
            assert parse(Market(market), name).name == name
