"""A gateway that is stopped while clients listen, with real processes."""

import asyncio
import signal
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway import closing
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, Process, free_port, get, wait_for

STREAM = "btcusdt@depth@100ms"
RESTART = (closing.RESTARTING.code, closing.RESTARTING.reason)


class Leaving:
    """A gateway beside the fleet's, which the test stops."""

    def __init__(self, fleet: Fleet, *arguments: str) -> None:
        self.port = free_port()
        self.process: Process = fleet.start(f"leaving-{self.port}", "gateway", "--port", str(self.port), *arguments)
        wait_for(lambda: self.readyz()[0] == 200, "the gateway is ready")

    def readyz(self) -> tuple[int, str]:
        return get(f"http://127.0.0.1:{self.port}/readyz")

    def client(self, path: str) -> Client:
        return Client(f"ws://127.0.0.1:{self.port}{path}")

    async def ended(self) -> None:
        await until(lambda: self.process.status is not None, "the gateway has ended")
        assert self.process.status == 0


@pytest.fixture
def leaving(fleet: Fleet) -> Iterator[Leaving]:
    house = Leaving(fleet, "--graceful", "4")
    yield house
    house.process.kill()


def says_goodbye(message: dict[str, object]) -> bool:
    return message.get("type") == "goodbye"


async def test_every_client_is_told_in_its_own_dialect_and_closed_with_1012(leaving: Leaving) -> None:
    native, raw = leaving.client("/"), leaving.client(f"/ws/{STREAM}")
    combined = leaving.client(f"/stream?streams={STREAM}")
    async with native, raw, combined:
        await until(lambda: raw.messages and native.messages, "data flows")
        await combined.delivered(STREAM)
        leaving.process.signal(signal.SIGTERM)
        await until(lambda: leaving.readyz() == (503, "not ready: stopping\n"), "readiness is gone")
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{leaving.port}/", proxy=None)
        assert refused.value.response.status_code == 503
        assert [await each.closed() for each in (native, raw, combined)] == [RESTART] * 3

        assert native.messages[-1] == {"type": "goodbye", "reconnect": True, "closesIn": 1.0}
        told = next(each for each in raw.messages if each["e"] == "serverShutdown")
        assert told.keys() == {"e", "E"}
        told = next(each for each in combined.messages if each["stream"] == "!serverShutdown")
        assert told["data"]["e"] == "serverShutdown"
        # Between goodbye and closing it went on: there is time to connect elsewhere without a hole.
        assert combined.messages[-1]["stream"] == STREAM
    await leaving.ended()


async def test_departures_are_spread(leaving: Leaving) -> None:
    clients = [leaving.client("/") for _ in range(6)]
    async with clients[0], clients[1], clients[2], clients[3], clients[4], clients[5]:
        leaving.process.signal(signal.SIGTERM)
        await clients[0].closed()
        assert clients[5].is_open
        assert not any(map(says_goodbye, clients[5].messages))
        assert [await each.closed() for each in clients] == [RESTART] * 6
    await leaving.ended()


async def test_a_second_signal_sends_everybody_away_at_once(fleet: Fleet) -> None:
    house = Leaving(fleet, "--graceful", "600")
    first, last = house.client("/"), house.client("/")
    async with first, last:
        house.process.signal(signal.SIGTERM)
        await first.reply(says_goodbye, "a goodbye")
        assert last.is_open
        house.process.signal(signal.SIGTERM)
        assert [await first.closed(), await last.closed()] == [RESTART] * 2
        await last.reply(says_goodbye, "a goodbye")
    await house.ended()


async def test_all_processes_of_a_port_leave_slowly_and_are_not_killed_for_it(fleet: Fleet) -> None:
    # Longer than a member that is not known to leave slowly would be given.
    house = Leaving(fleet, "--graceful", "6", "--processes", "2")
    await until(lambda: house.process.said().count('"message":"ready"') == 2, "both are ready")
    clients = [house.client("/") for _ in range(8)]
    async with asyncio.TaskGroup() as tasks:
        for each in clients:
            tasks.create_task(each.__aenter__())
    house.process.signal(signal.SIGTERM)
    try:
        assert [await each.closed() for each in clients] == [RESTART] * 8
    finally:
        for each in clients:
            await each.__aexit__(None, None, None)
    await house.ended()
    assert "did not stop" not in house.process.said()
