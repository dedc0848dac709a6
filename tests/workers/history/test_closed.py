"""REST requests for candles that are over: the store answers as the exchange does, or not at all."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.candles.calendar import MINUTE
from fsnats.store import Series
from tests.workers.history.shelves import Exchange, Table, shelf_of
from workers.history.candles import Candles
from workers.history.closed import Closed, Range, range_of

NOW = 1_795_174_351_645
THEN = NOW // MINUTE * MINUTE - 500 * MINUTE
NAMES = {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD_PERP"}


class World:
    def __init__(self, market: Market = Market.USDM, holes: frozenset[int] = frozenset()) -> None:
        self.market = market
        self.table = Table()
        self.exchange = Exchange(market, "1m", THEN - 50 * MINUTE, NOW, holes)
        self.closed = Closed(Candles(shelf_of(self.table), self.exchange), self.exchange)

    def query(self, start: int | None, end: int | None, limit: int = 500) -> dict[str, str]:
        named = {"symbol": NAMES[self.market], "interval": "1m", "limit": str(limit)}
        return named | {name: str(time) for name, time in (("startTime", start), ("endTime", end)) if time is not None}

    async def told(self, start: int | None, end: int | None, limit: int) -> bytes:
        """The exchange's answer."""
        query = self.query(start, end, limit)
        numbers: dict[str, str | int] = {name: int(query[name]) for name in query if name[-4:] in ("Time", "imit")}
        return (await self.exchange.get("klines", numbers)).body

    async def ask(self, start: int | None, end: int | None, limit: int = 500) -> tuple[bytes, str]:
        """The answer, and whose it is; as the relay does it."""
        query = self.query(start, end, limit)
        asked = range_of(self.market, "klines", query)
        if asked is not None and (body := await self.closed.answer(asked)) is not None:
            return body, "store"
        now = self.exchange.now
        body = await self.told(start, end, limit)
        if asked is not None:
            await self.closed.keep(asked, body, now)
        return body, "exchange"


async def test_what_was_answered_once_is_never_asked_again() -> None:
    world = World()
    first = await world.ask(THEN, THEN + 99 * MINUTE)
    again = await world.ask(THEN, THEN + 99 * MINUTE)
    part = await world.ask(THEN + 10 * MINUTE, THEN + 20 * MINUTE, 5)
    assert (first[1], again[1], part[1]) == ("exchange", "store", "store")
    assert again[0] == first[0]
    assert json.loads(part[0]) == json.loads(first[0])[10:15]
    assert len(world.exchange.asked) == 1


@pytest.mark.parametrize(("market", "told"), [(Market.USDM, slice(5)), (Market.COINM, slice(-5, None))])
async def test_of_more_than_was_asked_for_the_first_come_and_on_coinm_the_last(market: Market, told: slice) -> None:
    world = World(market)
    whole, _ = await world.ask(THEN, THEN + 29 * MINUTE)
    part, source = await world.ask(THEN, THEN + 29 * MINUTE, 5)
    assert source == "store"
    assert json.loads(part) == json.loads(whole)[told]


async def test_what_may_still_change_is_asked_each_time() -> None:
    world = World()
    for _ in range(2):
        assert (await world.ask(THEN, NOW))[1] == "exchange"
    newest = NOW // MINUTE * MINUTE
    world.exchange.now = newest + 3000  # the one before is over, and not settled
    for _ in range(2):
        assert (await world.ask(THEN, newest - 1))[1] == "exchange"
    world.exchange.now = newest + 15_000
    assert [(await world.ask(THEN, newest - 1))[1] for _ in range(2)] == ["exchange", "store"]


async def test_so_many_from_a_time_on_are_known_as_soon_as_they_are_over() -> None:
    world = World()
    first = await world.ask(THEN, None, 100)
    assert (await world.ask(THEN, None, 100), (await world.ask(THEN + 7 * MINUTE, None, 50))[1]) == (
        (first[0], "store"),
        "store",
    )
    assert [(await world.ask(THEN, None, 1000))[1] for _ in range(2)] == ["exchange"] * 2  # with the open one
    assert len(world.table.bars[Series(Market.USDM, "kline", "BTCUSDT", "1m")]) == 500
    assert (await world.ask(NOW + MINUTE, None))[0] == b"[]"


async def test_the_last_ones_before_a_time_are_known_too_and_that_none_is_before_them() -> None:
    world = World()
    for limit in (10, 1000):
        first = await world.ask(None, THEN, limit)
        assert await world.ask(None, THEN, limit) == (first[0], "store")
    assert (await world.ask(THEN - 10_000 * MINUTE, THEN - 40 * MINUTE))[1] == "store"


async def test_a_range_that_is_known_in_part_is_asked_as_a_whole() -> None:
    world = World()
    await world.ask(THEN + 5 * MINUTE, THEN + 9 * MINUTE)
    assert (await world.ask(THEN, THEN + 20 * MINUTE))[1] == "exchange"
    assert (await world.ask(THEN, THEN + 20 * MINUTE))[1] == "store"


async def test_a_store_that_is_gone_is_nobodys_business() -> None:
    world = World()
    await world.ask(THEN, THEN + 9 * MINUTE)
    world.table.broken = True
    assert (await world.ask(THEN, THEN + 9 * MINUTE))[1] == "exchange"


async def test_what_is_no_answer_is_not_kept() -> None:
    world = World()
    asked = range_of(Market.USDM, "klines", world.query(THEN, THEN + 9 * MINUTE))
    assert asked is not None
    other = [[THEN + 60 * MINUTE, *["1"] * 5, THEN, "1", 1, "1", "1", "0"]]
    for body in (b"", b"{}", b"[[1]]", msgspec.json.encode(other), msgspec.json.encode(other * 2)):
        await world.closed.keep(asked, body, NOW)
    assert world.table.bars == {}


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        ("klines", {"startTime": None, "endTime": None}),
        ("klines", {"timeZone": "8"}),
        ("klines", {"limit": "0"}),
        ("klines", {"limit": "1501"}),
        ("klines", {"endTime": "5"}),
        ("klines", {"endTime": "9" * 20}),
        ("uiKlines", {}),
        ("markPriceKlines", {}),
    ],
)
def test_only_whole_ranges_are_looked_for(method: str, changed: dict[str, str | None]) -> None:
    query: dict[str, Any] = World().query(THEN, THEN + MINUTE) | changed
    assert range_of(Market.USDM, method, {name: value for name, value in query.items() if value is not None}) is None


def test_continuous_candles_are_a_series_of_their_own() -> None:
    times = {"startTime": str(THEN + 1), "endTime": str(THEN + 2 * MINUTE)}
    named = {"pair": "BTCUSDT", "contractType": "PERPETUAL", "interval": "1m"}
    series = Series(Market.USDM, "continuousKline", "BTCUSDT_PERPETUAL", "1m")
    asked = range_of(Market.USDM, "continuousKlines", named | times)
    assert asked == Range(series, THEN + MINUTE, THEN + 2 * MINUTE, 500)


def test_coinm_tells_of_two_hundred_days_at_most() -> None:
    world = World(Market.COINM)
    assert range_of(Market.COINM, "klines", world.query(NOW - 201 * 86_400_000, NOW)) is None
    assert range_of(Market.COINM, "klines", world.query(THEN, None)) is None
    assert range_of(Market.COINM, "klines", world.query(None, NOW)) is None


@given(
    market=st.sampled_from(Market),
    questions=st.lists(
        st.tuples(
            st.one_of(st.integers(-60, 40), st.integers(480, 510)),  # before the listing, and up to now
            st.integers(0, 60),
            st.one_of(st.just(100), st.integers(1, 40)),
            st.integers(0, 90_000),
            st.sampled_from(("both", "both", "start", "end")),
        ),
        max_size=15,
    ),
    holes=st.frozensets(st.integers(0, 100), max_size=5),
)
@settings(max_examples=150, deadline=None)
async def test_the_store_answers_as_the_exchange_would(
    market: Market, questions: list[tuple[int, int, int, int, str]], holes: frozenset[int]
) -> None:
    world = World(market, frozenset(THEN + hole * MINUTE for hole in holes))
    for begins, length, limit, shift, bounds in questions:
        at = THEN + begins * MINUTE + shift
        start = None if bounds == "end" else at
        end = None if bounds == "start" else at + length * MINUTE
        body, _ = await world.ask(start, end, limit)
        assert body == await world.told(start, end, limit)
