import json
from typing import Any

import ccxt
import pytest

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import INSTRUMENTS, NOW
from workers.simulator.exchange import Exchange

EXCHANGE = Exchange(INSTRUMENTS)


def info(market: Market, **options: Any) -> Any:
    return json.loads(EXCHANGE.info(market, NOW, **options))


@pytest.mark.parametrize("market", Market)
def test_everything_listed_is_told_with_its_state(market: Market) -> None:
    state = "contractStatus" if market is Market.COINM else "status"
    told = {row["symbol"]: row[state] for row in info(market)["symbols"]}
    assert told == {each.symbol: each.status for each in EXCHANGE.all(market)}
    assert "TRADING" in told.values()
    assert len(set(told.values())) > 1


@pytest.mark.parametrize("market", Market)
def test_the_first_filter_is_the_price_filter(market: Market) -> None:
    for row in info(market)["symbols"]:
        kinds = [each["filterType"] for each in row["filters"]]
        assert kinds[0] == "PRICE_FILTER"
        assert {"LOT_SIZE", "NOTIONAL" if market is Market.SPOT else "LOT_SIZE"} <= set(kinds)


@pytest.mark.parametrize(("market", "weight"), [(Market.SPOT, 6000), (Market.USDM, 2400), (Market.COINM, 2400)])
def test_the_weight_limit_is_told(market: Market, weight: int) -> None:
    limits = {each["rateLimitType"]: each["limit"] for each in info(market)["rateLimits"]}
    assert limits["REQUEST_WEIGHT"] == weight


def test_permission_sets_can_be_left_out() -> None:
    whole, small = info(Market.SPOT), info(Market.SPOT, permission_sets=False)
    assert whole["symbols"][0]["permissionSets"][0][0] == "SPOT"
    assert small["symbols"][0]["permissionSets"] == []


def test_a_symbol_that_rests_is_told_at_once() -> None:
    exchange = Exchange(INSTRUMENTS)
    exchange.info(Market.USDM, NOW)
    exchange.rest(Market.USDM, "BTCUSDT", NOW)
    row = next(row for row in json.loads(exchange.info(Market.USDM, NOW))["symbols"] if row["symbol"] == "BTCUSDT")
    assert (row["status"], row["deliveryDate"]) == ("SETTLING", NOW)
    assert "BTCUSDT" not in exchange.symbols(Market.USDM)


@pytest.mark.parametrize(
    ("market", "venue"),
    [(Market.SPOT, ccxt.binance), (Market.USDM, ccxt.binanceusdm), (Market.COINM, ccxt.binancecoinm)],
)
def test_ccxt_understands_every_symbol(market: Market, venue: Any) -> None:
    understand = venue({"options": {"crossMarginPairsData": [], "isolatedMarginPairsData": []}}).parse_market
    markets = [understand(row) for row in info(market)["symbols"]]
    assert [parsed["id"] for parsed in markets] == [each.symbol for each in EXCHANGE.all(market)]
    assert [parsed["active"] for parsed in markets] == [each.trading for each in EXCHANGE.all(market)]
    kind = "spot" if market is Market.SPOT else "contract"
    assert all(parsed[kind] for parsed in markets)
