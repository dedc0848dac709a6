"""What is captured, and what becomes of holes, on a bus and a window in memory."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from fsnats import demand, replay
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.captures.lines import Line
from fsnats.captures.manifest import StreamTally
from fsnats.frames import GAP, VERSION, Frame, encode
from fsnats.subjects import demand as demand_subject
from fsnats.subjects import subject_of
from fsnats.symbols import TRADING, Listing, Symbol
from tests.conftest import eventually
from tests.windows import MemoryWindow
from workers.capture.capture import Capture
from workers.capture.track import AWAY, LOST

SPOT = Market.SPOT
TRADE = "btcusdt@trade"


def listing(*names: str) -> Listing:
    return Listing(SPOT, 0, True, [Symbol(name, name, "", TRADING) for name in names])


class Tray:
    """A desk that keeps what is put on it."""

    def __init__(self, emptied: Callable[[], None]) -> None:
        self.emptied = emptied
        self.lines: list[Line] = []
        self.has_room = True

    def put(self, line: Line) -> None:
        self.lines.append(line)

    def admits(self, beside: int) -> bool:
        return self.has_room

    @property
    def said(self) -> list[object]:
        """Of each line the number of its frame, or the reason of its notice."""
        return [json.loads(line.notice)["reason"] if line.notice else line.seq for line in self.lines]


class House:
    def __init__(self, *, window: bool = True) -> None:
        self.bus = MemoryBus()
        self.window = MemoryWindow(self.bus, SPOT) if window else None
        self.tray: Tray
        self.capture: Capture
        self.wanted: dict[str, list[str]] = {}
        self.bus.subscribe(demand_subject(SPOT), lambda _subject, _reply, data: self._announced(data))

    def _announced(self, data: bytes) -> None:
        announcement = demand.decode(data)
        self.wanted.setdefault(announcement.kind, []).extend(announcement.streams)

    def _desk(self, emptied: Callable[[], None]) -> Tray:
        self.tray = Tray(emptied)
        return self.tray

    @contextlib.asynccontextmanager
    async def capturing(
        self, *patterns: str, places: Mapping[str, StreamTally] | None = None, listed: Listing | None = None
    ) -> AsyncIterator[Tray]:
        wishes = {SPOT: list(patterns)} if patterns else {}
        listings = {SPOT: listed or listing("BTCUSDT", "ETHUSDT")}
        desk: Callable[..., object] = self._desk
        self.capture = Capture(self.bus, "capture-1", wishes, listings, places or {}, desk)  # type: ignore[arg-type]
        task = asyncio.create_task(self.capture.run())
        await asyncio.sleep(0.01)
        yield self.tray
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self.capture.close()

    def frame(self, seq: int, name: str = TRADE, epoch: int = 1, flags: int = 0) -> bytes:
        return encode(Frame(VERSION, name, seq * 10**9, epoch, seq, flags, b'{"t":%d}' % seq))

    def publish(self, *numbers: int, name: str = TRADE) -> None:
        for seq in numbers:
            self.bus.publish(subject_of(SPOT, name), self.frame(seq, name))

    def lose(self, *numbers: int) -> None:
        """Publish what the capture does not hear, though the window does."""
        assert self.window is not None
        for seq in numbers:
            self.window._take(subject_of(SPOT, TRADE), "", self.frame(seq))


async def test_patterns_are_asked_for_and_captured_and_nothing_else() -> None:
    house = House()
    async with house.capturing("*@trade") as tray:
        assert sorted(house.wanted["add"]) == [TRADE, "ethusdt@trade"]
        house.publish(1, 2)
        house.publish(1, name="ethusdt@trade")
        house.publish(1, name="btcusdt@depth")
        assert [(line.stream, line.seq) for line in tray.lines] == [(TRADE, 1), (TRADE, 2), ("ethusdt@trade", 1)]
        assert house.capture.streams == 2
    house.wanted.clear()
    house.capture._announcer.announce_whole()
    assert house.wanted["whole"] == []


async def test_without_patterns_whatever_is_on_the_bus_is_captured_and_nothing_asked_for() -> None:
    house = House()
    async with house.capturing() as tray:
        house.publish(1)
        house.publish(1, name="!miniTicker@arr")
        house.publish(1, 2, name="btcusdt@nothing")  # no stream that anybody could ask for again
        house.bus.publish("fsnats.spot.btcusdt.trade", b"hello")
        assert [(line.stream, line.seq) for line in tray.lines] == [(TRADE, 1), ("!miniTicker@arr", 1)]
        assert house.capture.unreadable == 3 - 1
    assert house.wanted == {}


async def test_symbols_that_are_listed_later_are_captured_and_those_that_leave_are_not() -> None:
    house = House()
    async with house.capturing("*@trade", listed=listing("BTCUSDT")) as tray:
        house.capture._listed(listing("ETHUSDT"))
        house.publish(1)
        house.publish(1, name="ethusdt@trade")
        await asyncio.sleep(0)
        assert [line.stream for line in tray.lines] == ["ethusdt@trade"]
        assert (house.wanted["add"], house.wanted["drop"]) == ([TRADE, "ethusdt@trade"], [TRADE])


async def test_what_was_lost_on_the_way_is_read_again_in_its_place() -> None:
    house = House()
    async with house.capturing(TRADE) as tray:
        house.publish(1)
        house.lose(2, 3)
        house.publish(4, 5)
        await eventually(lambda: tray.said == [1, 2, 3, 4, 5])
    assert house.capture.gaps == 0


async def test_of_many_holes_at_once_each_is_given_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def after(*arguments: object, **options: object) -> replay.Replay:
        await asyncio.sleep(0.1)
        return await read(*arguments, **options)  # type: ignore[arg-type]

    read = replay.after
    monkeypatch.setattr(replay, "after", after)
    monkeypatch.setattr("workers.capture.capture.PATIENCE", 0.3)
    house = House()
    names = [f"s{number}usdt@trade" for number in range(40)]  # eight at a time: half a second
    for name in names:
        house.publish(1, 2, name=name)
    places = {f"spot:{name}": StreamTally(epoch=1, seq=1) for name in names}
    async with house.capturing(places=places) as tray:
        await eventually(lambda: len(tray.lines) == len(names))
        assert {line.seq for line in tray.lines} == {2}


async def test_what_the_window_does_not_have_is_told_where_it_is_missing() -> None:
    house = House(window=False)
    async with house.capturing(TRADE) as tray:
        house.publish(1, 4)
        await eventually(lambda: tray.said == [1, LOST, 4])
        assert house.capture.gaps == 1
        assert tray.lines[1].epoch == 0
        house.publish(5)
        assert tray.said == [1, LOST, 4, 5]


async def test_where_an_earlier_capture_stopped_it_goes_on_though_nothing_new_comes() -> None:
    house = House()
    house.lose(1, 2, 3, 4)
    silent = StreamTally(epoch=1, seq=9)
    places = {f"spot:{TRADE}": StreamTally(epoch=1, seq=2, last_ns=2 * 10**9), "spot:ethusdt@trade": silent}
    async with house.capturing(TRADE, places=places) as tray:
        await eventually(lambda: tray.said == [3, 4])
    async with house.capturing(places=places):
        await eventually(lambda: house.tray.said == [3, 4])


async def test_what_came_while_no_capture_ran_and_is_gone_is_told() -> None:
    house = House()
    house.lose(9)
    async with house.capturing(TRADE, places={f"spot:{TRADE}": StreamTally(epoch=1, seq=2)}) as tray:
        await eventually(lambda: tray.said == [AWAY, 9])


async def test_after_a_new_connection_what_came_meanwhile_is_read() -> None:
    house = House()
    async with house.capturing(TRADE) as tray:
        house.publish(1)
        house.lose(2)
        house.bus.reconnect()
        await eventually(lambda: tray.said == [1, 2])


async def test_what_finds_no_room_is_read_again_when_there_is_some() -> None:
    house = House()
    async with house.capturing(TRADE) as tray:
        tray.has_room = False
        house.publish(1, 2)
        assert (tray.said, house.capture.refused) == ([], 2)
        tray.has_room = True
        tray.emptied()
        await eventually(lambda: tray.said == [1, 2])


async def test_what_finds_no_room_until_the_end_is_told() -> None:
    house = House()
    async with house.capturing(TRADE) as tray:
        house.publish(1)
        tray.has_room = False
        house.publish(2, 3)
    tray.emptied()  # the rest is written, and nobody captures any more
    assert tray.said == [1, LOST]
    assert json.loads(tray.lines[-1].notice or b"")["missed"] == 2


async def test_notices_of_workers_are_captured_as_such() -> None:
    house = House()
    async with house.capturing(TRADE) as tray:
        frame = Frame(VERSION, TRADE, 10**9, 1, 1, GAP, b'{"e":"gap","stream":"btcusdt@trade","reason":"late"}')
        house.bus.publish(subject_of(SPOT, TRADE), encode(frame))
        assert tray.said == ["late"]
        assert (tray.lines[0].epoch, tray.lines[0].seq) == (1, 1)


async def test_a_pattern_that_fits_nothing_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    async with house.capturing("*@trade", "nopeusdt@trade"):
        house.capture._listed(listing("BTCUSDT"))
    assert [record.__dict__["pattern"] for record in caplog.records] == ["nopeusdt@trade"]
