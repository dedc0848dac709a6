import asyncio
from collections.abc import AsyncIterator

import pytest

from fsnats.backfill.filler import Outcome
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.store import Batch, Rows, Series, Span
from tests.clock import HandClock, settle
from tests.conftest import eventually
from tests.fsnats.backfill.exchange import Exchange, Kept, candle
from workers.recorder.mending import LOOK, Mending

BARS = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
MINUTE = 60_000
FIRST = 1_790_000_040_000 // MINUTE * MINUTE


class Shop:
    """A store with candles that are known to be complete but for some, and who has these fetched."""

    def __init__(self, clock: HandClock) -> None:
        self.bus = MemoryBus()
        openings = [FIRST + minute * MINUTE for minute in range(20)]
        self.exchange = Exchange(self.bus, openings=openings, now_ms=FIRST + 13 * MINUTE + 5_000)
        self.store = Kept()
        self.open = True
        self.told: list[Outcome] = []
        self.mending = Mending(
            self.bus, clock, lambda: [BARS], lambda: self.store if self.open else None, self.told.append
        )

    async def keep(self, first: int, last: int) -> None:
        """Have some minutes in the store."""
        opens = [FIRST + minute * MINUTE for minute in range(first, last + 1)]
        klines = [candle(BARS, at) for at in opens]
        await self.store.write(Batch([Rows(BARS, klines=klines, covered=[Span(opens[0], opens[-1])])]))


@pytest.fixture
async def shop(clock: HandClock) -> AsyncIterator[Shop]:
    shop = Shop(clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(shop.mending.run())
        await settle()
        yield shop
        running.cancel()


async def test_a_hole_that_stays_is_filled(shop: Shop, clock: HandClock) -> None:
    await shop.keep(0, 5)
    await shop.keep(9, 12)
    await clock.advance(LOOK)
    assert shop.exchange.methods == {"time": 1}
    await clock.advance(LOOK)
    await eventually(lambda: shop.mending.rows == 3)
    assert await shop.store.spans(BARS) == [Span(FIRST, FIRST + 12 * MINUTE)]
    assert [(each.want.series, each.rows) for each in shop.told] == [(BARS, 3)]
    await clock.advance(LOOK)
    assert shop.mending.holes.open == 0


async def test_what_the_exchange_does_not_have_is_no_hole(shop: Shop, clock: HandClock) -> None:
    shop.exchange.openings.remove(FIRST + 7 * MINUTE)
    await shop.keep(0, 5)
    await shop.keep(9, 12)
    await clock.advance(2 * LOOK)
    await eventually(lambda: shop.told)
    assert shop.mending.rows == 2
    assert await shop.store.spans(BARS) == [Span(FIRST, FIRST + 12 * MINUTE)]


async def test_candles_that_were_over_while_nobody_recorded_are_fetched_at_the_start(
    shop: Shop, clock: HandClock
) -> None:
    await shop.keep(0, 5)
    shop.exchange.now_ms = FIRST + 9 * MINUTE + 30_000
    await clock.advance(LOOK)
    await eventually(lambda: shop.mending.rows == 3)
    assert await shop.store.spans(BARS) == [Span(FIRST, FIRST + 8 * MINUTE)]
    shop.exchange.now_ms = FIRST + 12 * MINUTE + 30_000
    await clock.advance(5 * LOOK)
    assert shop.mending.rows == 3, "from then on they come by themselves"


async def test_before_the_store_is_open_nothing_is_looked_for(shop: Shop, clock: HandClock) -> None:
    shop.open = False
    await shop.keep(0, 5)
    await shop.keep(9, 12)
    await clock.advance(5 * LOOK)
    assert shop.exchange.asked == []


async def test_trouble_is_told_and_does_not_last(shop: Shop, clock: HandClock) -> None:
    shop.bus.is_connected = False
    await shop.keep(0, 5)
    await shop.keep(9, 12)
    for _ in range(30):
        await clock.advance(LOOK)
    assert shop.mending.trouble
    shop.bus.is_connected = True
    for _ in range(10):
        await clock.advance(LOOK)
    await eventually(lambda: shop.mending.rows == 3)
    await clock.advance(LOOK)
    assert shop.mending.trouble == ""
