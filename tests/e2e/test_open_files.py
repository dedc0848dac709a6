"""A gateway that may have few files open: who does not fit is told, and nobody who is inside notices."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from fsnats.descriptors import room
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, Process, free_port, get, wait_for

_FILES = 80
_STREAM = "btcusdt@depth@100ms"


class House:
    """A gateway that was started with so many files, and told to take more clients than that."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/ws/{_STREAM}"


@pytest.fixture
def house(fleet: Fleet, request: pytest.FixtureRequest) -> Iterator[House]:
    port = free_port()
    command = (sys.executable, "-P", "-m", "gateway", "--port", str(port))
    environ = fleet.environ(gateway_connections=1000, **getattr(request, "param", {}))
    with fleet.beside("/bin/sh", "-c", f'ulimit -n {_FILES} && exec "$@"', "sh", *command, **environ) as process:
        wait_for(lambda: get(f"http://127.0.0.1:{port}/readyz")[0] == 200, "the gateway is ready")
        yield House(process, port)


async def test_clients_that_do_not_fit_are_refused_in_words(house: House) -> None:
    fit = room(_FILES)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(fit):
            await stack.enter_async_context(connect(house.url, proxy=None))
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.url, proxy=None)
        assert refused.value.response.status_code == 503
        assert refused.value.response.body == b"this gateway is full: %d connections\n" % fit
        assert get(f"http://127.0.0.1:{house.port}/healthz")[0] == 200
    said = house.process.said()
    assert "fewer connections fit than FSNATS_GATEWAY_CONNECTIONS allows" in said
    assert f'"fit":{fit}' in said


@pytest.mark.parametrize("house", [{"gateway_handshake_timeout": 1}], indirect=True, ids=["soon cut"])
async def test_connections_beyond_all_files_hurt_nobody(house: House) -> None:
    async with Client(house.url) as inside:
        await inside.reply(lambda each: each["e"] == "depthUpdate", "data")
        bare = [socket.create_connection(("127.0.0.1", house.port)) for _ in range(2 * _FILES)]
        before = len(inside.messages)
        await until(lambda: len(inside.messages) > before + 10, "data goes on")
        for each in bare:
            each.close()

        async def comes_in() -> None:
            async with Client(house.url) as late:
                await late.reply(lambda each: each["e"] == "depthUpdate", "data")

        async with asyncio.timeout(20):
            await comes_in()
        assert inside.is_open
    assert "Traceback" not in house.process.said()
