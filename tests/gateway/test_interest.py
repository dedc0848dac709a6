import asyncio
from collections.abc import AsyncIterator

import pytest

from fsnats import demand
from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.demand import Announcement
from fsnats.frames import VERSION, Frame, encode
from fsnats.subjects import DEMAND_REQUEST
from fsnats.subjects import demand as demand_subject
from fsnats.websocket.frames import text
from gateway.effects import Form
from gateway.fanout.hub import Hub
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.interest import LINGER, Interest
from tests.clock import HandClock, settle

RAW = Form(b"", b"")
TRADES = parse(Market.SPOT, "btcusdt@trade")


class House:
    """Interest and hub of one gateway on a bus in memory, and what it announces."""

    def __init__(self, clock: HandClock) -> None:
        self.bus = MemoryBus()
        self.clock = clock
        self.heard: list[Announcement] = []
        self.bus.subscribe(demand_subject(Market.SPOT), lambda _s, _r, data: self.heard.append(demand.decode(data)))
        self.interest = Interest("g", (Market.SPOT,), self.bus, clock.monotonic)
        self.tally = tally = Tally()
        self.hub = Hub(self.interest.first, self.interest.last, tally)
        self.written: list[bytes] = []
        self.outbox = Outbox(self.written.append, lambda: None, self.hub.turn)

    def announced(self) -> list[tuple[str, list[str]]]:
        heard: list[tuple[str, list[str]]] = [(announcement.kind, announcement.streams) for announcement in self.heard]
        self.heard.clear()
        return heard


@pytest.fixture
async def house(clock: HandClock) -> AsyncIterator[House]:
    house = House(clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.interest.run())
        await settle()
        yield house
        running.cancel()


async def test_a_gateway_says_at_once_that_it_is_there(house: House) -> None:
    assert house.announced() == [("whole", [])]


async def test_what_one_turn_adds_is_one_announcement(house: House) -> None:
    house.announced()
    names = [f"s{number}@trade" for number in range(500)]
    for name in names:
        house.hub.listen(parse(Market.SPOT, name), RAW, house.outbox)
    await settle()

    assert house.announced() == [("add", names)]


async def test_a_stream_is_dropped_a_moment_after_its_last_listener(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    await settle()
    house.announced()
    house.hub.leave(TRADES, RAW, house.outbox)
    house.interest._drop_idle()
    assert house.announced() == []

    await house.clock.advance(LINGER)
    house.interest._drop_idle()
    assert house.announced() == [("drop", ["btcusdt@trade"])]


async def test_more_streams_than_fit_into_one_announcement_are_added_and_dropped_in_several(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demand, "STREAMS_PER_PAGE", 2)
    streams = [parse(Market.SPOT, f"s{number}usdt@trade") for number in range(5)]
    for stream in streams:
        house.hub.listen(stream, RAW, house.outbox)
    await settle()
    assert [len(names) for kind, names in house.announced() if kind == "add"] == [2, 2, 1]
    for stream in streams:
        house.hub.leave(stream, RAW, house.outbox)
    await house.clock.advance(LINGER)
    house.interest._drop_idle()
    assert [len(names) for kind, names in house.announced() if kind == "drop"] == [2, 2, 1]


async def test_a_crowd_that_reconnects_does_not_thrash_the_bus(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    await settle()
    house.announced()
    house.hub.leave(TRADES, RAW, house.outbox)
    house.hub.listen(TRADES, RAW, house.outbox)
    await house.clock.advance(LINGER)
    house.interest._drop_idle()
    await settle()

    assert house.announced() == []


async def test_a_worker_that_asks_gets_the_whole_set(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    await settle()
    house.announced()
    house.bus.publish(DEMAND_REQUEST, b"")
    await settle()

    assert house.announced() == [("whole", ["btcusdt@trade"])]


async def test_a_gateway_that_stops_wants_nothing(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    await settle()
    house.announced()
    house.interest.withdraw()

    assert house.announced() == [("whole", [])]


async def test_what_is_published_right_after_the_first_listener_reaches_it(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    house.bus.publish("fsnats.spot.btcusdt.trade", encode(Frame(VERSION, "btcusdt@trade", 1, 1, 1, 0, b"{}")))
    house.hub.flush()

    assert house.written == [text(b"{}")]


async def test_what_was_missed_while_the_bus_was_down_counts_as_lost(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    for seq, back in ((1, False), (9, True)):
        if back:
            house.interest.bus_changed(True)
        house.bus.publish("fsnats.spot.btcusdt.trade", encode(Frame(VERSION, "btcusdt@trade", 1, 1, seq, 0, b"{}")))

    assert house.tally.lost == 7


async def test_a_listener_that_changes_its_form_misses_nothing(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    house.hub.leave(TRADES, RAW, house.outbox)
    house.hub.listen(TRADES, Form(b"[", b"]"), house.outbox)
    house.bus.publish("fsnats.spot.btcusdt.trade", encode(Frame(VERSION, "btcusdt@trade", 1, 1, 1, 0, b"{}")))
    house.hub.flush()

    assert house.written == [text(b"[{}]")]


async def test_a_stop_while_something_lingers_is_no_harm(house: House) -> None:
    house.hub.listen(TRADES, RAW, house.outbox)
    house.hub.leave(TRADES, RAW, house.outbox)
    house.interest.withdraw()
    await house.clock.advance(LINGER)

    house.interest._drop_idle()
