"""Joining a thousand streams, or leaving them, is a thousand times the work of one and no more, whoever else listens.

Work is counted in calls; what that is in milliseconds depends on the machine (here 7 to join, 1 to 4 to leave).
"""

import json
import sys
import time
from collections.abc import Callable
from types import FrameType

import pytest

from fsnats.binance.streams import Market
from fsnats.bus.link import Link
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from fsnats.symbols import TRADING, Listing, Symbol
from gateway.client import Session
from gateway.effects import Leave, Listen
from gateway.fanout.hub import Hub
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.interest import Interest
from gateway.listening import Listening
from gateway.protocol.binance import BinanceSession
from gateway.protocol.native import NativeSession

FEW, MANY = 250, 1000
SYMBOLS = [f"S{number}USDT" for number in range(MANY)]
LISTINGS = {Market.SPOT: Listing(Market.SPOT, 0, False, [Symbol(name, name, "", TRADING) for name in SYMBOLS])}
NAMES = [f"{symbol.lower()}@trade" for symbol in SYMBOLS]


class House:
    """A gateway without sockets."""

    def __init__(self, bus: MemoryBus | NatsBus) -> None:
        self.interest = Interest("g", (Market.SPOT,), bus, time.monotonic)
        self.hub = Hub(self.interest.first, self.interest.last, Tally())

    def native(self) -> "Client":
        return Client(self.hub, NativeSession("c", Market.SPOT, (Market.SPOT,), LISTINGS))

    def binance(self) -> "Client":
        return Client(self.hub, BinanceSession(Market.SPOT, True, (), LISTINGS))


class Client:
    def __init__(self, hub: Hub, session: Session) -> None:
        outbox = Outbox(lambda _: None, lambda: None, hub.turn)
        self.session, self.listening = session, Listening(hub, outbox)

    def ask(self, **request: object) -> None:
        for effect in self.session.receive(json.dumps(request)):
            if isinstance(effect, Listen):
                self.listening.begin(effect)
            elif isinstance(effect, Leave):
                self.listening.leave(effect.stream, effect.form)


def calls(work: Callable[[], None]) -> int:
    """How many functions were called, those in C too."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event.endswith("call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def raw(client: Client, kind: str, count: int) -> None:
    client.ask(type=kind, rawStreams=NAMES[:count])


def typed(client: Client, kind: str, count: int) -> None:
    client.ask(type=kind, streamType="kline", symbols=SYMBOLS[:count])


def binance(client: Client, kind: str, count: int) -> None:
    client.ask(method=kind.upper(), params=NAMES[:count], id=1)


Ask = Callable[[Client, str, int], None]
dialects = pytest.mark.parametrize(
    ("make", "ask"), [(House.native, raw), (House.native, typed), (House.binance, binance)]
)


@dialects
async def test_four_times_the_streams_are_four_times_the_work(make: Callable[[House], Client], ask: Ask) -> None:
    def work(count: int) -> tuple[int, int, int]:
        house = House(MemoryBus())
        client = make(house)
        join = calls(lambda: ask(client, "subscribe", count))
        leave = calls(lambda: ask(client, "unsubscribe", count))
        assert len(house.hub) == 0
        ask(client, "subscribe", count)
        assert len(house.hub) == count
        return join, leave, calls(client.listening.end)

    work(MANY)  # what is imported and cached the first time
    for few, many in zip(work(FEW), work(MANY), strict=True):
        assert many < 4.2 * few


@dialects
async def test_what_others_listen_to_costs_nobody(make: Callable[[House], Client], ask: Ask) -> None:
    def work(others: int) -> int:
        house = House(MemoryBus())
        for _ in range(others):
            ask(make(house), "subscribe", FEW)
        client = make(house)
        return calls(lambda: ask(client, "subscribe", FEW)) + calls(lambda: ask(client, "unsubscribe", FEW))

    work(1)
    assert work(50) <= work(1) * 1.01


async def test_a_thousand_streams_are_one_write_to_nats(bus: NatsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = 0
    write = Link.write

    def counted(link: Link) -> None:
        nonlocal writes
        writes += 1
        write(link)

    house = House(bus)
    client = house.native()
    await bus.flush()
    monkeypatch.setattr(Link, "write", counted)
    raw(client, "subscribe", MANY)
    await bus.flush()  # a ping of its own, and the announcement to the workers
    assert writes <= 3
    assert bus.subscribed == MANY
