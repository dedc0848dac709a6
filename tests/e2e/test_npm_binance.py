"""npm's `binance`, unmodified, works with this gateway in the place of Binance's hosts."""

from tests.e2e.fleet import Fleet
from tests.e2e.libraries import use


async def test_npm_binance_reads_all_three_markets(fleet_of_three: Fleet, node: str) -> None:
    received = await use(fleet_of_three, "use_binance.js", node=node)
    assert "error" not in received
    assert received["ping"] == [[{}, {}, {}]]
    assert [len(received[f"{market}klines"][0]) for market in ("", "usdm_", "coinm_")] == [5, 3, 3]
    assert len(received["depth"][0]["bids"]) == 5
    assert received["average"][0]["mins"] == 5
    assert received["tickers"] == [["BTCUSDT", "ETHUSDT"]]
    assert received["usdm_mark"][0]["symbol"] == "BTCUSDT"
    assert len(received["usdm_funding"][0]) == 3
    assert received["unknown"] == [[-1121, "Invalid symbol."]]
    ((code, says),) = received["account"]
    assert code == -1002
    assert "no accounts, no orders" in says
    assert len(received["spot"]) == 3
    assert len(received["usdm"]) == 4
    assert {each["s"] for each in received["coinm"]} == {"BTCUSD_PERP"}
