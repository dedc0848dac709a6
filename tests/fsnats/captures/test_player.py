import asyncio
import math
from collections.abc import Callable

import msgspec
import pytest

from fsnats import demand, headway
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.captures.lines import Message
from fsnats.captures.player import CHUNK_BYTES, Player, Playing
from fsnats.demand import Announcement
from fsnats.frames import CONTINUES, GAP, LATE, RECOVERED, Frame, decode
from fsnats.headway import Headway
from fsnats.subjects import DEMAND_REQUEST
from tests.clock import HandClock, settle

TRADE, BOOK = "btcusdt@trade", "btcusdt@depth"


def message(seconds: float, stream: str = TRADE, data: bytes = b"{}", flags: int = 0) -> Message:
    at = 10**18 + int(seconds * 1e9)
    return Message(Market.SPOT, stream, at, at, flags, b"", data)


class Hall:
    """A bus on which somebody listens to everything, and perhaps a gateway."""

    def __init__(self, clock: HandClock, *, gateway: bool = True) -> None:
        self.bus = MemoryBus()
        self.clock = clock
        self.frames: list[Frame] = []
        self.headway = Headway("gateway-1")
        self.bus.subscribe("fsnats.spot.>", lambda _subject, _reply, data: self.frames.append(decode(data)))
        if gateway:
            headway.respond(self.bus, lambda: self.headway)

    def player(self, speed: float = math.inf, first: float = -1e6, last: float = 1e6, wait: int = 0) -> Player:
        first_ns, last_ns = (10**18 + int(seconds * 1e9) for seconds in (first, last))
        return Player(self.bus, "test", self.clock, Playing(speed=speed, first_ns=first_ns, last_ns=last_ns, wait=wait))

    @property
    def payloads(self) -> list[bytes]:
        return [frame.payload for frame in self.frames]


@pytest.fixture
def hall(clock: HandClock) -> Hall:
    return Hall(clock)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 # the player looks again after some milliseconds
            await asyncio.sleep(0.005)


async def test_frames_hold_what_was_captured_and_count_anew(hall: Hall) -> None:
    player = hall.player()
    await player.begin()
    flags = [0, RECOVERED | LATE, CONTINUES]
    await player.play([message(at, data=b"%d" % at, flags=flag) for at, flag in enumerate(flags)])
    assert hall.payloads == [b"0", b"1", b"2"]
    assert [frame.received_ns - 10**18 for frame in hall.frames] == [0, 10**9, 2 * 10**9]
    assert [(frame.seq, frame.flags) for frame in hall.frames] == [(1, 0), (2, RECOVERED | LATE), (3, 0)]
    assert {(frame.epoch, frame.published_ns) for frame in hall.frames} == {
        (hall.clock.time_ns(), hall.clock.time_ns())
    }
    assert (player.progress.messages, player.progress.rounds) == (3, 1)


async def test_notices_stay_notices(hall: Hall) -> None:
    player = hall.player()
    await player.begin()
    await player.play([message(1, data=b'{"e":"gap"}', flags=GAP)])
    assert [(frame.flags, frame.payload) for frame in hall.frames] == [(GAP, b'{"e":"gap"}')]
    assert (player.progress.messages, player.progress.notices) == (0, 1)


async def test_messages_are_spaced_as_they_were_or_faster(hall: Hall) -> None:
    player = hall.player(speed=2)
    await player.begin()
    playing = asyncio.create_task(player.play([message(0, data=b"0"), message(1, data=b"1"), message(6, data=b"6")]))
    for seconds, count in ((0.0, 1), (0.4, 1), (0.1, 2), (2.4, 2), (0.1, 3)):
        await hall.clock.advance(seconds)
        assert len(hall.frames) == count
    await playing
    assert player.progress.seconds == pytest.approx(3.0)


async def test_one_that_is_stopped_knows_how_long_it_played(hall: Hall) -> None:
    player = hall.player(speed=1)
    await player.begin()
    playing = asyncio.create_task(player.play([message(0), message(1), message(9)]))
    await hall.clock.advance(4.0)
    playing.cancel()
    await asyncio.wait((playing,))
    assert player.progress.messages == 2
    assert player.progress.seconds == pytest.approx(4.0)


async def test_only_what_was_received_between_two_moments_is_played_and_at_once(hall: Hall) -> None:
    player = hall.player(speed=1, first=2, last=3)
    await player.begin()
    playing = asyncio.create_task(player.play([message(at, data=b"%d" % at) for at in range(6)]))
    await settle()
    assert hall.payloads == [b"2"]
    await hall.clock.advance(1.0)
    await playing
    assert hall.payloads == [b"2", b"3"]


async def test_it_waits_for_clients_that_listen_to_so_many_streams(hall: Hall) -> None:
    player = hall.player(wait=2)
    asked: list[bytes] = []
    hall.bus.subscribe(DEMAND_REQUEST, lambda _subject, _reply, data: asked.append(data))
    beginning = asyncio.create_task(player.begin())
    await eventually(lambda: asked)
    for gateway, name in (("a", TRADE), ("b", TRADE)):  # the same stream twice is one
        hall.bus.publish("fsnats.demand.spot", demand.encode(Announcement(gateway, Market.SPOT, "add", [name])))
    hall.bus.publish("fsnats.demand.spot", b"hello")
    await asyncio.sleep(0.1)
    assert not beginning.done()
    hall.bus.publish("fsnats.demand.spot", demand.encode(Announcement("b", Market.SPOT, "add", [BOOK])))
    async with asyncio.timeout(10):
        await beginning
    assert player.progress.begun


async def test_without_any_gateway_it_begins_all_the_same(clock: HandClock) -> None:
    hall = Hall(clock, gateway=False)
    player = hall.player()
    beginning = asyncio.create_task(player.begin())
    await asyncio.sleep(0.05)
    assert not beginning.done()
    await clock.advance(6.0)
    async with asyncio.timeout(10):
        await beginning
    await player.play([message(0)])
    assert len(hall.frames) == 1


async def test_it_stops_for_clients_that_do_not_take_what_there_is(hall: Hall) -> None:
    player = hall.player()
    await player.begin()
    hall.headway = Headway("gateway-1", slow_clients=1)
    size = CHUNK_BYTES // 4
    playing = asyncio.create_task(player.play([message(at, data=b"x" * size) for at in range(40)]))
    await eventually(lambda: hall.frames)
    await asyncio.sleep(0.1)
    assert len(hall.frames) <= 8
    hall.headway = Headway("gateway-1", delivered=8)
    async with asyncio.timeout(10):
        await playing
    assert len(hall.frames) == 40


async def test_another_round_says_of_each_stream_that_it_begins_again(hall: Hall) -> None:
    player = hall.player()
    await player.begin()
    capture = [message(0, data=b"0"), message(1, BOOK, b"1"), message(3, data=b"3")]
    await player.play(capture)
    await player.play(capture)
    trades = [frame for frame in hall.frames if frame.stream == TRADE]
    assert [frame.seq for frame in trades] == [1, 2, 3, 4, 5]
    assert [frame.flags for frame in trades] == [0, 0, GAP, 0, 0]
    at = 10**12
    assert msgspec.json.decode(trades[2].payload) == {
        "e": "gap", "stream": TRADE, "from": at + 3000, "to": at, "unit": "ms", "reason": "the replay begins again",
    }  # fmt: skip
    assert player.progress.rounds == 2
    assert player.progress.messages == 6


async def test_what_the_bus_does_not_take_is_sent_when_it_is_back(hall: Hall) -> None:
    player = hall.player()
    await player.begin()
    hall.bus.is_connected = False
    playing = asyncio.create_task(player.play([message(0, data=b"0")]))
    await settle()
    assert hall.frames == []
    hall.bus.reconnect()
    await hall.clock.advance(1.0)
    async with asyncio.timeout(10):
        await playing
    assert hall.payloads == [b"0"]


async def test_answers_that_make_no_sense_are_passed_over(hall: Hall) -> None:
    player = hall.player()
    await player.begin()
    hall.bus.publish("_INBOX.test.first", b"{}")
    hall.bus.publish("_INBOX.test.1", b"hello")
    await player.play([message(0)])
    assert len(hall.frames) == 1
