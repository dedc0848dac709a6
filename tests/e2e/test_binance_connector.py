"""binance-connector, unmodified, works with this gateway in the place of Binance's hosts."""

from tests.e2e.fleet import Fleet
from tests.e2e.libraries import use


async def test_binance_connector_reads_spot_and_futures(fleet: Fleet) -> None:
    received = await use(fleet, "use_binance_connector.py")
    assert received["ping"] == [{}]
    assert len(received["klines"][0]) == 5
    assert len(received["depth"][0]["asks"]) == 5
    assert received["tickers"] == [["ETHUSDT", "BTCUSDT"]]
    ((status, code, says),) = received["account"]
    assert (status, code) == (403, -1002)
    assert "no accounts, no orders" in says
    assert {"result": None, "id": 11} in received["raw"]
    assert {each["e"] for each in received["raw"] if "e" in each} == {"kline", "aggTrade", "depthUpdate"}
    assert {each["stream"] for each in received["combined"]} == {"btcusdt@kline_1m", "ethusdt@trade"}
    assert {each["data"]["e"] for each in received["futures"]} == {"kline", "aggTrade", "depthUpdate"}
