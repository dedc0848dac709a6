"""REST against the simulator and against servers that answer as Binance does when it refuses."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from fsnats.binance.rest import BadRequest, Rest
from fsnats.binance.streams import Market
from fsnats.errors import ExchangeUnavailable
from tests.conftest import free_port
from workers.simulator.server import Simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


@pytest.mark.parametrize("market", Market)
async def test_an_answer_says_its_weight_and_that_it_is_simulated(simulator: Simulator, market: Market) -> None:
    async with Rest(market, simulator.rest_url(market), None) as rest:
        answer = await rest.get("exchangeInfo")

    assert json.loads(answer.body)["symbols"]
    assert answer.simulated
    assert answer.used_weight


async def test_an_answer_says_when_it_was_asked_for_and_when_it_came(simulator: Simulator) -> None:
    async with Rest(Market.SPOT, simulator.rest_url(Market.SPOT), None) as rest:
        for _ in range(2):  # over a new connection, and over one that is kept
            before = time.time_ns()
            answer = await rest.get("time")
            theirs = json.loads(answer.body)["serverTime"]

            assert before <= answer.sent_ns <= answer.received_ns <= time.time_ns()
            assert answer.sent_ns // 1_000_000 <= theirs <= answer.received_ns // 1_000_000


async def test_a_wrong_request_carries_the_exchanges_own_words(simulator: Simulator) -> None:
    async with Rest(Market.SPOT, simulator.rest_url(Market.SPOT), None) as rest:
        with pytest.raises(BadRequest) as failure:
            await rest.get("klines", {"symbol": "NOPE", "interval": "1m"})

    assert (failure.value.code, failure.value.text) == (-1121, "Invalid symbol.")


@pytest.mark.parametrize("answers", [1, 2])
async def test_a_kept_connection_that_is_closed_when_it_is_used_is_no_failure(answers: int) -> None:
    opened: list[int] = []  # requests of each connection

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(opened)
        opened.append(0)
        while await reader.readuntil(b"\r\n\r\n"):
            opened[mine] += 1
            if opened[mine] > answers:
                break  # without a word, as a server does that was about to close it
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Rest(Market.SPOT, url, None) as rest:
        for _ in range(answers + 1):
            assert (await rest.get("time")).body == b"{}"
        assert opened == [answers + 1, 1]


async def test_a_new_connection_that_is_closed_is_a_failure_at_once() -> None:
    server, url = await answering(b"")
    async with server, Rest(Market.SPOT, url, None) as rest:
        with pytest.raises(ExchangeUnavailable, match="http"):
            await rest.get("time")


async def answering(response: bytes) -> tuple[asyncio.Server, str]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(response)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("status", "body", "after", "says"),
    [
        (451, b'{"code":0,"msg":"Service unavailable from a restricted location"}', None, "location"),
        (403, b"<html>WAF</html>", None, "firewall"),
        (418, b'{"code":-1003,"msg":"Way too many requests; IP banned until 1529256050872."}', 120.0, "banned"),
        (429, b'{"code":-1003,"msg":"Too many requests"}', 7.0, "too many"),
        # By our clock that was long ago: then our clock is wrong, and says nothing of when the ban ends.
        (418, b'{"code":-1003,"msg":"Way too many requests; IP banned until 1529256050872."}', None, "banned"),
        (502, b"<html>bad gateway</html>", None, "trouble"),
    ],
)
async def test_refusals_are_explained(status: int, body: bytes, after: float | None, says: str) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
    head += f"Retry-After: {after:.0f}\r\n" if after else ""
    server, url = await answering(head.encode() + b"\r\n" + body)
    async with server, Rest(Market.SPOT, url, None) as rest:
        with pytest.raises(ExchangeUnavailable, match=says) as failure:
            await rest.get("ping")

    assert (failure.value.stage, failure.value.status, failure.value.retry_after) == ("http", status, after)


@pytest.mark.parametrize(
    ("url", "proxy", "stage"),
    [
        ("http://127.0.0.1:{nobody}", None, "tcp"),
        ("http://no-such-host.invalid", None, "dns"),
        ("http://127.0.0.1:1", "http://u:secret@127.0.0.1:{nobody}", "proxy"),
        ("http://127.0.0.1:1", "socks5h://u:secret@127.0.0.1:{nobody}", "proxy"),
    ],
)
async def test_the_stage_that_failed_is_named(url: str, proxy: str | None, stage: str) -> None:
    nobody = free_port()
    url, proxy = url.format(nobody=nobody), proxy and proxy.format(nobody=nobody)
    async with Rest(Market.SPOT, url, proxy) as rest:
        with pytest.raises(ExchangeUnavailable) as failure:
            await rest.get("ping")

    assert failure.value.stage == stage
    assert "secret" not in str(failure.value)
    assert stage == "proxy" or str(urlsplit(url).hostname) in str(failure.value)


async def test_a_server_without_tls_is_tls() -> None:
    server, url = await answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    async with server, Rest(Market.SPOT, url.replace("http:", "https:"), None) as rest:
        with pytest.raises(ExchangeUnavailable) as failure:
            await rest.get("ping")

    assert failure.value.stage == "tls"
