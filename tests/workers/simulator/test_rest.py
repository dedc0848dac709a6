import json
from pathlib import Path
from typing import Any

import pytest

from fsnats.binance.parameters import RestError
from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, make_world
from workers.simulator.rest import Rest

REST = Rest(make_world())
DAY = 86_400_000
MINUTE = 60_000
SYMBOL = {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD_PERP"}


async def get(market: Market, name: str, now: int = NOW, **query: object) -> Any:
    return json.loads(await REST.answer(market, name, {key: str(value) for key, value in query.items()}, now))


async def klines(market: Market, interval: str = "1m", now: int = NOW, **query: object) -> list[list[Any]]:
    rows: list[list[Any]] = await get(market, "klines", now, symbol=SYMBOL[market], interval=interval, **query)
    return rows


async def refusal(market: Market, name: str, **query: object) -> Any:
    with pytest.raises(RestError) as error:
        await get(market, name, NOW, **query)
    return json.loads(error.value.body)


@pytest.mark.parametrize("market", Market)
async def test_aggregate_trades_can_be_read_on_by_their_ids(market: Market) -> None:
    newest = await get(market, "aggTrades", symbol=SYMBOL[market])
    again = await get(market, "aggTrades", symbol=SYMBOL[market], fromId=newest[0]["a"], limit=500)
    assert again == newest
    ids = [trade["a"] for trade in newest]
    assert ids == list(range(ids[0], ids[0] + 500))
    assert newest[-1]["T"] <= NOW


async def test_aggregate_trades_of_a_stretch_of_time() -> None:
    start = NOW // MINUTE * MINUTE - MINUTE
    trades = await get(
        Market.SPOT, "aggTrades", symbol="BTCUSDT", startTime=start, endTime=start + MINUTE - 1, limit=1000
    )
    assert len(trades) == BTC[Market.SPOT].aggregates
    assert all(start <= trade["T"] < start + MINUTE for trade in trades)
    (row,) = await klines(Market.SPOT, startTime=start, limit=1)
    assert (trades[0]["p"], trades[-1]["p"]) == (row[1], row[4])
    assert sum(trade["l"] - trade["f"] + 1 for trade in trades) == row[8]


async def test_trades_of_the_future_do_not_exist() -> None:
    (newest,) = await get(Market.SPOT, "aggTrades", symbol="BTCUSDT", limit=1)
    assert await get(Market.SPOT, "aggTrades", symbol="BTCUSDT", fromId=newest["a"] + 1) == []


async def test_usdm_gives_no_trades_older_than_two_days() -> None:
    error = await refusal(Market.USDM, "aggTrades", symbol="BTCUSDT", startTime=NOW - 3 * DAY)
    assert error["code"] == -4166


@pytest.mark.parametrize("market", Market)
async def test_a_depth_snapshot_is_uncrossed(market: Market) -> None:
    book = await get(market, "depth", symbol=SYMBOL[market], limit=100)
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert len(book["bids"]) == len(book["asks"]) == 100
    extra = {Market.SPOT: set[str](), Market.USDM: {"E", "T"}, Market.COINM: {"E", "T", "symbol", "pair"}}
    assert set(book) == {"lastUpdateId", "bids", "asks"} | extra[market]


@pytest.mark.parametrize(
    ("market", "name", "query", "code"),
    [
        (Market.SPOT, "klines", {"interval": "1m"}, -1102),
        (Market.SPOT, "klines", {"symbol": "BTCUSDT"}, -1102),
        (Market.SPOT, "klines", {"symbol": "NOSUCH", "interval": "1m"}, -1121),
        (Market.SPOT, "klines", {"symbol": "btcusdt", "interval": "1m"}, -1100),
        (Market.USDM, "klines", {"symbol": "btcusdt", "interval": "1m"}, -1121),
        (Market.USDM, "klines", {"symbol": "BTCUSDT", "interval": "1s"}, -1120),
        (Market.SPOT, "klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        (Market.SPOT, "klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 1001}, -1130),
        (Market.SPOT, "klines", {"symbol": "BTCUSDT", "interval": "1m", "endTime": "None"}, -1100),
        (Market.COINM, "klines", {"symbol": "BTCUSD_PERP", "interval": "1d", "startTime": 0, "endTime": NOW}, -1127),
        (Market.USDM, "depth", {"symbol": "BTCUSDT", "limit": 7}, -4021),
        (Market.SPOT, "exchangeInfo", {"symbol": "NOSUCH"}, -1121),
        (Market.SPOT, "exchangeInfo", {"symbols": "BTCUSDT"}, -1100),
        (Market.USDM, "continuousKlines", {"pair": "NO", "contractType": "PERPETUAL", "interval": "1m"}, -1121),
        (Market.SPOT, "continuousKlines", {}, -5000),
        (Market.SPOT, "nosuch", {}, -5000),
    ],
)
async def test_errors_carry_the_codes_of_the_exchange(
    market: Market, name: str, query: dict[str, object], code: int
) -> None:
    assert (await refusal(market, name, **query))["code"] == code


async def test_exchange_info_of_some_symbols() -> None:
    one = await get(Market.SPOT, "exchangeInfo", symbol="BTCUSDT")
    two = await get(Market.SPOT, "exchangeInfo", symbols='["BTCUSDT","币安人生USDT"]')
    broken = await get(Market.SPOT, "exchangeInfo", symbolStatus="BREAK")
    assert [row["symbol"] for row in one["symbols"]] == ["BTCUSDT"]
    assert [row["symbol"] for row in two["symbols"]] == ["BTCUSDT", "币安人生USDT"]
    assert {row["status"] for row in broken["symbols"]} == {"BREAK"}


@pytest.mark.parametrize(
    ("market", "name", "query", "weight"),
    [
        (Market.SPOT, "klines", {}, 2),
        (Market.USDM, "klines", {}, 5),
        (Market.USDM, "klines", {"limit": "100"}, 1),
        (Market.USDM, "klines", {"limit": "500"}, 2),
        (Market.USDM, "klines", {"limit": "1500"}, 10),
        (Market.SPOT, "exchangeInfo", {}, 20),
        (Market.COINM, "exchangeInfo", {}, 1),
        (Market.SPOT, "depth", {"limit": "5000"}, 250),
        (Market.SPOT, "depth", {}, 5),
        (Market.USDM, "depth", {"limit": "1000"}, 20),
        (Market.SPOT, "nosuch", {}, 1),
    ],
)
def test_weights_are_the_documented_ones(market: Market, name: str, query: dict[str, str], weight: int) -> None:
    assert REST.weight(market, name, query) == weight


@pytest.mark.parametrize("market", Market)
async def test_tickers_are_one_or_all(market: Market) -> None:
    for name in ("ticker/price", "ticker/bookTicker"):
        every = await get(market, name)
        assert len(every) == len(make_world().exchange.trading(market))
        one = await get(market, name, symbol=SYMBOL[market])
        assert (one[0] if market is Market.COINM else one)["symbol"] == SYMBOL[market]


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("example", "market", "name"),
    [
        ("spot.rest.aggTrades.3", Market.SPOT, "aggTrades"),
        ("usdm.rest.aggTrades.1", Market.USDM, "aggTrades"),
        ("coinm.rest.aggTrades.1", Market.COINM, "aggTrades"),
        ("spot.rest.depth.1", Market.SPOT, "depth"),
        ("usdm.rest.depth.1", Market.USDM, "depth"),
        ("coinm.rest.depth.1", Market.COINM, "depth"),
        ("usdm.rest.premiumIndex.1", Market.USDM, "premiumIndex"),
        ("spot.rest.ticker_bookTicker.1", Market.SPOT, "ticker/bookTicker"),
        ("usdm.rest.ticker_bookTicker.1", Market.USDM, "ticker/bookTicker"),
        ("spot.rest.ticker_24hr.1", Market.SPOT, "ticker/24hr"),
        ("usdm.rest.ticker_24hr.1", Market.USDM, "ticker/24hr"),
        ("coinm.rest.ticker_24hr.1", Market.COINM, "ticker/24hr"),
        ("coinm.rest.ticker_price.1", Market.COINM, "ticker/price"),
        ("coinm.rest.premiumIndex.1", Market.COINM, "premiumIndex"),
        ("spot.rest.avgPrice.1", Market.SPOT, "avgPrice"),
        ("usdm.rest.fundingRate.1", Market.USDM, "fundingRate"),
        ("coinm.rest.fundingRate.1", Market.COINM, "fundingRate"),
    ],
)
async def test_keys_are_those_of_a_recorded_reply(example: str, market: Market, name: str, recordings: Path) -> None:
    recorded = json.loads((recordings / "examples" / f"{example}.json").read_text())
    made = await get(market, name, symbol=SYMBOL[market])
    recorded, made = (reply[0] if isinstance(reply, list) else reply for reply in (recorded, made))
    assert set(made) == set(recorded)
