import asyncio
from collections.abc import AsyncIterator

import pytest

from fsnats.supervisor.stuck import LOOK, PATIENCE, REST, StuckStore
from tests.clock import HandClock


class Server:
    def __init__(self) -> None:
        self.is_stuck = self.has_room = False
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1


@pytest.fixture
async def server(clock: HandClock) -> AsyncIterator[Server]:
    server = Server()
    store = StuckStore(clock, lambda: server.is_stuck, lambda: server.has_room, server.restart)
    running = asyncio.create_task(store.run())
    yield server
    running.cancel()


async def test_a_server_that_stores_nothing_though_there_is_room_is_started_again(
    server: Server, clock: HandClock
) -> None:
    server.is_stuck = True
    await clock.advance(REST)
    assert server.restarts == 0  # the disk is full: that would not help
    server.has_room = True
    await clock.advance(PATIENCE)
    assert server.restarts == 0
    await clock.advance(2 * LOOK)
    assert server.restarts == 1


async def test_it_is_not_started_again_and_again_where_that_does_not_help(server: Server, clock: HandClock) -> None:
    server.is_stuck = server.has_room = True
    await clock.advance(REST)
    assert server.restarts == 1
    await clock.advance(REST)
    assert server.restarts == 2


async def test_one_that_stores_again_by_itself_is_left_alone(server: Server, clock: HandClock) -> None:
    server.has_room = True
    for _ in range(10):
        server.is_stuck = not server.is_stuck
        await clock.advance(PATIENCE / 2)
    assert server.restarts == 0
