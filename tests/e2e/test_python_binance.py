"""python-binance, unmodified, works with this gateway in the place of Binance's hosts."""

from tests.e2e.fleet import Fleet
from tests.e2e.libraries import use


async def test_python_binance_reads_all_three_markets(fleet_of_three: Fleet) -> None:
    received = await use(fleet_of_three, "use_python_binance.py")
    assert [len(received[f"{market}klines"][0]) for market in ("", "futures_", "coin_")] == [5, 5, 5]
    assert len(received["depth_rest"][0]["bids"]) == 5
    assert received["ticker_rest"][0]["symbol"] == received["futures_mark"][0]["symbol"] == "BTCUSDT"
    assert received["unknown"] == [[400, -1121, "Invalid symbol."]]
    events = {
        "kline": "kline",
        "trade": "trade",
        "aggtrade": "aggTrade",
        "ticker": "24hrTicker",
        "depth": "depthUpdate",
        "futures_kline": "continuous_kline",
    }
    for what, event in events.items():
        assert [each["e"] for each in received[what]] == [event, event]
    assert all("e" not in each and each["s"] == "BTCUSDT" for each in received["book_ticker"])
    assert all(len(each["bids"]) == len(each["asks"]) == 5 for each in received["depth5"])
    assert all(each["data"]["e"] == "aggTrade" for each in received["futures_aggtrade"])
    assert all(len(each["data"]["b"]) == 5 for each in received["futures_depth"])
    assert {each["stream"] for each in received["multiplex"]} == {"btcusdt@kline_1m", "ethusdt@depth5@100ms"}
    assert {each["data"]["s"] for each in received["coin_multiplex"]} == {"BTCUSD_PERP"}
    assert {each["stream"] for each in received["futures_multiplex"]} == {"btcusdt@kline_1m", "ethusdt@aggTrade"}


async def test_python_binance_keeps_an_order_book(fleet_of_three: Fleet) -> None:
    received = await use(fleet_of_three, "use_python_binance_book.py")
    (book,) = received["book"]
    assert book["bids"][0][0] < book["asks"][0][0]
