import asyncio
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.backfill.filler import AT_ONCE, Filler, Outcome, Want
from fsnats.backfill.keys import count
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.candles.calendar import MINUTE, moved, opening
from fsnats.errors import ExchangeUnavailable, StoreUnavailable
from fsnats.history import RestReply, RestRequest
from fsnats.store import Batch, Origin, Rows, Series, Span, Store
from fsnats.store.opening import open_store
from fsnats.store.spans import missing, steps
from tests.clock import HandClock
from tests.fsnats.backfill.exchange import Exchange, Kept, asking, candle

START = 1_700_000_040_000
MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")


class Scene(NamedTuple):
    exchange: Exchange
    store: Kept
    filler: Filler
    told: list[int]


def scene(exchange: Exchange | None = None, store: Kept | None = None, clock: HandClock | None = None) -> Scene:
    bus = MemoryBus()
    made = Exchange(bus)
    if exchange is not None:
        made.interval, made.openings, made.trades = exchange.interval, exchange.openings, exchange.trades
    told: list[int] = []
    kept = store or Kept()
    return Scene(made, kept, Filler(kept, asking(bus, clock), made.now_ms, lambda _, keys: told.append(keys)), told)


def minute(number: int) -> int:
    return START + number * MINUTE


def minutes(first: int, last: int) -> Span:
    return Span(minute(first), minute(last))


@st.composite
def pieces(draw: st.DrawFn) -> list[int]:
    """Numbers with holes, some of them long."""
    numbers: list[int] = []
    at = 0
    for _ in range(draw(st.integers(0, 5))):
        at += draw(st.sampled_from((0, 1, 3, 700, 2500)))
        length = draw(st.sampled_from((1, 5, 400, 1100)))
        numbers += range(at, at + length)
        at += length
    return numbers


def behind(series: Series, covered: list[Span], key: int | None, last: int) -> list[Span]:
    """What is not known from a key on."""
    return [] if key is None else missing(covered, Span(key, last), steps(series))


held_ones = st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 900)), max_size=4)


@given(st.sampled_from(Market), st.sampled_from(("1m", "1h", "1d", "1M")), pieces(), held_ones, st.integers(1, 6000))
@settings(max_examples=150)
async def test_afterwards_everything_that_the_exchange_has_is_there(
    market: Market, interval: str, there: list[int], held: list[tuple[int, int]], last: int
) -> None:
    series = Series(market, "kline", "X", interval)
    last = min(last, {"1m": 6000, "1h": 6000, "1d": 2000, "1M": 60}[interval])
    first_ms = opening(interval, 1_577_836_800_000)

    def at(number: int) -> int:
        return moved(interval, first_ms, number)

    has = [number for number in there if number <= last]
    world = scene(Exchange(MemoryBus(), interval, map(at, has)))
    covered = [Span(at(one), at(min(one + length, last))) for one, length in held if one <= last]
    known = [candle(series, at(each)) for each in has if any(at(each) in range(s.first, s.last + 1) for s in covered)]
    await world.store.write(Batch([Rows(series, klines=known, covered=covered)]))

    want = Want(series, Span(at(0), at(last)))
    outcome = await world.filler.fill(want)
    stored = sorted(world.store.rows.get(series, {}))
    assert stored == [at(each) for each in has]
    left = missing(await world.store.spans(series), want.span, steps(series))
    # What has nothing behind it may still come, so it is not taken to be complete.
    assert left == behind(series, covered, outcome.nothing_from, want.span.last)
    assert outcome.nothing_from is None or not has or outcome.nothing_from > at(has[-1])
    assert outcome.rows == len(has) - len(known)
    assert sum(world.told) == sum(count(series, hole) for hole in missing(covered, want.span, steps(series)))
    assert world.exchange.most_in_work <= AT_ONCE

    again = scene(world.exchange, world.store)
    assert (await again.filler.fill(want)).rows == 0
    assert len(again.exchange.asked) <= (0 if not left else 40)


@given(pieces(), held_ones, st.integers(1, 6000))
@settings(max_examples=150)
async def test_trades_are_fetched_by_their_ids(there: list[int], held: list[tuple[int, int]], last: int) -> None:
    has = [number for number in there if number <= last]
    world = scene()
    world.exchange.trades = {number: START + number for number in there}
    covered = [Span(one, min(one + length, last)) for one, length in held if one <= last]
    await world.store.write(Batch([Rows(TRADES, covered=covered)]))
    outcome = await world.filler.fill(Want(TRADES, Span(0, last)))
    holes = missing(covered, Span(0, last), steps(TRADES))
    wanted = [each for each in has if any(hole.first <= each <= hole.last for hole in holes)]
    assert sorted(world.store.ids[TRADES]) == wanted
    left = missing(await world.store.spans(TRADES), Span(0, last), steps(TRADES))
    assert left == (
        [] if outcome.nothing_from is None else missing(covered, Span(outcome.nothing_from, last), steps(TRADES))
    )
    assert outcome.nothing_from is None or all(each < outcome.nothing_from for each in wanted)


async def test_what_may_still_come_is_asked_for_again() -> None:
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(700))))
    world.exchange.trades = dict.fromkeys(range(700), START)
    candles, trades = Want(MINUTES, minutes(0, 999)), Want(TRADES, Span(0, 999))
    assert (await world.filler.fill(candles)).nothing_from == minute(700)
    assert (await world.filler.fill(trades)).nothing_from == 700
    assert await world.store.spans(MINUTES) == [minutes(0, 699)]
    assert await world.store.spans(TRADES) == [Span(0, 699)]
    world.exchange.openings = [minute(number) for number in range(1000)]
    world.exchange.trades = dict.fromkeys(range(1000), START)
    assert (await world.filler.fill(candles)).rows == 300
    assert (await world.filler.fill(trades)).rows == 300


async def test_a_year_of_minutes_is_fetched_fifteen_pages_at_once_for_the_least_weight() -> None:
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(20_000))))
    outcome = await world.filler.fill(Want(MINUTES, minutes(0, 19_999)))
    assert (outcome.rows, outcome.nothing_from) == (20_000, None)
    assert world.exchange.most_in_work == AT_ONCE
    assert world.exchange.weight <= 2 * 41 + 1
    assert world.store.origins == {Origin.FETCHED}
    assert world.store.batches == 41


async def test_the_years_before_a_listing_cost_one_question_and_are_known_then() -> None:
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(1_000_000, 1_000_100))))
    await world.filler.fill(Want(MINUTES, minutes(0, 1_000_099)))
    assert len(world.exchange.asked) == 2
    assert await world.store.spans(MINUTES) == [minutes(0, 1_000_099)]


async def test_months_in_which_nothing_traded_are_not_paged_through() -> None:
    has = [*range(1000), *range(300_000, 301_000)]
    world = scene(Exchange(MemoryBus(), "1m", map(minute, has)))
    await world.filler.fill(Want(MINUTES, minutes(0, 300_999)))
    assert len(world.store.rows[MINUTES]) == 2000
    assert len(world.exchange.asked) <= 4 * AT_ONCE
    assert await world.store.spans(MINUTES) == [minutes(0, 300_999)]


async def test_answers_that_are_cut_short_are_asked_for_again() -> None:
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(3000))))
    random = Random(3)

    def cut(request: RestRequest) -> None:
        if request.query.get("limit") != "1" and random.random() < 0.3:
            request.query["limit"] = str(int(request.query["limit"]) // 2 + 1)

    world.exchange.before = cut
    outcome = await world.filler.fill(Want(MINUTES, minutes(0, 2999)))
    assert outcome.rows == 3000
    assert await world.store.spans(MINUTES) == [minutes(0, 2999)]


async def test_an_exchange_that_contradicts_itself_is_not_asked_for_ever() -> None:
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(100))))

    def hide(request: RestRequest) -> None:
        if request.query.get("limit") != "1":
            request.query["startTime"] = request.query["endTime"] = "1"

    world.exchange.before = hide
    with pytest.raises(ExceptionGroup) as caught:
        await world.filler.fill(Want(MINUTES, minutes(0, 99)))
    assert caught.group_contains(ExchangeUnavailable, match="has a candle at")


async def test_a_refusal_ends_its_series_and_no_other() -> None:
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(3000))))

    def refuse(request: RestRequest) -> None:
        if request.query["symbol"] == "NOPE":
            world.exchange.replies.append(RestReply(400, b'{"code":-1121,"msg":"Invalid symbol."}'))

    done: list[Outcome] = []
    other = Series(Market.USDM, "kline", "NOPE", "1m")
    # The reply to a request is decided before it is looked at: the next one is refused.
    world.exchange.before = refuse
    wants = [Want(other, minutes(0, 2999))]
    await world.filler.fill_all(wants, done.append)
    assert "Invalid symbol. (-1121)" in done[0].refused
    world.exchange.replies.clear()
    await world.filler.fill_all([Want(MINUTES, minutes(0, 2999))], done.append)
    assert (done[1].rows, done[1].refused) == (3000, "")


async def test_what_is_written_stays_when_the_store_or_the_user_ends_it() -> None:
    class Failing(Kept):
        async def write(self, batch: Batch) -> None:
            if self.batches == 3:
                raise StoreUnavailable("the disk is full")
            await super().write(batch)

    store = Failing()
    world = scene(Exchange(MemoryBus(), "1m", map(minute, range(5000))), store)
    with pytest.raises(ExceptionGroup) as caught:
        await world.filler.fill(Want(MINUTES, minutes(0, 4999)))
    assert caught.group_contains(StoreUnavailable)
    held = await store.spans(MINUTES)
    assert sum(count(MINUTES, span) for span in held) == len(store.rows[MINUTES]) == 3 * 499

    store.batches = 100
    again = scene(world.exchange, store)
    assert (await again.filler.fill(Want(MINUTES, minutes(0, 4999)))).rows == 5000 - 3 * 499


async def test_it_can_be_ended_at_any_moment_and_goes_on_where_it_stopped() -> None:
    store = Kept()
    for steps_ in range(1, 40):
        world = scene(Exchange(MemoryBus(), "1m", map(minute, range(2000))), store)
        task = asyncio.get_running_loop().create_task(world.filler.fill(Want(MINUTES, minutes(0, 1999))))
        for _ in range(steps_):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held = await store.spans(MINUTES)
        assert sum(count(MINUTES, span) for span in held) == len(store.rows.get(MINUTES, {}))
    assert len(store.rows[MINUTES]) == 2000


@pytest.fixture
async def sqlite(tmp_path: Path) -> Store:
    return await open_store("", str(tmp_path))


async def test_into_a_real_database(sqlite: Store) -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, "1m", map(minute, [*range(50), *range(90, 700)]))
    exchange.trades = {number: START + number for number in range(10, 2500)}
    filler = Filler(sqlite, asking(bus), exchange.now_ms)
    done: list[Outcome] = []
    await filler.fill_all([Want(MINUTES, minutes(-100, 699)), Want(TRADES, Span(0, 2499))], done.append)
    assert {outcome.rows for outcome in done} == {660, 2490}
    assert await sqlite.spans(MINUTES) == [minutes(-100, 699)]
    assert await sqlite.spans(TRADES) == [Span(0, 2499)]
    assert [row.agg_id for row in await sqlite.trades(TRADES, 0, 10**9, 10**4)] == list(range(10, 2500))
    rows = await sqlite.klines(MINUTES, 0, 2**60, 10**4)
    assert rows == [candle(MINUTES, at) for at in exchange.openings]
    await sqlite.close()
