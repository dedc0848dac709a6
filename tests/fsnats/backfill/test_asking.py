import asyncio
import gzip

import pytest

from fsnats.backfill.asking import Asking, Refusal
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.errors import BusUnavailable, ExchangeUnavailable
from fsnats.history import RestReply
from tests.clock import HandClock, settle
from tests.fsnats.backfill.exchange import Exchange, asking

FULL = RestReply(429, b'{"code":-1003,"msg":"Too much request weight used"}', 100, 7.0)
DOWN = RestReply(503, b'{"code":-1001,"msg":"http: HTTP 503."}')


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def exchange(bus: MemoryBus) -> Exchange:
    return Exchange(bus, now_ms=1_700_000_000_000)


async def test_an_answer_is_the_body_packed_or_not(bus: MemoryBus, exchange: Exchange) -> None:
    exchange.replies = [RestReply(200, b"[1]"), RestReply(200, gzip.compress(b"[2]"), packed=True)]
    ask = asking(bus)
    assert [await ask.get(Market.SPOT, "klines", {}) for _ in range(2)] == [b"[1]", b"[2]"]
    assert ask.asked == 2
    assert all(request.background for request in exchange.asked)


async def test_the_exchanges_time_is_asked_for(bus: MemoryBus, exchange: Exchange) -> None:
    assert await asking(bus).time(Market.USDM) == 1_700_000_000_000
    exchange.replies = [RestReply(200, b"<html>")]
    with pytest.raises(ExchangeUnavailable):
        await asking(bus).time(Market.USDM)


async def test_who_is_told_to_wait_waits_so_long_and_all_others_too(
    bus: MemoryBus, exchange: Exchange, clock: HandClock
) -> None:
    ask = asking(bus, clock)
    exchange.replies = [FULL]
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(ask.get(Market.USDM, "time", {}))
        await settle()
        assert ask.waiting == pytest.approx(7)
        others = [tasks.create_task(ask.get(Market.COINM, "time", {})) for _ in range(5)]
        spot = tasks.create_task(ask.get(Market.SPOT, "time", {}))
        await settle()
        assert spot.done()
        await clock.advance(6.9)
        assert len(exchange.asked) == 2
        await clock.advance(0.2)
    assert first.done()
    assert all(task.done() for task in others)
    assert len(exchange.asked) == 8
    assert ask.waiting == 0


async def test_nobody_gives_up_because_others_need_the_weight(
    bus: MemoryBus, exchange: Exchange, clock: HandClock
) -> None:
    exchange.replies = [FULL] * 100
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(asking(bus, clock).get(Market.USDM, "time", {}))
        await clock.advance(701)
    assert task.done()


async def test_a_refusal_says_what_the_exchange_says(bus: MemoryBus, exchange: Exchange) -> None:
    exchange.replies = [RestReply(400, b'{"code":-1121,"msg":"Invalid symbol."}')]
    with pytest.raises(Refusal, match=r"Invalid symbol\. \(-1121\)") as caught:
        await asking(bus).get(Market.SPOT, "klines", {})
    assert caught.value.code == -1121
    exchange.replies = [RestReply(403, b"<html>")]
    with pytest.raises(Refusal, match="<html>"):
        await asking(bus).get(Market.SPOT, "klines", {})


async def test_trouble_is_borne_for_a_while_and_then_told(bus: MemoryBus, exchange: Exchange, clock: HandClock) -> None:
    exchange.replies = [DOWN] * 1000
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_caught(asking(bus, clock, 60.0)))
        await clock.advance(59)
        assert not task.done() or len(exchange.asked) > 5
        await clock.advance(60)
    assert isinstance(task.result(), ExchangeUnavailable)
    assert "HTTP 503" in str(task.result())


async def test_trouble_that_ends_is_forgotten(bus: MemoryBus, exchange: Exchange, clock: HandClock) -> None:
    ask = asking(bus, clock, 60.0)
    for _ in range(5):
        exchange.replies = [DOWN] * 4
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(ask.get(Market.USDM, "time", {}))
            await clock.advance(50)
        assert task.done()


async def test_who_is_told_nothing_of_the_bus_hears_of_it(clock: HandClock) -> None:
    bus = MemoryBus()
    bus.is_connected = False
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_caught(asking(bus, clock, 10.0)))
        await clock.advance(30)
    assert isinstance(task.result(), BusUnavailable)


async def test_a_recorder_never_loses_patience(bus: MemoryBus, exchange: Exchange, clock: HandClock) -> None:
    exchange.replies = [DOWN] * 200
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(asking(bus, clock, None).get(Market.USDM, "time", {}))
        await clock.advance(4000)
    assert task.done()
    assert len(exchange.asked) == 201


async def _caught(ask: Asking) -> Exception:
    try:
        await ask.get(Market.USDM, "time", {})
    except (BusUnavailable, ExchangeUnavailable) as error:
        return error
    raise AssertionError("no error")
