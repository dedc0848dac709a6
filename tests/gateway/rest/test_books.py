"""A snapshot that is asked for just after its changes were subscribed."""

import asyncio

from fsnats.binance.streams import BOOK_SPEEDS, Market, Stream, parse
from fsnats.frames import VERSION, Frame, encode
from gateway.fanout.channel import Channel
from gateway.fanout.hub import Hub
from gateway.fanout.joining import Joining
from gateway.fanout.tally import Tally
from gateway.rest.books import flowing

LONG = 600.0  # a test that waits for it has failed


class House:
    """A hub with its channels; somebody listens to some streams."""

    def __init__(self, *names: str) -> None:
        self.channels: dict[str, Channel] = {}
        self.hub = Hub(self._first, self._last, Tally())
        for name in names:
            self.hub.hold(self.stream(name), Joining())

    @staticmethod
    def stream(name: str) -> Stream:
        return parse(Market.SPOT, name)

    def _first(self, channel: Channel) -> None:
        self.channels[channel.stream.name] = channel

    def _last(self, channel: Channel) -> None:
        del self.channels[channel.stream.name]

    def speak(self, name: str) -> None:
        self.channels[name].receive("", "", encode(Frame(VERSION, name, 1, 1, 1, 0, b"{}")))


async def test_it_waits_for_the_first_message_of_each_stream_of_the_book() -> None:
    house = House("btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@depth5", "ethusdt@depth")
    waiting = asyncio.ensure_future(flowing(house.hub, Market.SPOT, "BTCUSDT", LONG))
    await asyncio.sleep(0)
    house.speak("btcusdt@depth@100ms")
    await asyncio.sleep(0)
    assert not waiting.done()
    house.speak("btcusdt@depth")
    await waiting
    await flowing(house.hub, Market.SPOT, "BTCUSDT", LONG)  # they flow: nothing to wait for


async def test_a_book_that_nobody_follows_is_not_waited_for_and_not_followed() -> None:
    house = House("ethusdt@depth")
    await flowing(house.hub, Market.SPOT, "BTCUSDT", LONG)
    assert list(house.channels) == ["ethusdt@depth"]


async def test_a_quiet_book_is_not_waited_for_for_ever() -> None:
    house = House("btcusdt@depth")
    await flowing(house.hub, Market.SPOT, "BTCUSDT", 0.01)


async def test_who_waited_last_leaves_nothing_behind() -> None:
    house, other = House(), Joining()
    house.hub.hold(house.stream("btcusdt@depth"), other)
    waiting = asyncio.ensure_future(flowing(house.hub, Market.SPOT, "BTCUSDT", LONG))
    await asyncio.sleep(0)
    house.hub.let_go(house.stream("btcusdt@depth"), other)
    house.speak("btcusdt@depth")
    await waiting
    assert house.channels == {}


def test_the_speeds_are_those_that_a_market_has() -> None:
    for speed in BOOK_SPEEDS:
        market = Market.SPOT if speed in ("", "@100ms") else Market.USDM
        assert parse(market, f"btcusdt@depth{speed}").kind == "depth"
