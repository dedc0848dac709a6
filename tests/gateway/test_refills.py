"""Holes between worker and gateway, refilled from a window in memory."""

import asyncio
from typing import Any

import pytest

from fsnats.binance.streams import Market, Stream, parse
from fsnats.bus.memory import MemoryBus
from fsnats.frames import CONTINUES, VERSION, Frame, Key, encode
from gateway.effects import PLAIN
from gateway.fanout.channel import Channel
from gateway.fanout.hub import Hub
from gateway.fanout.joining import LIVE_MOST, Joining
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.protocol import forms
from gateway.refills import Refills
from tests.gateway.heard import heard
from tests.windows import MemoryWindow, publish

SPOT = Market.SPOT
TRADES = parse(SPOT, "btcusdt@trade")
TICKER = parse(SPOT, "btcusdt@ticker")


class House:
    """A gateway's hub that hears only what it is told to hear of what is published."""

    def __init__(self, stream: Stream = TRADES) -> None:
        self.stream = stream
        self.bus = MemoryBus()
        self.window = MemoryWindow(self.bus, SPOT)
        self.tally = Tally()
        self.asked: list[tuple[Channel, Key]] = []
        self.channel: Channel | None = None
        self.hub = Hub(self._first, lambda _channel: None, self.tally, refill=self._refill)
        self.written: list[bytes] = []
        form = forms.typed("trade", stream, forms.Envelope.TYPED, PLAIN, name_market=False)
        self.hub.listen(stream, form, Outbox(self.written.append, lambda: None, self.hub.turn))

    def _first(self, channel: Channel) -> None:
        self.channel = channel

    def _refill(self, channel: Channel, key: Key) -> None:
        self.asked.append((channel, key))

    def publish(self, *numbers: int, heard: bool = True, epoch: int = 1, flags: int = 0) -> None:
        assert self.channel is not None
        for number in numbers:
            payload = b'{"t":%d}' % number
            publish(self.bus, SPOT, self.stream.name, epoch, number, payload, flags)
            if heard:
                frame = Frame(VERSION, self.stream.name, 1, epoch, number, flags, payload)
                self.channel.receive("", "", encode(frame))

    async def refill(self) -> None:
        asked, self.asked = self.asked, []
        for channel, key in asked:
            await Refills(self.bus).refill(channel, key)

    def said(self) -> list[Any]:
        self.hub.flush()
        return [each["data"]["t" if each["type"] == "trade" else "reason"] for each in heard(self.written)]


async def test_what_was_lost_on_the_way_comes_from_the_window_before_what_came_behind_it() -> None:
    house = House()
    house.publish(1)
    house.publish(2, 3, heard=False)
    house.publish(4, 5)
    assert house.said() == [1], "what came behind waits"
    await house.refill()
    house.publish(6)
    assert house.said() == [2, 3, 4, 5, 6]
    assert (house.tally.refilled, house.tally.lost, house.tally.gaps) == (2, 0, 0)


async def test_what_the_window_has_no_more_is_told() -> None:
    house = House()
    house.publish(1)
    house.publish(2, 3, heard=False)
    house.publish(4)
    house.window.forget(2)
    await house.refill()
    assert house.said() == [1, "lost on the way from the worker", 3, 4]
    assert (house.tally.refilled, house.tally.lost) == (1, 1)


async def test_without_a_window_it_is_told_at_once() -> None:
    house = House()
    house.publish(1)
    house.publish(3)
    house.bus = MemoryBus()
    async with asyncio.timeout(1):
        await house.refill()
    assert house.said() == [1, "lost on the way from the worker", 3]


async def test_the_last_words_of_a_worker_that_was_rekeyd_are_read_again() -> None:
    house = House()
    house.publish(1)
    house.publish(2, heard=False)
    house.publish(3, epoch=2, flags=CONTINUES)
    await house.refill()
    house.publish(4, epoch=2)
    assert house.said() == [1, 2, 3, 4]


async def test_a_worker_that_knows_nothing_of_the_one_before_leaves_a_gap() -> None:
    house = House()
    house.publish(1)
    house.publish(1, 2, epoch=2)
    await house.refill()
    assert house.said() == [1, "the worker was restarted", 1, 2]


async def test_what_an_older_worker_still_says_is_no_hole_to_refill() -> None:
    house = House()
    house.publish(1, epoch=2)
    house.publish(5, epoch=1)
    assert (house.asked, house.said()) == ([], [1, "the worker was restarted", 5])


async def test_what_was_read_for_a_hole_that_was_given_up_is_not_told_into_the_next_one() -> None:
    house = House()
    house.publish(1)
    house.publish(*range(3, LIVE_MOST + 5))  # more than can be held behind the first hole
    house.said()
    (hole,) = house.asked
    channel = hole[0]
    house.publish(LIVE_MOST + 6)
    behind = channel.behind
    assert behind is not None
    channel.refilled(Joining(), [Frame(VERSION, TRADES.name, 1, 1, 2, 0, b'{"t":2}')])
    assert (channel.behind, house.said()) == (behind, [])


@pytest.mark.parametrize("number", [3, 9])
async def test_a_state_does_not_wait_for_what_is_old(number: int) -> None:
    house = House(TICKER)
    house.publish(1)
    house.publish(2, heard=False)
    house.publish(number)
    assert house.asked == []


async def test_no_more_than_can_be_held_waits() -> None:
    house = House()
    house.publish(1)
    house.publish(3)
    assert house.channel is not None
    behind = house.channel.behind
    assert behind is not None
    house.publish(*range(4, LIVE_MOST + 5))
    said = house.said()
    assert said == [1, "lost on the way from the worker", *range(3, LIVE_MOST + 5)]
    assert behind.is_left, "whoever reads for it may stop"
    await house.refill()
    assert house.said() == [], "too late"


def crowded(monkeypatch: pytest.MonkeyPatch) -> tuple[House, Refills, tuple[Channel, Key]]:
    """A gateway that refills one hole at a time, and a hole that is to be refilled."""
    monkeypatch.setattr("gateway.refills._AT_ONCE", 1)
    house = House()
    refills = Refills(house.bus)
    house.publish(1)
    house.publish(2, heard=False)
    house.publish(3)
    (hole,) = house.asked
    return house, refills, hole


async def test_a_hole_that_waits_for_its_turn_has_its_patience_still_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.refills.PATIENCE", 0.2)
    house, refills, hole = crowded(monkeypatch)
    async with refills._slots:  # another hole is being read, and takes longer than one may
        waiting = asyncio.create_task(refills.refill(*hole))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    await waiting
    assert house.said() == [1, 2, 3]


async def test_a_hole_whose_turn_never_comes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.refills._TURN", 0.05)
    house, refills, hole = crowded(monkeypatch)
    async with refills._slots:
        await refills.refill(*hole)
    assert house.said() == [1, "lost on the way from the worker", 3]
