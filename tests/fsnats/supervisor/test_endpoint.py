"""The supervisor's HTTP, by what real clients see."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest

from fsnats.errors import ConfigError
from fsnats.supervisor.endpoint import Answer, base_url, listen, plain, serving


async def metrics() -> Answer:
    return Answer(b"fsnats_up 1\n", content_type="text/plain; version=0.0.4")


async def readyz() -> Answer:
    return plain("not ready: gateway is starting", HTTPStatus.SERVICE_UNAVAILABLE)


@pytest.fixture
async def base() -> AsyncIterator[str]:
    with listen("127.0.0.1", 0) as listener:
        async with serving(listener, {"/metrics": metrics, "/readyz": readyz}):
            yield base_url(listener)


async def raw(base: str, sent: bytes) -> bytes:
    """What comes back until the end."""
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_what_is_there_is_told(base: str) -> None:
    async with httpx.AsyncClient(base_url=base) as http:
        answer = await http.get("/metrics?name=x")
        head = await http.head("/metrics")
        unready = await http.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "fsnats_up 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4"
    assert (head.status_code, head.headers["content-length"], head.text) == (200, "12", "")
    assert (unready.status_code, unready.text) == (503, "not ready: gateway is starting\n")


async def test_what_is_not_there_is_refused(base: str) -> None:
    async with httpx.AsyncClient(base_url=base) as http:
        missing = await http.get("/debug")
        posted = await http.post("/metrics", content=b"x")
    assert (missing.status_code, missing.text) == (404, "not here; /metrics, /readyz are\n")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTT", b"x" * 100_000, b"\0\xff\r\n\r\n"])
async def test_rubbish_disturbs_nobody(base: str, sent: bytes) -> None:
    await raw(base, sent)
    async with httpx.AsyncClient(base_url=base) as http:
        assert (await http.get("/metrics")).status_code == 200


async def test_connections_that_say_nothing_are_limited_and_keep_nobody_out_for_good(base: str) -> None:
    host, _, port = base.removeprefix("http://").partition(":")
    held = [await asyncio.open_connection(host, int(port)) for _ in range(16)]
    assert await raw(base, b"GET /metrics HTTP/1.1\r\n\r\n") == b""
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10):
        while not (answer := await raw(base, b"GET /metrics HTTP/1.1\r\n\r\n")):  # they are being noticed
            pass
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_taken_port_costs_nobody_his_data(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with caplog.at_level(logging.WARNING), listen("127.0.0.1", port) as listener:
            assert base_url(listener) != f"http://127.0.0.1:{port}"
    (line,) = caplog.records
    assert "FSNATS_METRICS_PORT" in line.getMessage()


def test_a_host_that_is_not_ours_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="FSNATS_METRICS_HOST"):
        listen("192.0.2.1", 0)


def test_wildcards_are_reached_by_the_loopback() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert base_url(listener).startswith("http://127.0.0.1:")
    with listen("::1", 0) as listener:
        assert base_url(listener).startswith("http://[::1]:")
