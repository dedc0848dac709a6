import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from fsnats import catalogue, demand, recording
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.demand import Announcement
from fsnats.errors import Refused
from fsnats.subjects import STATUS_REQUEST
from fsnats.subjects import demand as demand_subject
from tests.buckets import list_symbols, make_bucket
from tests.conftest import eventually
from tests.windows import open_window, publish
from tests.workers.recorder.shelf import Shelf
from tests.workers.recorder.test_scribe import trade
from workers.recorder.recorder import Recorder, name_of

SPOT = Market.SPOT


class Booth:
    """A recorder on a real bus, and what it announces."""

    def __init__(self, bus: NatsBus, shelf: Shelf) -> None:
        self.shelf = shelf
        self.said: list[Announcement] = []
        bus.subscribe(demand_subject(SPOT), lambda _s, _r, data: self.said.append(demand.decode(data)))
        entries = [recording.read("spot:*@aggTrade")]
        self.recorder = Recorder(entries, name_of(entries, "shelf"), bus, shelf.opened, SystemClock(), lambda: 0.0)
        self.stopping = asyncio.Event()

    @property
    def wanted(self) -> set[str]:
        """What workers make of the announcements so far."""
        wanted: set[str] = set()
        for each in self.said:
            if each.kind == "whole":
                wanted = set(each.streams)
            elif each.kind == "add":
                wanted |= set(each.streams)
            else:
                wanted -= set(each.streams)
        return wanted

    async def stopped(self) -> None:
        await self.stopping.wait()


@asynccontextmanager
async def recording_on(bus: NatsBus, shelf: Shelf) -> AsyncIterator[Booth]:
    booth = Booth(bus, shelf)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(booth.recorder.run(booth.stopped, 5.0))
        yield booth
        booth.stopping.set()


@pytest.fixture
async def market(bus: NatsBus) -> NatsBus:
    """A bus with a window and a list of symbols."""
    await open_window(bus, SPOT)
    await make_bucket(bus, catalogue.LISTINGS)
    await make_bucket(bus, catalogue.GROUPS)
    await list_symbols(bus, SPOT, "BTCUSDT", "ETHUSDT")
    return bus


async def test_it_wants_what_is_listed_and_follows_the_list(market: NatsBus) -> None:
    async with recording_on(market, Shelf()) as booth:
        await eventually(lambda: booth.wanted == {"btcusdt@aggTrade", "ethusdt@aggTrade"})
        await list_symbols(market, SPOT, "BTCUSDT", "NEWUSDT")
        await eventually(lambda: booth.wanted == {"btcusdt@aggTrade", "newusdt@aggTrade"})
    await market.flush()
    await eventually(lambda: booth.wanted == set())


async def test_a_pattern_that_fits_nothing_is_named_once(market: NatsBus, caplog: pytest.LogCaptureFixture) -> None:
    def told() -> list[str]:
        return [each.__dict__["pattern"] for each in caplog.records if each.msg.startswith("a pattern fits nothing")]

    await list_symbols(market, SPOT)
    async with recording_on(market, Shelf()) as booth:
        await eventually(lambda: bool(told()))
        await list_symbols(market, SPOT, "NEWUSDT")
        await eventually(lambda: booth.wanted == {"newusdt@aggTrade"})
        await list_symbols(market, SPOT)
        await eventually(lambda: booth.wanted == set())
    assert told() == ["*@aggTrade"]


async def test_what_workers_publish_is_stored_and_then_acknowledged(market: NatsBus) -> None:
    async with recording_on(market, Shelf()) as booth:
        for number in range(1, 101):
            publish(market, SPOT, "btcusdt@aggTrade", 7, number, trade(number))
        await eventually(lambda: booth.shelf.ids == list(range(1, 101)))
        await eventually(lambda: booth.recorder.status()["in_window"] == 0)
    async with recording_on(market, Shelf()) as again:
        publish(market, SPOT, "btcusdt@aggTrade", 7, 101, trade(101))
        await eventually(lambda: again.shelf.ids == [101])


async def test_what_was_read_is_written_before_it_ends(market: NatsBus) -> None:
    async with recording_on(market, Shelf(locked=True)) as booth:
        publish(market, SPOT, "btcusdt@aggTrade", 7, 1, trade(1))
        await eventually(lambda: booth.recorder.status()["backlog"] == 1)
        assert booth.recorder.status()["store_trouble"] == "the shelf is locked"
        booth.shelf.locked = False
    assert booth.shelf.ids == [1]


async def test_two_do_not_record_the_same_into_the_same_store(market: NatsBus) -> None:
    first, second = Booth(market, Shelf()), Booth(market, Shelf())
    await first.recorder.alone()
    with pytest.raises(Refused, match="another recorder"):
        await second.recorder.alone()


async def test_connections_that_workers_tell_of_are_stored(market: NatsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.recorder.recorder.CONNECTIONS_EVERY", 0.05)
    monkeypatch.setattr("workers.recorder.recorder._ANSWERS", 0.05)
    worker = {
        "program": "ingest-spot-0",
        "kind": "ingest",
        "epoch": 3,
        "connections": [{"id": "a", "status": "closing"}],
    }

    def answer(_subject: str, reply: str, _payload: bytes) -> None:
        market.publish(reply, msgspec.json.encode(worker))

    market.subscribe(STATUS_REQUEST, answer)
    async with recording_on(market, Shelf()) as booth:
        await eventually(lambda: booth.shelf.batches)
    (found, *_) = await booth.shelf.connections()
    assert (found.worker, found.epoch, found.id, found.status) == ("ingest-spot-0", 3, "a", "closing")


def test_recorders_of_the_same_are_called_the_same() -> None:
    trades, bars = recording.read("spot:*@aggTrade"), recording.read("spot:*@kline_1m")
    assert name_of([trades, bars], "a") == name_of([bars, trades], "a")
    assert len({name_of([trades], "a"), name_of([trades, bars], "a"), name_of([trades], "b")}) == 3
