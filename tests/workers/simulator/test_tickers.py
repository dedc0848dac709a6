"""Tickers, average prices and funding over REST; their keys are compared with recorded replies in test_rest."""

import json
from typing import Any

import pytest

from fsnats.binance.parameters import RestError
from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.rest import Rest

REST = Rest(make_world())
HOURS = 3_600_000


async def get(market: Market, name: str, **query: str) -> Any:
    return json.loads(await REST.answer(market, name, query, NOW))


async def test_spot_takes_several_symbols_in_their_order() -> None:
    rows = await get(Market.SPOT, "ticker/24hr", symbols='["ETHUSDT","BTCUSDT"]')
    assert [row["symbol"] for row in rows] == ["ETHUSDT", "BTCUSDT"]


async def test_coinm_takes_a_pair() -> None:
    rows = await get(Market.COINM, "ticker/price", pair="BTCUSD")
    assert {row["ps"] for row in rows} == {"BTCUSD"}
    assert len(rows) > 1


async def test_a_mini_ticker_leaves_out_what_costs_most() -> None:
    mini = await get(Market.SPOT, "ticker/24hr", symbol="BTCUSDT", type="MINI")
    full = await get(Market.SPOT, "ticker/24hr", symbol="BTCUSDT")
    assert set(full) - set(mini) == {
        "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice", "lastQty",
        "bidPrice", "bidQty", "askPrice", "askQty",
    }  # fmt: skip
    assert mini.items() <= full.items()


async def test_the_average_lies_within_the_day() -> None:
    average = await get(Market.SPOT, "avgPrice", symbol="BTCUSDT")
    day = await get(Market.SPOT, "ticker/24hr", symbol="BTCUSDT")
    assert average["mins"] == 5
    assert float(day["lowPrice"]) <= float(average["price"]) <= float(day["highPrice"])


async def test_funding_is_paid_every_eight_hours_and_the_newest_comes_last() -> None:
    rows = await get(Market.USDM, "fundingRate", symbol="BTCUSDT", limit="3")
    times = [row["fundingTime"] for row in rows]
    assert times == [NOW // (8 * HOURS) * 8 * HOURS - back * 8 * HOURS for back in (2, 1, 0)]
    assert await get(Market.USDM, "fundingRate", symbol="BTCUSDT", startTime=str(times[1])) == rows[1:]


@pytest.mark.parametrize("name", ["avgPrice", "fundingRate"])
async def test_what_a_market_does_not_have_is_no_path(name: str) -> None:
    market = Market.USDM if name == "avgPrice" else Market.SPOT
    with pytest.raises(RestError) as refused:
        await get(market, name, symbol="BTCUSDT")
    assert refused.value.status == 404


async def test_a_window_begins_at_a_full_minute_and_has_all_trades_since() -> None:
    hour = await get(Market.SPOT, "ticker", symbol="BTCUSDT", windowSize="1h")
    assert hour["openTime"] == (NOW - HOURS) // 60_000 * 60_000
    assert hour["closeTime"] == NOW
    rows = await get(Market.SPOT, "klines", symbol="BTCUSDT", interval="1m", startTime=str(hour["openTime"]))
    assert hour["count"] == sum(row[8] for row in rows) == hour["lastId"] - hour["firstId"] + 1
    assert hour["highPrice"] == max((row[2] for row in rows), key=float)
    assert (hour["openPrice"], hour["lastPrice"]) == (rows[0][1], rows[-1][4])
    assert (await get(Market.SPOT, "ticker", symbols='["BTCUSDT","ETHUSDT"]', type="MINI"))[1]["symbol"] == "ETHUSDT"


async def test_a_trading_day_begins_at_midnight_of_its_zone() -> None:
    day = await get(Market.SPOT, "ticker/tradingDay", symbol="BTCUSDT", timeZone="8")
    assert day["openTime"] % (24 * HOURS) == 16 * HOURS
    assert day["closeTime"] == day["openTime"] + 24 * HOURS - 1


@pytest.mark.parametrize("query", [{}, {"symbol": "BTCUSDT", "windowSize": "60m"}, {"symbol": "NOPE"}])
async def test_a_window_of_nothing_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(RestError):
        await get(Market.SPOT, "ticker", **query)


async def test_parts_of_an_index_and_indexes_of_assets_are_told() -> None:
    (index,) = await get(Market.USDM, "indexInfo")
    assert index["symbol"] == "DEFIUSDT"
    assert index["baseAssetList"][0].keys() == {"baseAsset", "quoteAsset", "weightInQuantity", "weightInPercentage"}
    asset = await get(Market.USDM, "assetIndex", symbol="ETHUSD")
    assert asset in await get(Market.USDM, "assetIndex")
    with pytest.raises(RestError):
        await get(Market.USDM, "assetIndex", symbol="NOPE")


async def test_premiums_have_candles() -> None:
    rows = await get(Market.USDM, "premiumIndexKlines", symbol="BTCUSDT", interval="1m", limit="5")
    assert all(float(low) <= float(end) <= float(high) for _, _, high, low, end, *_ in rows)
    assert rows[0][4] == rows[1][1]
