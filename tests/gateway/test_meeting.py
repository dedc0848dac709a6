"""The first live frame, and what a window in memory has before it."""

import asyncio

from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.frames import CONTINUES, VERSION, Frame
from gateway.fanout.joining import Joining
from gateway.meeting import Missed, begun
from tests.windows import MemoryWindow, publish

SPOT = Market.SPOT
TRADES = parse(SPOT, "btcusdt@trade")


class House:
    """A window, and what is held of one stream: who tests says what comes when to which of the two."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.window = MemoryWindow(self.bus, SPOT)
        self.joining = Joining()

    def keep(self, *numbers: int, epoch: int = 1, flags: int = 0) -> None:
        for number in numbers:
            publish(self.bus, SPOT, TRADES.name, epoch, number, flags=flags)

    def hold(self, *numbers: int, epoch: int = 1, flags: int = 0) -> None:
        for number in numbers:
            self.joining.hold(Frame(VERSION, TRADES.name, 1, epoch, number, flags, b"{}"))

    def missed(self, seq: int) -> Missed:
        return Missed(self.bus, TRADES, (1, seq), self.joining)


def _seqs(frames: list[Frame]) -> list[int]:
    return [frame.seq for frame in frames]


async def _looked(missed: Missed) -> None:
    """Return when something was read, before anything else is."""
    while not missed.frames:  # noqa: ASYNC110 # the window in memory answers within a few turns of the loop
        await asyncio.sleep(0)


async def test_the_first_frame_is_waited_for_and_no_longer() -> None:
    house = House()
    waiting = asyncio.ensure_future(begun(house.joining))
    await asyncio.sleep(0)
    assert not waiting.done()
    house.hold(7)
    await waiting
    await begun(house.joining)  # it is there


async def test_nobody_waits_for_the_first_frame_of_a_stream_that_was_left() -> None:
    house = House()
    waiting = asyncio.ensure_future(begun(house.joining))
    await asyncio.sleep(0)
    house.joining.leave()
    await waiting
    await begun(house.joining)


async def test_what_is_in_the_window_goes_before_what_is_held() -> None:
    house = House()
    house.keep(1, 2, 3, 4)
    house.hold(4, 5)
    missed = house.missed(1)
    await missed.read()
    assert (_seqs(missed.met.before), _seqs(missed.met.live), missed.is_certain) == ([2, 3, 4], [5], True)


async def test_a_window_that_is_behind_is_looked_at_again() -> None:
    house = House()
    house.keep(1, 2)
    house.hold(4)
    missed = house.missed(1)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(missed.read())
        await _looked(missed)
        assert not reading.done()
        house.keep(3)
    assert (_seqs(missed.frames), missed.is_certain) == ([2, 3], True)


async def test_what_has_left_the_window_is_not_waited_for() -> None:
    house = House()
    house.keep(1, 2, 3, 4)
    house.window.forget(2)
    house.hold(5)
    missed = house.missed(1)
    await missed.read()
    assert (_seqs(missed.frames), missed.met.is_whole, missed.is_certain) == ([3, 4], True, False)


async def test_live_frames_alone_prove_that_nothing_is_missing() -> None:
    house = House()
    house.hold(2, epoch=9, flags=CONTINUES)
    missed = house.missed(1)
    await missed.read()
    assert (missed.frames, missed.is_certain) == ([], True)


async def test_nothing_is_certain_where_there_is_no_window() -> None:
    house = House()
    house.bus = MemoryBus()  # on which nobody answers
    missed = house.missed(1)
    await missed.read()
    assert (missed.frames, missed.is_certain) == ([], False)


async def test_what_was_read_stays_when_reading_is_cut_short() -> None:
    house = House()
    house.keep(1, 2)
    house.hold(4)
    missed = house.missed(1)
    reading = asyncio.ensure_future(missed.read())
    await _looked(missed)
    reading.cancel()
    await asyncio.wait([reading])
    assert (_seqs(missed.frames), missed.is_certain) == ([2], False)


async def test_the_window_is_not_read_for_a_stream_that_was_left() -> None:
    house = House()
    house.keep(1, 2)
    house.joining.leave()
    missed = house.missed(1)
    await missed.read()
    assert missed.frames == []


async def test_what_is_live_has_to_follow_the_newest_frame_of_all() -> None:
    house = House()
    house.keep(1, 2, 3)
    for place, read in ((1, [2, 3]), (3, [])):
        missed = house.missed(place)
        await missed.read()
        assert (_seqs(missed.frames), missed.is_certain) == (read, True)
        assert missed.last is not None
        assert missed.last.seq == 3
    foreign = Missed(house.bus, TRADES, (2, 1), house.joining)
    house.window.forget(3)
    await foreign.read()
    assert (foreign.is_certain, foreign.last) == (False, None)
