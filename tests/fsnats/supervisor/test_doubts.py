"""What a worker is told that wonders about silent streams."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.subjects import TRADING
from fsnats.supervisor.census import Census
from fsnats.supervisor.doubts import FRESH, Doubts
from fsnats.symbols import Listing, Symbol
from fsnats.trading import TIMEOUT, TradingReply, TradingRequest
from tests.clock import HandClock

LISTING = Listing(
    Market.SPOT,
    0,
    False,
    [Symbol("BTCUSDT", "BTCUSDT", "", "TRADING"), Symbol("FTTUSDT", "FTTUSDT", "", "HALT")],
)


class Taken:
    """A census that has a list, or none, or takes for ever."""

    def __init__(self, listing: Listing | None) -> None:
        self.listing = listing
        self.since: list[tuple[Market, float]] = []
        self.hangs = False

    async def fresh(self, market: Market, since: float) -> Listing | None:
        self.since.append((market, since))
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        return self.listing


@contextlib.asynccontextmanager
async def serving(census: Taken) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(Doubts(bus, cast(Census, census), HandClock(1000.0)).run())
        await asyncio.sleep(0)
        yield bus
        task.cancel()


async def ask(bus: MemoryBus, *streams: str) -> TradingReply:
    request = msgspec.json.encode(TradingRequest(Market.SPOT, list(streams)))
    return msgspec.json.decode(await bus.request(TRADING, request, TIMEOUT + 2), type=TradingReply)


async def test_it_is_told_which_streams_rest_and_why() -> None:
    census = Taken(LISTING)
    async with serving(census) as bus:
        reply = await ask(bus, "btcusdt@trade", "fttusdt@trade", "gone@trade", "!miniTicker@arr", "rubbish")
    assert reply.resting.keys() == {"fttusdt@trade", "gone@trade", "rubbish"}
    assert "status HALT" in reply.resting["fttusdt@trade"]
    assert census.since == [(Market.SPOT, 1000.0 - FRESH)]


async def test_where_there_is_no_list_it_is_told_that() -> None:
    async with serving(Taken(None)) as bus:
        reply = await ask(bus, "btcusdt@trade")
    assert (reply.resting, reply.error) == ({}, "the list of spot cannot be had now")


async def test_a_list_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsnats.supervisor.doubts.TIMEOUT", 0.01)
    census = Taken(LISTING)
    census.hangs = True
    async with serving(census) as bus:
        assert (await ask(bus, "btcusdt@trade")).error


async def test_a_question_that_makes_no_sense_disturbs_nothing() -> None:
    async with serving(Taken(LISTING)) as bus:
        for payload in (b"", b"{}", b"\xff", b'{"market":"moon","streams":[]}'):
            bus.publish(TRADING, payload, "_INBOX.x")
        assert not (await ask(bus, "btcusdt@trade")).resting
