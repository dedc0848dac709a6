import msgspec
import pytest

from fsnats.binance import rows
from fsnats.binance.streams import Market
from fsnats.store import Series
from fsnats.store.forms import AggTrade, agg_trade_of, kline_of, request_for, row_of, trade_of

ROW = rows.Candle(60_000, "1.10", "2.000", "0.5", "1", "10", 119_999, "15.0", 3, "4", "6.00", "0")
TRADE = AggTrade(7, "1.50", "2", 20, 21, 99, True)


def test_a_row_of_rest_goes_into_the_store_and_comes_back_digit_for_digit() -> None:
    kept = kline_of(ROW, "1m")
    assert row_of(kept) == ROW
    assert (kept.interval, kept.first_trade_id, kept.last_trade_id, kept.is_closed) == ("1m", -1, -1, True)
    assert agg_trade_of(trade_of(TRADE, "BTCUSDT")) == TRADE
    assert msgspec.structs.asdict(trade_of(TRADE, "BTCUSDT"))["symbol"] == "BTCUSDT"


@pytest.mark.parametrize(
    ("name", "pair", "contract"),
    [
        ("BTCUSDT_PERPETUAL", "BTCUSDT", "PERPETUAL"),
        ("TSLAUSDT_TRADIFI_PERPETUAL", "TSLAUSDT", "TRADIFI_PERPETUAL"),
        ("BTCUSD_CURRENT_QUARTER", "BTCUSD", "CURRENT_QUARTER"),
    ],
)
def test_a_continuous_series_is_asked_by_pair_and_contract(name: str, pair: str, contract: str) -> None:
    series = Series(Market.USDM, "continuousKline", name, "1h")
    named = {"pair": pair, "contractType": contract, "interval": "1h"}
    assert request_for(series) == ("continuousKlines", named)


def test_other_series_are_asked_by_symbol() -> None:
    assert request_for(Series(Market.SPOT, "kline", "BTCUSDT", "1h")) == (
        "klines",
        {"symbol": "BTCUSDT", "interval": "1h"},
    )
    assert request_for(Series(Market.SPOT, "aggTrade", "BTCUSDT")) == ("aggTrades", {"symbol": "BTCUSDT"})
    with pytest.raises(ValueError, match="BTCUSDT_WEEKLY"):
        request_for(Series(Market.USDM, "continuousKline", "BTCUSDT_WEEKLY", "1h"))
