"""unicorn-binance-websocket-api, unmodified, works with this gateway in the place of Binance's hosts."""

from tests.e2e.fleet import Fleet
from tests.e2e.libraries import use


async def test_unicorn_reads_all_three_markets(fleet_of_three: Fleet) -> None:
    received = await use(fleet_of_three, "use_unicorn.py")
    assert received["missing"] == [[], [], []]
    assert {each["data"].get("e", "depth5") for each in received["spot"]} == {"trade", "kline", "depth5"}
    events = {"aggTrade", "markPriceUpdate", "bookTicker", "depthUpdate"}
    assert {each["data"]["e"] for each in received["usdm"]} == events
    assert {each["data"]["s"] for each in received["coinm"]} == {"BTCUSD_PERP"}
