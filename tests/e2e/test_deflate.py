"""Compression for clients that ask, and for nobody else."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.fleet import Fleet, free_port

STREAM = "btcusdt@depth@100ms"


class Counted(ClientConnection):
    """A connection that counts what comes over the wire."""

    taken = 0

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        super().data_received(data)


@contextlib.asynccontextmanager
async def client(url: str, compression: str | None) -> AsyncIterator[Any]:
    async with connect(url, proxy=None, compression=compression, create_connection=Counted) as connection:
        yield connection


async def read(connection: ClientConnection, until_id: int = 0) -> dict[int, bytes]:
    """Messages of the stream by their first id: 20 of them, or all until one."""
    got: dict[int, bytes] = {}
    while len(got) < 20 or max(got) < until_id:
        data = await connection.recv(decode=False)
        message = json.loads(data)
        if "data" in message:
            got[message["data"]["U"]] = data
    return got


@pytest.mark.parametrize("path", [f"/stream?streams={STREAM}", "/"])
async def test_compressed_and_plain_clients_get_the_same_and_the_one_has_less_to_read(fleet: Fleet, path: str) -> None:
    async with client(f"{fleet.ws}{path}", "deflate") as deflated, client(f"{fleet.ws}{path}", None) as plain:
        if path == "/":
            for each in (deflated, plain):
                await each.send(json.dumps({"type": "subscribe", "rawStreams": [STREAM]}))
        less = await read(deflated)
        more = await read(plain, max(less))
        same = less.keys() & more.keys()
        assert len(same) >= 10
        assert all(less[each] == more[each] for each in same)
        assert deflated.response.headers["Sec-WebSocket-Extensions"].startswith("permessage-deflate")
        assert "Sec-WebSocket-Extensions" not in plain.response.headers
        assert deflated.taken / sum(map(len, less.values())) < 0.9 < plain.taken / sum(map(len, more.values()))


async def test_requests_may_be_compressed_too(fleet: Fleet) -> None:
    async with client(f"{fleet.ws}/ws", "deflate") as connection:
        names = [f"nosuch{number}@trade" for number in range(300)]
        await connection.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        assert json.loads(await connection.recv()) == {"result": None, "id": 1}
        await connection.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 2}))
        assert json.loads(await connection.recv())["result"] == names


async def test_an_operator_can_switch_it_off(fleet: Fleet) -> None:
    port = free_port()
    process = fleet.serve_gateway(port, gateway_deflate="false")
    async with client(f"ws://127.0.0.1:{port}/ws/{STREAM}", "deflate") as connection:
        assert "Sec-WebSocket-Extensions" not in connection.response.headers
        assert json.loads(await connection.recv())["e"] == "depthUpdate"
    process.kill()
