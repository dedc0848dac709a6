import asyncio
import logging

import pytest

from fsnats.binance.streams import Market
from fsnats.errors import StoreUnavailable
from fsnats.store import Series, Span, Store
from tests.clock import HandClock
from tests.workers.history.shelves import Table, shelf_of
from workers.history import shelf as shelf_module
from workers.history.shelf import AGAIN, Shelf

SERIES = Series(Market.SPOT, "kline", "BTCUSDT", "1m")


async def spans(shelf: Shelf) -> list[Span] | None:
    return await shelf.ask(lambda store: store.spans(SERIES))


async def test_a_store_that_fails_is_left_alone_for_a_while_and_comes_back(clock: HandClock) -> None:
    table = Table()
    shelf = shelf_of(table, clock)
    assert await spans(shelf) == []
    table.broken = True
    assert await spans(shelf) is None
    assert shelf.status()["state"] == "the disk is gone"
    table.broken = False
    await clock.advance(AGAIN - 0.1)
    assert await spans(shelf) is None
    await clock.advance(0.1)
    assert await spans(shelf) == []
    assert shelf.status()["state"] == "ok"


async def test_a_store_that_cannot_be_opened_is_tried_again(clock: HandClock) -> None:
    tries = 0

    async def opening() -> Store:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("connection refused")

    shelf = Shelf(opening, clock)
    for _ in range(3):
        assert await spans(shelf) is None
    assert tries == 1
    await clock.advance(AGAIN)
    assert await spans(shelf) is None
    assert tries == 2
    await shelf.close()


async def test_a_store_that_says_nothing_is_not_waited_for(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "PATIENCE", 0.01)
    shelf = shelf_of(Table(), clock)

    async def never(store: Store) -> bool:
        return await asyncio.Event().wait()

    assert await shelf.ask(never) is None
    assert shelf.status()["state"] == "no answer within 0.01 s"


async def test_trouble_is_logged_once(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    table.broken = True
    shelf = shelf_of(table, clock)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await spans(shelf)
            await clock.advance(AGAIN)
        table.broken = False
        await spans(shelf)
    assert [record.message for record in caplog.records] == ["the store is left out", "the store is back"]
