import pytest

from fsnats.binance.streams import Market
from fsnats.errors import StreamNameError
from fsnats.patterns import check, expand


def names(market: Market, pattern: str, *subjects: str) -> list[str]:
    return [stream.name for stream in expand(market, pattern, subjects)]


def test_a_star_stands_for_any_symbol() -> None:
    assert names(Market.SPOT, "*@kline_1m", "BTCUSDT", "ETHBTC") == ["btcusdt@kline_1m", "ethbtc@kline_1m"]
    assert names(Market.SPOT, "*usdt@trade", "BTCUSDT", "ETHBTC") == ["btcusdt@trade"]
    assert names(Market.SPOT, "BTC*@trade", "BTCUSDT", "ETHBTC") == ["btcusdt@trade"]


def test_without_a_star_it_is_that_stream() -> None:
    assert names(Market.SPOT, "btcusdt@trade", "ETHBTC") == ["btcusdt@trade"]
    assert names(Market.USDM, "!miniTicker@arr") == ["!miniTicker@arr"]


def test_a_contract_type_asks_for_pairs() -> None:
    assert names(Market.USDM, "*_perpetual@continuousKline_1m", "BTCUSDT") == ["btcusdt_perpetual@continuousKline_1m"]


def test_continuous_candles_without_a_contract_type_are_those_of_perpetual_contracts() -> None:
    assert names(Market.USDM, "*@continuousKline_1m", "BTCUSDT", "ETHBTC") == [
        "btcusdt_perpetual@continuousKline_1m",
        "ethbtc_perpetual@continuousKline_1m",
    ]
    assert names(Market.USDM, "*usdt@continuousKline_1m", "BTCUSDT", "ETHBTC") == [
        "btcusdt_perpetual@continuousKline_1m"
    ]
    assert check(Market.USDM, "*@continuousKline_1m").kind == "continuousKline"


def test_subjects_that_do_not_fit_are_passed_over() -> None:
    assert names(Market.COINM, "*@kline_1m", "BTCUSD_PERP", "BTCUSD") == ["btcusd_perp@kline_1m"]
    assert names(Market.COINM, "*@indexPrice", "BTCUSD_PERP", "BTCUSD") == ["btcusd@indexPrice"]


@pytest.mark.parametrize("pattern", ["*@kline_7m", "*@*", "*", "btcusdt@nope", "*@markPrice"])
def test_what_could_never_be_a_stream_is_refused(pattern: str) -> None:
    with pytest.raises(StreamNameError):
        check(Market.SPOT, pattern)
