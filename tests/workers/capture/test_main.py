"""What a capture waits for; that it writes is tests/e2e/test_captures.py."""

import asyncio
import logging

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.catalogue import LISTINGS, key_subject
from fsnats.process import Stopping
from fsnats.symbols import Listing
from tests.conftest import eventually
from workers.capture.main import listings_of

SPOT = Listing(Market.SPOT, 1, simulated=True, symbols=[])


def list_spot(bus: MemoryBus) -> None:
    subject = f"$JS.API.DIRECT.GET.KV_{LISTINGS}.{key_subject(LISTINGS, Market.SPOT)}"

    def answer(_subject: str, reply: str, _payload: bytes) -> None:
        bus.publish(reply, msgspec.json.encode(SPOT))

    bus.subscribe(subject, answer)


async def test_it_says_once_which_market_nobody_carries(caplog: pytest.LogCaptureFixture) -> None:
    bus, stopping = MemoryBus(), Stopping()
    list_spot(bus)
    with caplog.at_level(logging.WARNING):
        waiting = asyncio.create_task(listings_of(bus, (Market.SPOT, Market.COINM), stopping, patience=0))
        await eventually(lambda: bool(caplog.records))
        stopping.request()
        assert await waiting is None
    assert [record.__dict__["markets"] for record in caplog.records] == [["coinm"]]


async def test_what_is_listed_is_read_at_once_and_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    bus = MemoryBus()
    list_spot(bus)
    with caplog.at_level(logging.WARNING):
        assert await listings_of(bus, (Market.SPOT,), Stopping(), patience=0) == {Market.SPOT: SPOT}
    assert caplog.records == []
