"""`fsnats client` against a real WebSocket server that speaks the native protocol."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.fsnats.cli.conftest import PATIENCE, command, environment, free_port, fsnats, line_with, running, until

ROW = [1_700_000_000_000, "1.0", "2.0", "0.5", "1.5", "9", 1_700_000_059_999, "1", 1, "1", "1", "0"]


class Gateway:
    """Speaks as much of the native protocol as the client does; `requests` are all that came, on all connections."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.connections: list[ServerConnection] = []

    async def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        await self.say(type="connection", clientId=f"client_{len(self.connections)}", simulated=True)
        async for message in connection:
            request = msgspec.json.decode(message)
            self.requests.append(request)
            await self.say(**self._answer(request))

    async def say(self, **message: object) -> None:
        await self.connections[-1].send(msgspec.json.encode(message).decode())

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "nope" in request.get("symbols", ()):
            return {"type": "error", "code": "UNKNOWN_SYMBOL", "message": "unknown symbol 'nope'", "id": request["id"]}
        match request["type"]:
            case "listSubscriptions":
                rows = [
                    {"market": "spot", "stream": "btcusdt@kline_1m"},
                    {"market": "spot", "stream": "*", "streams": 9},
                    {"market": "spot", "streamType": "symbols"},
                ]
                return {"type": "subscriptions", "streams": rows, "total": 10, "id": request["id"]}
            case "getHistoricalKlines":
                return {**request, "type": "historicalKlines", "klines": [ROW] * request["limit"]}
        return {**request, "type": request["type"] + "d"}

    @property
    def said(self) -> list[dict[str, Any]]:
        """The requests without their ids."""
        return [{name: value for name, value in request.items() if name != "id"} for request in self.requests]


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[Gateway, str]]:
    house = Gateway()
    async with serve(house.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield house, f"ws://127.0.0.1:{port}"


def typed(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


async def test_lines_from_a_pipe_become_requests_in_order() -> None:
    async with gateway() as (house, url):
        lines = typed("subscribe btcusdt,ETHUSDT", "type kline 5m", "u ETHUSDT", "s btcusdt@depth20", "quit", "s never")
        ended = await fsnats("client", "--url", url, stdin=lines)
    assert ended.status == 0
    kline = {"streamType": "kline", "symbols": ["btcusdt", "ETHUSDT"]}
    later = [request for request in house.said if request not in house.said[:1]]
    assert house.said[0] == {"type": "subscribe", **kline, "options": {"interval": "1m"}}
    assert later == [
        {"type": "unsubscribe", **kline, "options": {"interval": "1m"}},
        {"type": "subscribe", **kline, "options": {"interval": "5m"}},
        {"type": "unsubscribe", "streamType": "kline", "symbols": ["ETHUSDT"], "options": {"interval": "5m"}},
        {"type": "subscribe", "rawStreams": ["btcusdt@depth20"]},
    ]


async def test_replies_read_well_and_simulated_data_is_named() -> None:
    async with gateway() as (_, url):
        ended = await fsnats("client", "--url", url, stdin=typed("show", "history btcusdt 1m 2", "s nope", "dance"))
    assert "connected as client_1  SIMULATED DATA" in ended.out
    assert "subscribed to 3 streams and patterns" in ended.out
    assert "  spot  *  (9 streams)\n  spot  symbols\n" in ended.out
    assert "2 candles of btcusdt 1m" in ended.out
    assert ended.out.count("O 1.0  H 2.0  L 0.5  C 1.5  volume 9") == 2
    assert "error UNKNOWN_SYMBOL: unknown symbol 'nope'" in ended.out
    assert "not understood: 'dance'" in ended.out
    assert ended.status == 0


async def test_data_reads_well() -> None:
    async with gateway() as (house, url), running(*command("client", "--url", url), env=environment()) as process:
        await line_with(process.stdout, "connected")
        ticker = {"e": "24hrMiniTicker", "s": "BTCUSDT", "c": "5", "o": "4", "h": "6", "l": "3", "v": "7"}
        await house.say(type="ticker", data=ticker)
        assert "ticker  BTCUSDT 5  O 4  H 6  L 3  volume 7" in await line_with(process.stdout, "BTCUSDT")
        await house.say(type="ticker", market="usdm", data={"stream": "btcusdt@ticker", "data": ticker})
        assert "usdm ticker  BTCUSDT 5  O 4" in await line_with(process.stdout, "BTCUSDT")
        await house.say(stream="btcusdt@weird", data={"anything": [1, 2]})
        assert 'btcusdt@weird  {"anything":[1,2]}' in await line_with(process.stdout, "weird")
        await house.say(type="symbols", market="usdm", listed=["A", "B"], delisted=[], halted=["C"], resumed=[], time=1)
        assert "usdm symbols: listed A, B; halted C" in await line_with(process.stdout, "symbols")


async def test_it_reconnects_and_asks_again_for_what_it_had() -> None:
    async with gateway() as (house, url), running(*command("client", "--url", url), env=environment()) as process:
        assert process.stdin is not None
        process.stdin.write(typed("s btcusdt", "s nope").encode())
        await line_with(process.stdout, "UNKNOWN_SYMBOL")
        await house.connections[0].close(1012, "Service restart")
        assert "1012" in await line_with(process.stdout, "closed")
        await until(lambda: len(house.connections) == 2)
        await line_with(process.stdout, "subscribed: btcusdt")
        assert [request.get("symbols") for request in house.said] == [["btcusdt"], ["nope"], ["btcusdt"]]
        process.stdin.close()
        async with asyncio.timeout(5):
            assert await process.wait() == 0


async def test_it_waits_for_a_gateway_that_is_not_there_yet() -> None:
    port = free_port()
    arguments = command("client", "--url", f"ws://127.0.0.1:{port}")
    async with running(*arguments, env=environment()) as process:
        assert process.stdin is not None
        process.stdin.write(typed("s btcusdt").encode())
        await line_with(process.stdout, "cannot connect")
        house = Gateway()
        async with serve(house.serve, "127.0.0.1", port):
            await line_with(process.stdout, "subscribed: btcusdt")
            process.stdin.close()
            await process.wait()
    assert process.returncode == 0
    assert len(house.requests) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1", "ws://127.0.0.1:99999", "ws://host:none", "ws://[", "ws://"])
async def test_a_url_that_is_none_is_wrong_usage(url: str) -> None:
    ended = await fsnats("client", "--url", url)
    assert ended.status == 64
    assert f"'{url}' is not a ws:// or wss:// URL" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("user", ["user:sesame", "sesame"])
async def test_what_is_secret_in_the_url_is_not_shown(user: str) -> None:
    url = f"ws://{user}@127.0.0.1:{free_port()}/usdm?token=sesame"
    async with running(*command("client", "--url", url), env=environment()) as process:
        told = await line_with(process.stdout, "cannot connect")
    assert "ws://127.0.0.1" in told
    assert "sesame" not in told
    assert "sesame" not in (await fsnats("client", "--url", url.replace("ws", "http"))).err


async def test_a_reader_that_has_enough_ends_it() -> None:
    async with gateway() as (house, url):
        reading, writing = os.pipe()  # its reading end is ours alone to close
        process = await asyncio.create_subprocess_exec(
            *command("client", "--url", url),
            stdin=asyncio.subprocess.PIPE,
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
        )
        os.close(writing)
        await until(lambda: bool(house.connections))
        os.close(reading)
        await house.say(type="pong")
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    _, err = await process.communicate()
    assert err == b""


async def test_what_a_gateway_says_does_nothing_to_the_terminal() -> None:
    async with gateway() as (house, url), running(*command("client", "--url", url)) as process:
        await line_with(process.stdout, "connected")
        await house.say(type="error", code="NO", message="\x1b[2Jgone")
        assert await line_with(process.stdout, "gone") == "error NO: \\x1b[2Jgone\n"
