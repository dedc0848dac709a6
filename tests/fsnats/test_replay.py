"""The window's readers, against a real server and against the one that tests play in memory."""

from collections.abc import AsyncIterator

import pytest

from fsnats import replay
from fsnats.binance.streams import Market
from fsnats.bus import Answer, Bus
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from fsnats.errors import BusUnavailable
from fsnats.frames import CONTINUES, Frame
from fsnats.replay import Replay, following
from tests.conftest import NatsServer, eventually
from tests.windows import MemoryWindow, open_window, publish, settled

SPOT = Market.SPOT
TRADE, QUIET = "btcusdt@trade", "币安usdt@kline_1m"


@pytest.fixture(params=["memory", "nats"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A bus with a window of spot."""
    if request.param == "memory":
        memory = MemoryBus()
        await open_window(memory, SPOT)
        yield memory
        return
    server: NatsServer = request.getfixturevalue("nats")
    async with NatsBus([server.url], "test", lambda: 0.0) as bus:
        await bus.connected()
        await open_window(bus, SPOT)
        yield bus


async def test_the_newest_frame_of_a_stream_is_there_and_of_others_none(bus: Bus) -> None:
    publish(bus, SPOT, QUIET, 7, 1)
    frame = publish(bus, SPOT, QUIET, 7, 2, b'{"p":"1"}')
    await settled(bus, SPOT, QUIET, frame)

    assert await replay.last(bus, SPOT, QUIET) == frame
    assert await replay.last(bus, SPOT, TRADE) is None


async def test_the_newest_frames_of_many_streams_come_together(bus: Bus) -> None:
    names = [f"s{number}usdt@trade" for number in range(2_500)]
    for seq in (1, 2):
        frames = {name: publish(bus, SPOT, name, 7, seq) for name in names}
    await settled(bus, SPOT, names[-1], frames[names[-1]])

    assert await replay.lasts(bus, SPOT, [*names, TRADE]) == frames
    assert await replay.lasts(bus, SPOT, [TRADE]) == {}
    assert await replay.lasts(bus, SPOT, []) == {}


async def test_what_came_after_a_frame_is_read_in_order_and_known_to_be_all(bus: Bus) -> None:
    frames = []
    for seq in range(1, 4_001):
        frames.append(publish(bus, SPOT, TRADE, 7, seq))
        publish(bus, SPOT, f"s{seq % 9}usdt@trade", 7, seq)
    await settled(bus, SPOT, TRADE, frames[-1])

    for seq in (0, 1, 2, 1_000, 2_500, 3_999):
        assert await replay.after(bus, SPOT, TRADE, 7, seq) == Replay(frames[seq:], True)
    assert await replay.after(bus, SPOT, TRADE, 7, 4_000) == Replay([], True)
    assert await replay.after(bus, SPOT, TRADE, 7, 4_001) == Replay([], False)
    assert await replay.after(bus, SPOT, TRADE, 7, 0, most=3_999) == Replay([], False)
    assert await replay.after(bus, SPOT, QUIET, 7, 1) == Replay([], False)


async def test_what_was_before_the_window_is_missing_and_that_is_said(bus: Bus) -> None:
    frames = [publish(bus, SPOT, TRADE, 7, seq) for seq in (5, 6, 7)]
    await settled(bus, SPOT, TRADE, frames[-1])

    assert await replay.after(bus, SPOT, TRADE, 7, 4) == Replay(frames, True)  # the direct successor is there
    assert await replay.after(bus, SPOT, TRADE, 7, 3) == Replay(frames, False)


async def test_a_worker_that_was_replaced_is_no_loss_where_its_successor_says_so(bus: Bus) -> None:
    frames = [
        *(publish(bus, SPOT, TRADE, 7, seq) for seq in range(1, 600)),
        publish(bus, SPOT, TRADE, 8, 600, flags=CONTINUES),
        publish(bus, SPOT, TRADE, 8, 601),
    ]
    await settled(bus, SPOT, TRADE, frames[-1])
    assert await replay.after(bus, SPOT, TRADE, 7, 598) == Replay(frames[598:], True)

    last = publish(bus, SPOT, TRADE, 9, 1)
    await settled(bus, SPOT, TRADE, last)
    assert await replay.after(bus, SPOT, TRADE, 7, 598) == Replay([*frames[598:], last], False)
    assert await replay.after(bus, SPOT, TRADE, 8, 600) == Replay([frames[-1], last], False)


async def test_the_newest_frames_are_as_many_as_asked_for_or_as_there_are(bus: Bus) -> None:
    frames = [publish(bus, SPOT, TRADE, 7, seq) for seq in range(1, 501)]
    await settled(bus, SPOT, TRADE, frames[-1])

    assert await replay.newest(bus, SPOT, TRADE, 3) == frames[-3:]
    assert await replay.newest(bus, SPOT, TRADE, 501) == frames
    assert await replay.newest(bus, SPOT, QUIET, 3) == []

    fresh = publish(bus, SPOT, TRADE, 8, 1)
    await settled(bus, SPOT, TRADE, fresh)
    assert await replay.newest(bus, SPOT, TRADE, 3) == [fresh]


async def test_what_others_publish_on_our_subjects_is_passed_over(bus: Bus) -> None:
    publish(bus, SPOT, TRADE, 7, 1)
    bus.publish("fsnats.spot.btcusdt.trade", b"\xc1rubbish")
    frame = publish(bus, SPOT, TRADE, 7, 2)
    await settled(bus, SPOT, TRADE, frame)

    assert await replay.after(bus, SPOT, TRADE, 7, 1) == Replay([frame], True)


async def test_without_a_window_readers_know_at_once(bus: Bus) -> None:
    for read in (
        replay.last(bus, Market.USDM, TRADE),
        replay.lasts(bus, Market.USDM, [TRADE]),
        replay.after(bus, Market.USDM, TRADE, 7, 1),
    ):
        with pytest.raises(BusUnavailable, match="nobody answers"):
            await read


async def test_what_leaves_the_window_while_it_is_read_is_missing() -> None:
    bus = MemoryBus()
    window = MemoryWindow(bus, SPOT)
    frames = [publish(bus, SPOT, TRADE, 7, seq) for seq in range(1, 2_001)]
    asked: list[bytes] = []

    def asks(_subject: str, _reply: str, payload: bytes) -> None:
        asked.append(payload)
        if b"batch" in payload and len(asked) > 1:
            window.forget(1_500)

    bus.subscribe(f"$JS.API.DIRECT.GET.{replay.window(SPOT)}", asks)

    found = await replay.after(bus, SPOT, TRADE, 7, 100)
    assert not found.complete
    assert found.frames[-1] == frames[-1]


async def test_an_answer_that_makes_no_sense_is_the_buss_fault() -> None:
    bus = MemoryBus()
    bus.subscribe("$JS.API.DIRECT.GET.>", lambda _s, reply, _p: bus.answer(reply, answers.pop()))
    answers = [Answer(b"", b"NATS/1.0 408 Bad Request\r\n\r\n", "408"), Answer(b"rubbish", b"NATS/1.0\r\n\r\n")]

    with pytest.raises(BusUnavailable, match="cannot be read"):
        await replay.last(bus, SPOT, TRADE)
    with pytest.raises(BusUnavailable, match="408 Bad Request"):
        await replay.last(bus, SPOT, TRADE)


def test_frames_that_were_sent_again_are_passed_over() -> None:
    def frame(seq: int, epoch: int = 7, flags: int = 0) -> Frame:
        return Frame(1, TRADE, 1, epoch, seq, flags, b"")

    sent = [frame(3), frame(4), frame(5), frame(4), frame(5), frame(6)]
    assert following((7, 3), sent) == Replay([frame(4), frame(5), frame(6)], True)
    assert following((7, 3), [frame(4), frame(6)]) == Replay([frame(4), frame(6)], False)
    for other in (frame(1, 8), frame(4, 8), frame(5, 8, CONTINUES), frame(1, 8, CONTINUES)):
        assert following((7, 3), [other]) == Replay([other], False)
    assert following((7, 3), [frame(4, 8, CONTINUES)]).complete


async def test_the_window_lags_by_a_moment_only(nats: NatsServer) -> None:
    async with NatsBus([nats.url], "one", lambda: 0.0) as bus:
        await bus.connected()
        await open_window(bus, SPOT)
        live: list[bytes] = []
        bus.subscribe("fsnats.spot.>", lambda _s, _r, payload: live.append(payload))
        frames = [publish(bus, SPOT, TRADE, 7, seq) for seq in range(1, 10_001)]
        await eventually(lambda: len(live) == len(frames))
        await settled(bus, SPOT, TRADE, frames[-1])

        assert (await replay.after(bus, SPOT, TRADE, 7, 9_000)).frames == frames[9_000:]
