import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fsnats.errors import ConfigError
from fsnats.websocket.certificate import Certificate
from gateway.neighbours import check, fleet_of, taking
from tests.certificates import make_certificate

OURS = fleet_of(["nats://127.0.0.1:4222"])


def answer(status: str, *fields: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "content-length: 0", *fields, "", "")).encode()


@contextlib.asynccontextmanager
async def somebody(says: bytes | None, tls: Certificate | None = None, port: int = 0) -> AsyncIterator[int]:
    """A server that says this to everybody, or nothing at all; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if says is None:
                await reader.read()
            else:
                writer.write(says)
                await writer.drain()
        writer.close()

    context = tls.context if tls else None
    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context, reuse_port=True)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(
    "urls",
    [
        ["localhost"],
        ["nats://localhost:4222"],
        ["tls://127.0.0.1"],
    ],
)
def test_a_fleet_is_told_by_its_servers_however_they_are_written(urls: list[str]) -> None:
    assert fleet_of(urls) == OURS


def test_other_servers_or_users_are_other_fleets_and_their_order_and_passwords_say_nothing() -> None:
    both = ["nats://a:4222", "nats://me:secret@b:4222"]
    assert fleet_of(both) == fleet_of(["nats://me:changed@b", "nats://a"])
    assert len({OURS, fleet_of(both), fleet_of(["nats://127.0.0.1:4223"]), fleet_of(["nats://me@127.0.0.1"])}) == 4


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", ""])
async def test_a_port_that_a_gateway_of_this_fleet_serves_may_be_shared(host: str) -> None:
    async with somebody(answer("200 OK", f"x-fsnats-fleet: {OURS}")) as port:
        await check(host, port, OURS, tls=False)


async def test_a_free_port_may_be_used() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        await check("127.0.0.1", free.getsockname()[1], OURS, tls=False)
    await check("127.0.0.1", 0, OURS, tls=False)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (answer("200 OK", "x-fsnats-fleet: 0123456789abcdef"), "by a gateway of another fleet"),
        (answer("200 OK"), "by another program$"),
        (answer("404 Not Found", f"x-fsnats-fleet: {OURS}"), "by another program$"),
        (b"220 mail.example ESMTP\r\n", "by another program, which speaks no HTTP$"),
    ],
)
async def test_a_port_that_is_somebody_elses_is_refused(says: bytes, why: str) -> None:
    async with somebody(says) as port:
        with pytest.raises(ConfigError, match=rf"^FSNATS_GATEWAY_PORT: 127\.0\.0\.1:{port} is served {why}"):
            await check("127.0.0.1", port, OURS, tls=False)


async def test_one_who_does_not_answer_keeps_nobody_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.neighbours._WITHIN", 0.1)
    async with somebody(None) as port:
        await check("127.0.0.1", port, OURS, tls=False)
    assert "does not answer" in caplog.text


async def test_of_two_fleets_that_start_at_the_same_moment_one_has_the_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving: list[str] = []

    async def start(fleet: str, tasks: contextlib.AsyncExitStack) -> None:
        async with taking("127.0.0.1", port, fleet, tls=False):
            for _ in range(10):
                await asyncio.sleep(0)  # what a gateway does before it serves
            await tasks.enter_async_context(somebody(answer("200 OK", f"x-fsnats-fleet: {fleet}"), port=port))
            serving.append(fleet)

    async with contextlib.AsyncExitStack() as tasks:
        ends = await asyncio.gather(
            start("one", tasks), start("other", tasks), start("one", tasks), return_exceptions=True
        )
    assert [str(end) for end in ends if end is not None] == [
        f"FSNATS_GATEWAY_PORT: 127.0.0.1:{port} is served by a gateway of another fleet (other NATS servers); "
        "clients would get data of both"
    ]
    assert serving == ["one", "one"]


async def test_one_who_never_serves_keeps_nobody_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.neighbours._TURN_WITHIN", 0.1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with taking("127.0.0.1", port, OURS, tls=False), taking("127.0.0.1", port, OURS, tls=False):
            assert "does not do it" in caplog.text


async def test_inside_tls_it_is_the_same(tmp_path: Path) -> None:
    pair = make_certificate(tmp_path)
    served = Certificate(str(pair.chain), str(pair.key), "CERT", "KEY")
    async with somebody(answer("200 OK", f"x-fsnats-fleet: {OURS}"), served) as port:
        await check("127.0.0.1", port, OURS, tls=True)
        with pytest.raises(ConfigError, match=r"speaks no HTTP$"):
            await check("127.0.0.1", port, OURS, tls=False)
        with pytest.raises(ConfigError, match="another fleet"):
            await check("127.0.0.1", port, "other", tls=True)
