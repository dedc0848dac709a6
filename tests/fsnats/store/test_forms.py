import msgspec
import pytest

from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.store import Series
from fsnats.store.forms import AggTrade, agg_trade_of, kline_of, request_for, row_of, trade_of

ROW = b'[1795174320000,"95.10","96.00","94.00","95.50","12.30000000",1795174379999,"1170.1",321,"6.1","580.2","0"]'
TRADE = b'{"a":7,"p":"95.10","q":"0.50","f":11,"l":12,"T":1795174320001,"m":true}'


def test_a_row_of_rest_comes_back_from_the_store_byte_for_byte() -> None:
    kline = kline_of(msgspec.json.decode(ROW, type=Candle), "1m")
    assert (kline.is_closed, kline.interval, kline.first_trade_id, kline.last_trade_id) == (True, "1m", -1, -1)
    assert (kline.high, kline.low, kline.close) == ("96.00", "94.00", "95.50")
    assert msgspec.json.encode(row_of(kline)) == ROW


def test_an_aggregated_trade_comes_back_byte_for_byte() -> None:
    trade = trade_of(msgspec.json.decode(TRADE, type=AggTrade), "BTCUSDT")
    assert (trade.symbol, trade.agg_id, trade.is_buyer_maker) == ("BTCUSDT", 7, True)
    assert msgspec.json.encode(agg_trade_of(trade)) == TRADE


@pytest.mark.parametrize(
    ("series", "method", "parameters"),
    [
        (Series(Market.SPOT, "kline", "BTCUSDT", "1m"), "klines", {"symbol": "BTCUSDT", "interval": "1m"}),
        (
            Series(Market.COINM, "continuousKline", "BTCUSD_CURRENT_QUARTER", "1d"),
            "continuousKlines",
            {"pair": "BTCUSD", "contractType": "CURRENT_QUARTER", "interval": "1d"},
        ),
        (
            Series(Market.USDM, "continuousKline", "TSLAUSDT_TRADIFI_PERPETUAL", "1d"),
            "continuousKlines",
            {"pair": "TSLAUSDT", "contractType": "TRADIFI_PERPETUAL", "interval": "1d"},
        ),
        (Series(Market.SPOT, "aggTrade", "BTCUSDT"), "aggTrades", {"symbol": "BTCUSDT"}),
    ],
)
def test_a_series_names_its_request(series: Series, method: str, parameters: dict[str, str | int]) -> None:
    assert request_for(series) == (method, parameters)


def test_what_has_no_contract_type_is_no_continuous_series() -> None:
    with pytest.raises(ValueError, match="BTCUSDT: "):
        request_for(Series(Market.USDM, "continuousKline", "BTCUSDT", "1m"))
