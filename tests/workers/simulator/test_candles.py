import json
from itertools import pairwise
from typing import Any

import pytest

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, make_world
from workers.simulator.candles import Candles
from workers.simulator.rest import Handler

CANDLES = Candles(make_world())
DAY = 86_400_000
MINUTE = 60_000
SYMBOL = {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD_PERP"}


async def get(ask: Handler, market: Market, now: int = NOW, **query: object) -> Any:
    return json.loads(await ask(market, {key: str(value) for key, value in query.items()}, now))


async def klines(market: Market, interval: str = "1m", now: int = NOW, **query: object) -> list[list[Any]]:
    rows: list[list[Any]] = await get(CANDLES.klines, market, now, symbol=SYMBOL[market], interval=interval, **query)
    return rows


@pytest.mark.parametrize("market", Market)
async def test_the_newest_candles_come_by_default(market: Market) -> None:
    rows = await klines(market)
    assert len(rows) == 500
    assert rows[-1][0] == NOW // MINUTE * MINUTE
    assert all(len(row) == 12 for row in rows)
    assert all(one[0] + MINUTE == two[0] == one[6] + 1 for one, two in pairwise(rows))
    assert all(one[4] == two[1] for one, two in pairwise(rows))


async def test_a_start_alone_gives_the_oldest_from_there() -> None:
    start = NOW - DAY
    rows = await klines(Market.SPOT, startTime=start, limit=3)
    assert [row[0] for row in rows] == [start // MINUTE * MINUTE + MINUTE * step for step in (1, 2, 3)]


async def test_an_end_alone_gives_the_newest_before_it() -> None:
    rows = await klines(Market.USDM, endTime=NOW - DAY, limit=3)
    assert rows[-1][0] == (NOW - DAY) // MINUTE * MINUTE
    assert len(rows) == 3


async def test_both_give_the_first_from_the_start_but_on_coinm_the_last_before_the_end() -> None:
    start, end = NOW - DAY, NOW - DAY + 100 * MINUTE
    spot = await klines(Market.SPOT, startTime=start, endTime=end, limit=10)
    coinm = await klines(Market.COINM, startTime=start, endTime=end, limit=10)
    assert spot[0][0] - start < MINUTE
    assert end - coinm[-1][0] < MINUTE
    assert len(spot) == len(coinm) == 10


async def test_a_closed_candle_is_whole_even_when_asked_until_its_middle() -> None:
    (row,) = await klines(Market.SPOT, endTime=NOW - DAY, limit=1)
    (whole,) = await klines(Market.SPOT, startTime=row[0], limit=1)
    assert row == whole


async def test_a_closed_candle_never_changes() -> None:
    then = await klines(Market.USDM, limit=2)
    later = await klines(Market.USDM, now=NOW + 10 * MINUTE, startTime=then[0][0], limit=2)
    assert later[0] == then[0]
    assert later[1][8] > then[1][8]  # the other one was still open


@pytest.mark.parametrize("market", Market)
async def test_hours_are_made_of_minutes(market: Market) -> None:
    hour, *_ = await klines(market, "1h", limit=2)
    rows = await klines(market, startTime=hour[0], endTime=hour[6])
    assert len(rows) == 60
    assert hour[1] == rows[0][1]
    assert hour[4] == rows[-1][4]
    assert float(hour[2]) == max(float(row[2]) for row in rows)
    assert hour[8] == sum(row[8] for row in rows)
    assert float(hour[5]) == pytest.approx(sum(float(row[5]) for row in rows))


async def test_history_ends_at_the_listing() -> None:
    rows = await klines(Market.SPOT, "1d", limit=1000)
    assert rows[0][0] == BTC[Market.SPOT].listed
    assert len(rows) == 61
    assert await klines(Market.SPOT, startTime=0, endTime=1) == []


async def test_a_day_of_another_zone_begins_at_its_midnight() -> None:
    (row,) = await klines(Market.SPOT, "1d", limit=1, timeZone="8")
    assert row[0] % DAY == 16 * 3_600_000


async def test_continuous_candles_are_those_of_the_contract() -> None:
    perpetual = await get(
        CANDLES.continuous, Market.USDM, pair="BTCUSDT", contractType="PERPETUAL", interval="1m", limit=5
    )
    assert perpetual == await klines(Market.USDM, limit=5)
    quarter = await get(
        CANDLES.continuous, Market.COINM, pair="BTCUSD", contractType="CURRENT_QUARTER", interval="1m", limit=5
    )
    assert quarter == await get(CANDLES.klines, Market.COINM, symbol="BTCUSD_261225", interval="1m", limit=5)
