import asyncio
from collections.abc import AsyncIterator

import pytest

from fsnats import demand
from fsnats.announcer import Announcer
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.demand import Announcement
from fsnats.subjects import DEMAND_REQUEST
from fsnats.subjects import demand as demand_subject
from tests.clock import HandClock, settle


class Office:
    """An announcer on a bus in memory, and what it says."""

    def __init__(self, clock: HandClock) -> None:
        self.bus = MemoryBus()
        self.wanted: list[str] = []
        self.said: list[Announcement] = []
        for market in (Market.SPOT, Market.USDM):
            self.bus.subscribe(demand_subject(market), lambda _s, _r, data: self.said.append(demand.decode(data)))
        self.announcer = Announcer(
            "me",
            (Market.SPOT, Market.USDM),
            self.bus,
            clock.monotonic,
            lambda market: self.wanted if market is Market.SPOT else (),
        )

    def new(self) -> list[tuple[str, str, list[str]]]:
        said: list[tuple[str, str, list[str]]] = [(each.market, each.kind, each.streams) for each in self.said]
        self.said.clear()
        return said


@pytest.fixture
async def office(clock: HandClock) -> AsyncIterator[Office]:
    office = Office(clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(office.announcer.run())
        await settle()
        yield office
        running.cancel()


async def test_the_whole_set_of_each_market_is_told_at_once(office: Office) -> None:
    assert office.new() == [("spot", "whole", []), ("usdm", "whole", [])]


async def test_what_one_turn_adds_is_told_together(office: Office) -> None:
    office.new()
    office.announcer.add(Market.USDM, "a@trade")
    office.announcer.add(Market.USDM, "b@trade")
    await settle()
    assert office.new() == [("usdm", "add", ["a@trade", "b@trade"])]


async def test_what_is_dropped_is_told_in_pages(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand, "STREAMS_PER_PAGE", 2)
    office.new()
    office.announcer.drop(Market.SPOT, ["a@trade", "b@trade", "c@trade"])
    assert office.new() == [("spot", "drop", ["a@trade", "b@trade"]), ("spot", "drop", ["c@trade"])]


async def test_whoever_asks_hears_the_whole_set(office: Office) -> None:
    office.new()
    office.wanted = ["a@trade"]
    office.bus.publish(DEMAND_REQUEST, b"")
    await settle()
    assert office.new() == [("spot", "whole", ["a@trade"]), ("usdm", "whole", [])]


async def test_rounds_are_counted_so_that_pages_of_two_are_not_mixed(office: Office) -> None:
    office.announcer.announce_whole()
    assert [each.round for each in office.said if each.market is Market.SPOT] == [1, 2]
