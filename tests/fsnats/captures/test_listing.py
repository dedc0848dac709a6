import pytest

from fsnats.binance.streams import Market, parse
from fsnats.captures.listing import exchange_info, sorted_out, stream_of
from fsnats.symbols import Listing, read_exchange_info

NAMES = {
    Market.SPOT: ["btcusdt@trade", "!miniTicker@arr", "币安usdt@kline_1m"],
    Market.USDM: [
        "btcusdt@aggTrade",
        "ethusdt_perpetual@continuousKline_1m",
        "btcusdt_260327@depth",
        "btcusdt@assetIndex",
    ],
    Market.COINM: [
        "btcusd_perp@depth@0ms",
        "ethusd@markPrice",
        "solusd_perpetual@continuousKline_1m",
        "btcusd_260327@trade",
    ],
}


@pytest.mark.parametrize("market", Market)
def test_every_stream_of_a_capture_can_be_asked_for(market: Market) -> None:
    streams = [parse(market, name) for name in NAMES[market]]
    listing = Listing(market, 1, True, read_exchange_info(market, exchange_info(streams)), replayed=True)
    assert [listing.why_not(stream) for stream in streams] == [None] * len(streams)


def test_dated_contracts_are_no_perpetual_ones() -> None:
    streams = [parse(Market.USDM, name) for name in NAMES[Market.USDM]]
    found = {
        symbol.name: (symbol.pair, symbol.contract)
        for symbol in read_exchange_info(Market.USDM, exchange_info(streams))
    }
    assert found["BTCUSDT"] == ("BTCUSDT", "PERPETUAL")
    assert found["BTCUSDT_260327"] == ("BTCUSDT", "")


def test_markets_come_in_their_order_and_what_no_client_can_ask_for_apart() -> None:
    known, unknown = sorted_out(
        map(stream_of, ["coinm:btcusd_perp@trade", "spot:btcusdt@trade", "spot:btcusdt@gone", "spot:BTCUSDT@trade"])
    )
    assert list(known) == [Market.SPOT, Market.COINM]
    assert [stream.name for stream in known[Market.SPOT]] == ["btcusdt@trade"]
    assert unknown == [(Market.SPOT, "BTCUSDT@trade"), (Market.SPOT, "btcusdt@gone")]
