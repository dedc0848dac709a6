import pytest

from fsnats.binance.streams import Market
from fsnats.errors import ConfigError
from fsnats.symbols import Listing, Symbol
from workers.capture.wishes import expand, fits, read

USDM = Listing(
    Market.USDM,
    0,
    False,
    [Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING"), Symbol("OLDUSDT", "OLDUSDT", "PERPETUAL", "SETTLING")],
)


def test_a_pattern_that_names_no_market_is_of_the_default_one() -> None:
    assert read(["btcusdt@trade", "usdm:*@aggTrade", "usdm:!markPrice@arr"], Market.SPOT) == {
        Market.SPOT: ["btcusdt@trade"],
        Market.USDM: ["*@aggTrade", "!markPrice@arr"],
    }


@pytest.mark.parametrize("text", ["btcusdt@trades", "usdm:*", "", "futures:btcusdt@trade"])
def test_what_can_be_no_stream_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=f"'{text.replace('*', '.')}'"):
        read([text], Market.SPOT)


def test_patterns_mean_what_trades_each_once() -> None:
    streams = expand(["*@aggTrade", "BTCUSDT@aggTrade", "*@continuousKline_1m", "!markPrice@arr"], USDM)
    assert list(streams) == ["btcusdt@aggTrade", "btcusdt_perpetual@continuousKline_1m", "!markPrice@arr"]
    assert streams["btcusdt@aggTrade"].market is Market.USDM


def test_what_trades_fits_and_all_market_streams_always_do() -> None:
    patterns = ["*@trade", "btcusdt@trade", "!markPrice@arr", "nopeusdt@trade", "oldusdt@trade", "nope*@trade"]
    assert [fits(pattern, USDM) for pattern in patterns] == [True, True, True, False, False, False]
