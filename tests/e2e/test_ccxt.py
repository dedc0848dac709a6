"""ccxt, unmodified, works with this gateway in the place of Binance's hosts."""

from tests.e2e.fleet import Fleet
from tests.e2e.libraries import use


async def test_ccxt_reads_all_three_markets(fleet_of_three: Fleet) -> None:
    received = await use(fleet_of_three, "use_ccxt.py")
    assert received["markets"][0]["BTC/USDT"] == "spot"
    assert received["markets"][0]["BTC/USDT:USDT"] == received["markets"][0]["BTC/USD:BTC"] == "swap"
    assert len(received["ohlcv"][0]) == 5
    assert received["tickers"] == [["BTC/USDT", "ETH/USDT"]]
    assert received["prices"] == [["BTC/USDT:USDT", "ETH/USDT:USDT"]]
    assert received["books"] == [[100, 100, 100]]
    assert received["all"][0] > 50
    assert len(received["inverse"][0]) == 3
    assert received["funding"] == [3]
    for symbol in ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"):
        assert len(received[symbol]) == 2
        for seen in received[symbol]:
            # Five streams and a REST snapshot tell one story.
            assert seen["bid"] < seen["ask"]
            assert abs(seen["last"] - seen["candle"][4]) < 0.01 * seen["last"]
            assert abs(seen["trade"] - seen["candle"][4]) < 0.01 * seen["last"]
    assert received["several"][0] in ("BTC/USDT", "ETH/USDT")
