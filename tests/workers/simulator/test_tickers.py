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
