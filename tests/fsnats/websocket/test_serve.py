import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from fsnats.errors import ConfigError
from fsnats.websocket.certificate import Certificate
from fsnats.websocket.handshake import END
from fsnats.websocket.http import Patience
from fsnats.websocket.serve import listen, serving
from tests.certificates import Pair, make_certificate, shown_serial
from tests.conftest import eventually
from tests.fsnats.websocket.cases import TEXT, frame
from tests.fsnats.websocket.test_handshake import head
from tests.fsnats.websocket.test_server import HAPPENED, Echo, app

PATIENCE = Patience()


def test_an_address_that_cannot_be_had_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"FSNATS_GATEWAY_PORT: cannot listen on 127\.0\.0\.1:"):
            listen("127.0.0.1", taken.getsockname()[1], "FSNATS_GATEWAY_PORT")


def test_two_processes_may_share_a_port() -> None:
    first = listen("127.0.0.1", 0, "PORT")
    second = listen("127.0.0.1", first.getsockname()[1], "PORT")

    assert first.getsockname() == second.getsockname()
    first.close()
    second.close()


def test_the_kernel_hides_little_of_what_a_client_does_not_read() -> None:
    with contextlib.closing(listen("127.0.0.1", 0, "PORT")) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            listener.setblocking(True)
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 16 * 1024


async def test_a_request_that_nothing_answers_ends_with_the_server_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = asyncio.Event()

    async def never(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await asyncio.Event().wait()

    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(never, Echo, listener, shutdown_timeout=0.1):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(20):
            await asked.wait()
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    await asyncio.sleep(0)
    assert caplog.records == []


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_certificate(tmp_path)


@contextlib.asynccontextmanager
async def tls_server(certificate: Certificate, patience: Patience = PATIENCE) -> AsyncIterator[int]:
    HAPPENED.clear()
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Echo, listener, tls=certificate.context, patience=patience):
        yield listener.getsockname()[1]


def certificate_of(pair: Pair) -> Certificate:
    return Certificate(str(pair.chain), str(pair.key), "CERT", "KEY")


async def test_http_and_websockets_share_a_port_inside_tls(pair: Pair) -> None:
    async with tls_server(certificate_of(pair)) as port:
        async with connect(f"wss://localhost:{port}/", ssl=pair.client(), proxy=None) as connection:
            await connection.send("x" * 50_000)
            assert await connection.recv() == "x" * 50_000
        async with httpx.AsyncClient(verify=pair.client()) as client:
            assert (await client.get(f"https://localhost:{port}/")).text == "plain http"


async def test_older_tls_than_1_2_is_refused(pair: Pair) -> None:
    context = pair.client()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with tls_server(certificate_of(pair)) as port:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await asyncio.open_connection("localhost", port, ssl=context)


async def test_a_new_certificate_is_shown_to_new_connections_and_open_ones_live_on(pair: Pair, tmp_path: Path) -> None:
    certificate = certificate_of(pair)
    before, other = pair.serial, make_certificate(tmp_path, "other")
    async with (
        tls_server(certificate) as port,
        connect(f"wss://localhost:{port}/", ssl=pair.client(), proxy=None) as connection,
    ):
        assert await shown_serial(port) == before
        other.install_at(pair)
        assert await shown_serial(port) == before
        certificate.reload()

        assert await shown_serial(port) == other.serial != before
        async with connect(f"wss://localhost:{port}/", ssl=other.client(), proxy=None):
            pass
        await connection.send("still here")
        assert await connection.recv() == "still here"


async def test_a_broken_new_certificate_is_refused_and_the_old_one_stays(pair: Pair, tmp_path: Path) -> None:
    certificate = certificate_of(pair)
    before, other = pair.serial, make_certificate(tmp_path, "other")
    other.chain.replace(pair.chain)  # half a renewal: the key is still the old one
    with pytest.raises(ConfigError, match="is not that of the certificate"):
        certificate.reload()

    async with tls_server(certificate) as port:
        assert await shown_serial(port) == before


async def test_a_tls_handshake_that_never_ends_is_cut_off(pair: Pair) -> None:
    async with tls_server(certificate_of(pair), Patience(request=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()


async def test_who_does_not_read_is_noticed_inside_tls_too(pair: Pair) -> None:
    async with (
        tls_server(certificate_of(pair)) as port,
        # A full queue would stop its reading again, and keep the closing handshake waiting for ten seconds.
        connect(f"wss://localhost:{port}/", ssl=pair.client(), proxy=None, max_size=None, max_queue=None) as connection,
    ):
        connection.transport.pause_reading()
        # An echo of a message that does not fit into what the kernel and the transport take.
        async with asyncio.timeout(20):
            while "paused" not in HAPPENED:
                await connection.send("x" * 60_000)
        assert HAPPENED.count("paused") == 1
        connection.transport.resume_reading()
        await eventually(lambda: "resumed" in HAPPENED)


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[int]:
    HAPPENED.clear()
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Echo, listener):
        yield listener.getsockname()[1]


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_what_is_sent_with_the_handshake_is_heard() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head() + frame(TEXT, b"at once") + frame(TEXT, b"and more"))
        async with asyncio.timeout(20):
            await reader.readuntil(END)
            assert await reader.readexactly(9) == b"\x81\x07at once"
            assert await reader.readexactly(10) == b"\x81\x08and more"
        writer.close()


async def test_a_connection_may_be_http_first() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            for _ in range(2):
                writer.write(GET)
                await reader.readuntil(b"plain http\r\n0\r\n\r\n")
            writer.write(head() + frame(TEXT, b"at once"))
            assert (await reader.readuntil(END)).startswith(b"HTTP/1.1 101")
            assert await reader.readexactly(9) == b"\x81\x07at once"
        writer.close()
        await eventually(lambda: HAPPENED.count("closed") == 1)


async def test_a_handshake_that_does_not_wait_for_the_answer_before_it_is_refused() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + head())
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionResetError):
                assert b"101 Switching" not in await reader.read()
        writer.close()
    assert not HAPPENED


async def test_a_handshake_in_bad_form_is_told_what_is_wrong() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(Sec_WebSocket_Version="8") + b"\x81\x80")
        async with asyncio.timeout(20):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
        assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer
        writer.close()
    assert not HAPPENED
