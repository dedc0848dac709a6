"""Futures' statistics; the keys are those of the documentation's examples."""

import json
from typing import Any

import pytest

from fsnats.binance.parameters import RestError
from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.rest import Rest

REST = Rest(make_world())
HOUR = 3_600_000
OF_SYMBOL = {"symbol": "BTCUSDT", "period": "1h"}
OF_CONTRACT = {"pair": "BTCUSD", "contractType": "PERPETUAL", "period": "1h"}


async def get(market: Market, name: str, **query: str) -> Any:
    return json.loads(await REST.answer(market, name, query, NOW))


@pytest.mark.parametrize(
    ("market", "name", "query", "keys"),
    [
        (Market.USDM, "openInterestHist", OF_SYMBOL, {"symbol", "sumOpenInterest", "sumOpenInterestValue"}),
        (Market.USDM, "topLongShortAccountRatio", OF_SYMBOL,
         {"symbol", "longShortRatio", "longAccount", "shortAccount"}),
        (Market.USDM, "takerlongshortRatio", OF_SYMBOL, {"buySellRatio", "buyVol", "sellVol"}),
        (Market.COINM, "topLongShortPositionRatio", OF_CONTRACT,
         {"pair", "longShortRatio", "longPosition", "shortPosition"}),
        (Market.COINM, "takerBuySellVol", OF_CONTRACT,
         {"pair", "contractType", "takerBuyVol", "takerSellVol", "takerBuyVolValue", "takerSellVolValue"}),
        (Market.COINM, "basis", OF_CONTRACT,
         {"pair", "contractType", "indexPrice", "futuresPrice", "basis", "basisRate", "annualizedBasisRate"}),
    ],
)  # fmt: skip
async def test_a_row_for_each_period_that_is_over_oldest_first(
    market: Market, name: str, query: dict[str, str], keys: set[str]
) -> None:
    rows = await get(market, f"futures/data/{name}", **query)
    assert [row["timestamp"] for row in rows] == [NOW // HOUR * HOUR - back * HOUR for back in reversed(range(30))]
    assert rows[0].keys() == keys | {"timestamp"}
    two = await get(market, f"futures/data/{name}", **query, startTime=str(rows[3]["timestamp"]), limit="2")
    assert two == rows[3:5]


async def test_what_takers_bought_and_sold_is_what_the_candle_says() -> None:
    (row,) = await get(Market.USDM, "futures/data/takerlongshortRatio", **OF_SYMBOL, limit="1")
    opened = str(row["timestamp"] - HOUR)
    (candle,) = await get(Market.USDM, "klines", symbol="BTCUSDT", interval="1h", startTime=opened, limit="1")
    assert row["buyVol"] == candle[9]
    assert float(row["buyVol"]) + float(row["sellVol"]) == pytest.approx(float(candle[5]))


async def test_open_interest_is_that_of_its_history() -> None:
    now = await get(Market.USDM, "openInterest", symbol="BTCUSDT")
    (before,) = await get(Market.USDM, "futures/data/openInterestHist", symbol="BTCUSDT", period="5m", limit="1")
    assert float(now["openInterest"]) == pytest.approx(float(before["sumOpenInterest"]), rel=0.05)
    assert (await get(Market.COINM, "openInterest", symbol="BTCUSD_PERP"))["contractType"] == "PERPETUAL"


async def test_funding_terms_are_told_where_they_are_special() -> None:
    rows = await get(Market.USDM, "fundingInfo")
    assert {row["fundingIntervalHours"] for row in rows} == {8}
    assert "BTCUSDT" not in {row["symbol"] for row in rows}


async def test_quarters_that_are_over_have_a_price() -> None:
    assert (await get(Market.COINM, "futures/data/delivery-price", pair="BTCUSD"))[0].keys() == {
        "deliveryTime",
        "deliveryPrice",
    }


@pytest.mark.parametrize("wrong", [{"period": "7h"}, {"startTime": str(NOW - 40 * 24 * HOUR)}, {"limit": "501"}])
async def test_what_is_not_told_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(RestError):
        await get(Market.USDM, "futures/data/openInterestHist", **{**OF_SYMBOL, **wrong})
