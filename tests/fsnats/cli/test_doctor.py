"""`fsnats doctor` against real servers and real proxies on loopback."""

import asyncio
import http
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fsnats.bus.nats import NatsBus
from fsnats.cli.doctor import examine, lines
from fsnats.settings import load
from fsnats.status import Status, respond
from tests.fsnats.cli.conftest import PATIENCE, Ended, free_port, fsnats, listening, program, running
from tests.proxies import make_authority

BLOCKED = b'{"code":0,"msg":"Service unavailable from a restricted location"}'


def _json(status: int, body: bytes, **headers: str) -> Response:
    given = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close", **headers}
    return Response(status, http.HTTPStatus(status).phrase, Headers(given), body)


@asynccontextmanager
async def exchange(
    *, skew: float = 0.0, refusal: Response | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """An exchange that knows its time and answers questions, or refuses everything; yields its port."""

    def answer(_connection: ServerConnection, request: Request) -> Response | None:
        if refusal is not None:
            return refusal
        if request.path.endswith("/time"):
            return _json(200, msgspec.json.encode({"serverTime": round((time.time() - skew) * 1000)}))
        return None

    async def reply(connection: ServerConnection) -> None:
        async for message in connection:
            asked = msgspec.json.decode(message)
            await connection.send(msgspec.json.encode({"result": [], "id": asked["id"]}).decode())

    async with serve(reply, "127.0.0.1", 0, process_request=answer, ssl=tls) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[int]:
    """A server that says this to whoever says something."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def settings_for(port: int, host: str = "127.0.0.1", *, tls: bool = False) -> dict[str, str | int]:
    """A spot market at this port, and nothing else."""
    return {
        "spot_rest_url": f"http{'s' if tls else ''}://{host}:{port}",
        "spot_ws_url": f"ws{'s' if tls else ''}://{host}:{port}",
        "markets": "spot",
    }


async def doctor(port: int, *, host: str = "127.0.0.1", tls: bool = False, **more: str) -> Ended:
    """The command's verdicts, without the cost of a process."""
    flags = {name: str(value) for name, value in settings_for(port, host, tls=tls).items()} | more
    async with asyncio.timeout(PATIENCE):
        sections = await examine(load(flags).config)
    out = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines(sections)))
    return Ended(69 if any(section.failed for section in sections) else 0, out, "")


def stages(ended: Ended, subject: str) -> dict[str, str]:
    """The mark of each stage of one subject."""
    found = {}
    for line in ended.out.splitlines():
        mark, _, rest = line.partition(" ")
        if rest.startswith(f"{subject} "):
            found[rest.removeprefix(subject).split()[0]] = mark
    return found


def words(ended: Ended, mark: str = "✗") -> str:
    return "\n".join(line for line in ended.out.splitlines() if line.startswith(mark))


async def test_everything_works() -> None:
    async with exchange() as port:
        ended = await fsnats("doctor", settings=settings_for(port))
    assert ended.status == 0, ended.out
    assert stages(ended, "spot REST") == {"DNS": "✓", "TCP": "✓", "HTTP": "✓", "clock": "✓"}
    assert stages(ended, "spot streams") == {"DNS": "✓", "TCP": "✓", "WebSocket": "✓"}
    assert "--sim" not in ended.out


async def test_a_clock_that_is_wrong_is_told_and_fails_nothing() -> None:
    async with exchange(skew=90) as port:
        ended = await doctor(port)
    assert ended.status == 0
    assert stages(ended, "spot REST")["clock"] == "!"
    assert "ahead of the exchange's" in ended.out


async def test_an_unknown_name_is_dns() -> None:
    ended = await doctor(443, host="exchange.invalid", tls=True)
    assert ended.status == 69
    assert stages(ended, "spot REST") == {"DNS": "✗"}
    assert stages(ended, "spot streams") == {"DNS": "✗"}
    assert "exchange.invalid" in words(ended)
    assert "`fsnats up --sim`" in ended.out


async def test_a_port_where_nobody_listens_is_tcp() -> None:
    ended = await fsnats("doctor", settings=settings_for(free_port()))
    assert ended.status == 69
    assert stages(ended, "spot REST") == {"DNS": "✓", "TCP": "✗"}
    assert "`fsnats up --sim`" in ended.out


@pytest.mark.parametrize(
    ("status", "body", "explained"),
    [
        (451, BLOCKED, "HTTP 451: it does not serve this exit's location; it asks to stay away for 120 s (Service"),
        (403, b"<html>WAF</html>", "HTTP 403: its firewall refuses this exit"),
        (418, b"{}", "HTTP 418: it has banned this exit for ignoring 429; it asks to stay away for 120 s"),
        (502, b"", "HTTP 502: the exchange is in trouble"),
    ],
)
async def test_a_refusal_is_explained_for_rest_and_websocket(status: int, body: bytes, explained: str) -> None:
    async with exchange(refusal=_json(status, body, **{"Retry-After": "120"})) as port:
        ended = await doctor(port)
    assert ended.status == 69
    assert stages(ended, "spot REST") == {"DNS": "✓", "TCP": "✓", "HTTP": "✗"}
    assert stages(ended, "spot streams") == {"DNS": "✓", "TCP": "✓", "WebSocket": "✗"}
    assert words(ended).count(explained) == 2


async def test_something_else_that_answers_is_not_the_exchange() -> None:
    async with exchange(refusal=_json(200, b"<html>please log in</html>")) as port:
        ended = await doctor(port)
    assert "the answer is not the exchange's" in words(ended)


async def test_something_that_is_not_http_is_told() -> None:
    async with answering(b"SSH-2.0-OpenSSH\r\n") as port:
        ended = await doctor(port)
    assert stages(ended, "spot REST")["HTTP"] == "✗"
    assert stages(ended, "spot streams")["WebSocket"] == "✗"


@pytest.fixture
async def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    async with running(program("openssl"), *arguments, "-keyout", str(key), "-out", str(certificate)) as process:
        await process.communicate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_is_not_to_be_trusted_is_tls(tls: ssl.SSLContext) -> None:
    async with exchange(tls=tls) as port:
        ended = await doctor(port, host="localhost", tls=True)
    assert stages(ended, "spot REST") == {"DNS": "✓", "TCP": "✓", "TLS": "✗"}
    assert "not to be trusted: self-signed certificate" in words(ended)


async def test_a_server_without_tls_is_tls() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        ended = await doctor(port, tls=True)
    assert stages(ended, "spot streams") == {"DNS": "✓", "TCP": "✓", "TLS": "✗"}


# Proxies.


@asynccontextmanager
async def microsocks(*options: str) -> AsyncIterator[int]:
    """A real SOCKS5 proxy."""
    port = free_port()
    async with running(program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *options):
        await listening(port)
        yield port


@asynccontextmanager
async def tinyproxy(directory: Path, *lines: str) -> AsyncIterator[int]:
    """A real HTTP proxy."""
    port = free_port()
    configuration = directory / "tinyproxy.conf"
    configuration.write_text("\n".join([f"Port {port}", "Listen 127.0.0.1", "MaxClients 20", *lines, ""]))
    async with running(program("tinyproxy"), "-d", "-c", str(configuration)):
        await listening(port)
        yield port


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_proxy_that_works(scheme: str) -> None:
    async with microsocks("-u", "me", "-P", "s3cret") as proxy, exchange() as port:
        ended = await doctor(port, proxy=f"{scheme}://me:s3cret@127.0.0.1:{proxy}")
    assert ended.status == 0, ended.out
    assert stages(ended, "proxy") == {"proxy": "✓"}
    assert "accepts user and password" in ended.out
    here = {"DNS": "✓"} if scheme == "socks5" else {}  # where names are looked up
    assert stages(ended, "spot REST") == {**here, "proxy": "✓", "HTTP": "✓", "clock": "✓"}
    assert stages(ended, "spot streams") == {**here, "proxy": "✓", "WebSocket": "✓"}


async def test_a_socks_proxy_that_refuses_the_password() -> None:
    async with microsocks("-u", "me", "-P", "s3cret") as proxy, exchange() as port:
        ended = await fsnats("doctor", settings=settings_for(port), proxy=f"socks5h://me:wr0ng@127.0.0.1:{proxy}")
    assert ended.status == 69
    assert stages(ended, "proxy") == {"proxy": "✗"}
    assert "refuses this user and password" in words(ended)
    assert "wr0ng" not in ended.out + ended.err
    assert stages(ended, "spot REST") == {}, "what cannot be tried is not blamed"


async def test_a_socks_proxy_that_wants_a_password() -> None:
    async with microsocks("-u", "me", "-P", "s3cret") as proxy:
        ended = await doctor(free_port(), proxy=f"socks5h://127.0.0.1:{proxy}")
    assert "it wants a user and a password" in words(ended)


async def test_a_socks_proxy_that_cannot_reach_the_exchange() -> None:
    async with microsocks() as proxy:
        ended = await doctor(free_port(), proxy=f"socks5h://127.0.0.1:{proxy}")
    assert stages(ended, "proxy") == {"proxy": "✓"}
    assert stages(ended, "spot REST") == {"proxy": "✗"}
    assert "the host refuses the connection" in words(ended)


async def test_a_name_that_only_the_proxy_could_look_up() -> None:
    async with microsocks() as proxy:
        ended = await doctor(80, host="exchange.invalid", proxy=f"socks5://127.0.0.1:{proxy}")
    assert stages(ended, "spot streams") == {"DNS": "✗"}
    assert "write socks5h:// instead of socks5://" in ended.out


async def test_a_proxy_that_is_not_there() -> None:
    ended = await doctor(free_port(), proxy=f"socks5h://127.0.0.1:{free_port()}")
    assert stages(ended, "proxy") == {"proxy": "✗"}
    assert "is not reachable" in words(ended)


async def test_an_http_proxy_that_works(tmp_path: Path) -> None:
    async with tinyproxy(tmp_path, "BasicAuth me s3cret") as proxy, exchange() as port:
        ended = await doctor(port, proxy=f"http://me:s3cret@127.0.0.1:{proxy}")
    assert ended.status == 0, ended.out
    assert stages(ended, "spot streams") == {"proxy": "✓", "WebSocket": "✓"}


@pytest.mark.parametrize(
    ("login", "told"), [("me:wr0ng@", "refuses this user and password"), ("", "wants a user and a password")]
)
async def test_an_http_proxy_that_does_not_let_us_in(tmp_path: Path, login: str, told: str) -> None:
    async with tinyproxy(tmp_path, "BasicAuth me s3cret") as proxy, exchange() as port:
        ended = await doctor(port, proxy=f"http://{login}127.0.0.1:{proxy}")
    assert stages(ended, "spot REST") == {"proxy": "✗"}
    assert told in words(ended)
    assert "wr0ng" not in ended.out + ended.err


async def test_an_http_proxy_whose_rules_forbid_the_port(tmp_path: Path) -> None:
    async with tinyproxy(tmp_path, "ConnectPort 443") as proxy, exchange() as port:
        ended = await doctor(port, proxy=f"http://127.0.0.1:{proxy}")
    assert "does not allow connections to" in words(ended)
    assert "only port 443" in ended.out


async def test_a_proxy_of_the_other_kind_is_told(tmp_path: Path) -> None:
    async with microsocks() as socks, tinyproxy(tmp_path) as http_proxy:
        one = await doctor(free_port(), proxy=f"http://127.0.0.1:{socks}")
        other = await doctor(free_port(), proxy=f"socks5h://127.0.0.1:{http_proxy}")
    assert one.status == other.status == 69
    assert "proxy" in words(one)
    assert "http://" in other.out


async def test_every_exit_of_a_pool_is_tried(tmp_path: Path) -> None:
    async with microsocks() as proxy, exchange() as port:
        ended = await doctor(port, proxy=f"socks5h://127.0.0.1:{proxy},socks5h://127.0.0.1:{free_port()},direct")
    assert ended.status == 69
    assert [line[:2].strip() for line in ended.out.splitlines() if " proxy         proxy " in line] == ["✓", "✗"]
    assert ended.out.count("HTTP") >= 2


async def test_a_private_authority_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    ca, server_context = await make_authority(tmp_path, "localhost")
    async with exchange(tls=server_context()) as port:
        ended = await doctor(port, host="localhost", tls=True, ca_file=str(ca))
    assert ended.status == 0, ended.out


# NATS.


async def test_nats_is_looked_at_too(nats_url: str) -> None:
    async with exchange() as port:
        ended = await doctor(port, nats_url=nats_url)
    assert ended.status == 0
    assert stages(ended, "NATS") == {"TCP": "✓", "login": "✓", "JetStream": "✓"}


async def test_nats_that_refuses_the_login_or_has_no_jetstream() -> None:
    port = free_port()
    server = (program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "--user", "me", "--pass", "s3cret")
    async with running(*server), exchange() as there:
        await listening(port)
        stranger = await doctor(there, nats_url=f"nats://127.0.0.1:{port}")
        friend = await doctor(there, nats_url=f"nats://me:s3cret@127.0.0.1:{port}")
    assert stages(stranger, "NATS") == {"TCP": "✓", "login": "✗"}
    assert stages(friend, "NATS") == {"TCP": "✓", "login": "✓", "JetStream": "✗"}
    assert friend.status == 69
    assert "--sim" not in friend.out, "the exchange is not to blame"


async def test_nats_that_is_not_there() -> None:
    async with exchange() as port:
        ended = await doctor(port, nats_url=f"nats://127.0.0.1:{free_port()}")
    assert stages(ended, "NATS") == {"TCP": "✗"}
    assert ended.status == 69


# Streams.


@pytest.mark.parametrize("silent", [0, 2])
async def test_silent_streams_are_named_with_what_to_do(nats_url: str, silent: int) -> None:
    stream = {"stream": "btcusdt@aggTrade", "seconds": 75.4, "reason": "btcusdt@kline_1m speaks"}
    told = {"count": silent, "streams": [stream] if silent else []}
    worker: Status = {"program": "ingest-usdm-0", "kind": "ingest", "market": "usdm", "silent": told}
    async with NatsBus([nats_url], "worker", lambda: 0.0) as bus:
        await bus.connected()
        respond(bus, lambda: worker)
        await bus.flush()
        async with exchange() as port:
            ended = await doctor(port, nats_url=nats_url)
    assert ended.status == 0
    assert stages(ended, "streams") == {"silent": "!" if silent else "✓"}
    assert ("btcusdt@aggTrade on usdm for 75 s (btcusdt@kline_1m speaks)" in ended.out) == bool(silent)
    assert ("Binance's change log" in ended.out) == bool(silent)


async def test_where_nothing_runs_nothing_is_said_of_streams(nats_url: str) -> None:
    async with exchange() as port:
        ended = await doctor(port, nats_url=nats_url)
    assert stages(ended, "streams") == {"silent": "-"}
