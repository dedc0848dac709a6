"""WebSocket and REST through real proxies, and through some that misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from fsnats.binance.rest import Rest
from fsnats.binance.streams import Market
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import read_exit
from fsnats.exits.trust import client_context
from fsnats.exits.verdicts import Verdict, verdict_on
from tests.conftest import eventually, free_port
from tests.proxies import (
    LOGIN,
    PLAIN_LOGIN,
    Authority,
    Names,
    Relay,
    dante,
    make_authority,
    microsocks,
    misbehaving,
    tinyproxy,
)
from workers.ingest.upstream import dial
from workers.simulator.server import Simulator

NAME = "exchange.invalid"  # nobody on the internet can resolve it


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


@pytest.fixture
async def authority(tmp_path: Path) -> Authority:
    return await make_authority(tmp_path, "localhost", NAME)


async def use_rest(url: str, proxy: str, ca: Path | str = "") -> None:
    async with Rest(Market.SPOT, url, read_exit(proxy).url, client_context(str(ca))) as rest:
        assert (await rest.get("ping")).simulated


async def use_websocket(url: str, proxy: str, ca: Path | str = "") -> None:
    received: list[bytes] = []

    def keep(data: bytes, _received_ns: int) -> None:
        received.append(bytes(data))

    stream = f"{url}/stream?streams=btcusdt@bookTicker"
    connection = await dial(stream, read_exit(proxy).url, None, keep, client_context(str(ca)))
    await eventually(lambda: received)
    await connection.close()


async def failures(ws_url: str, rest_url: str, proxy: str, ca: Path | str = "") -> list[ExchangeUnavailable]:
    """How WebSocket and REST fail."""
    found = []
    for use, url in ((use_websocket, ws_url), (use_rest, rest_url)):
        with pytest.raises(ExchangeUnavailable) as failure:
            async with asyncio.timeout(20):
                await use(url, proxy, ca)
        found.append(failure.value)
    return found


@pytest.mark.parametrize(
    ("kind", "scheme", "login"),
    [
        ("microsocks", "socks5", False),
        ("microsocks", "socks5h", True),
        ("dante", "socks5", False),
        ("dante", "socks5h", True),
        ("tinyproxy", "http", False),
        ("tinyproxy", "http", True),
        ("tinyproxy", "https", True),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
async def test_websocket_and_rest_go_through_the_proxy(
    kind: str, scheme: str, login: bool, tls: bool, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    ca, server_context = authority
    async with AsyncExitStack() as stack:
        if kind == "dante":
            port = await stack.enter_async_context(dante(tmp_path, login=login))
        elif kind == "microsocks":
            port = await stack.enter_async_context(microsocks(login=login))
        else:
            port = await stack.enter_async_context(tinyproxy(tmp_path, login=login))
        way = await stack.enter_async_context(Relay(port, server_context() if scheme == "https" else None))
        user = f"{PLAIN_LOGIN if kind == 'tinyproxy' else LOGIN}@" if login else ""
        proxy = f"{scheme}://{user}localhost:{way.port}"
        ws_url, rest_url = simulator.ws_url(Market.SPOT), simulator.rest_url(Market.SPOT)
        if tls:
            front = await stack.enter_async_context(Relay(simulator.port, server_context()))
            ws_url = ws_url.replace("ws:", "wss:").replace(f"127.0.0.1:{simulator.port}", f"localhost:{front.port}")
            rest_url = rest_url.replace("http:", "https:").replace(
                f"127.0.0.1:{simulator.port}", f"localhost:{front.port}"
            )
        await use_websocket(ws_url, proxy, ca)
        await use_rest(rest_url, proxy, ca)

        assert way.connections == 2
        if tls:
            assert front.names == ["localhost", "localhost"]


@pytest.mark.parametrize("kind", ["microsocks", "dante", "tinyproxy"])
@pytest.mark.parametrize("login", ["", "me:wr0ng@"])
async def test_a_refused_login_is_told_from_everything_else(
    kind: str, login: str, simulator: Simulator, tmp_path: Path
) -> None:
    locked = {
        "microsocks": microsocks(login=True),
        "dante": dante(tmp_path, login=True),
        "tinyproxy": tinyproxy(tmp_path, login=True),
    }
    async with locked[kind] as port:
        proxy = f"{'http' if kind == 'tinyproxy' else 'socks5h'}://{login}127.0.0.1:{port}"
        # Plain REST through an HTTP proxy is no CONNECT; what is refused comes before TLS.
        rest_url = simulator.rest_url(Market.SPOT).replace("http:", "https:")
        found = await failures(simulator.ws_url(Market.SPOT), rest_url, proxy)

    assert [verdict_on(error) for error in found] == [Verdict.LOGIN, Verdict.LOGIN]
    assert all("wr0ng" not in str(error) for error in found)


async def test_a_proxy_whose_rules_forbid_the_port_is_told(simulator: Simulator, tmp_path: Path) -> None:
    async with tinyproxy(tmp_path, lines=("ConnectPort 443",)) as port:
        rest_url = simulator.rest_url(Market.SPOT).replace("http:", "https:")
        found = await failures(simulator.ws_url(Market.SPOT), rest_url, f"http://127.0.0.1:{port}")

    assert [verdict_on(error) for error in found] == [Verdict.BARRED, Verdict.BARRED]


@pytest.mark.parametrize("scheme", ["socks5h", "http"])
async def test_an_exchange_that_the_proxy_cannot_reach(scheme: str, tmp_path: Path) -> None:
    there = free_port()
    async with microsocks() if scheme == "socks5h" else tinyproxy(tmp_path) as port:
        found = await failures(f"ws://127.0.0.1:{there}", f"https://127.0.0.1:{there}", f"{scheme}://127.0.0.1:{port}")

    assert [(error.stage, verdict_on(error)) for error in found] == [("proxy", Verdict.UNREACHABLE)] * 2


async def test_socks5h_looks_names_up_at_the_proxy_and_tls_is_for_the_real_host(
    simulator: Simulator, authority: Authority
) -> None:
    ca, server_context = authority
    async with (
        Relay(simulator.port, server_context()) as front,
        Names({NAME: front.port}).running() as names,
    ):
        proxy = f"socks5h://127.0.0.1:{names.port}"
        await use_websocket(f"wss://{NAME}:443/spot", proxy, ca)
        await use_rest(f"https://{NAME}/spot", proxy, ca)

        assert names.asked == [(3, NAME), (3, NAME)]
        assert front.names == [NAME, NAME]


async def test_socks5_looks_names_up_here_and_tls_is_for_the_real_host(
    simulator: Simulator, authority: Authority
) -> None:
    ca, server_context = authority
    async with (
        Relay(simulator.port, server_context()) as front,
        Names({}).running() as names,
    ):
        proxy = f"socks5://127.0.0.1:{names.port}"
        await use_websocket(f"wss://localhost:{front.port}/spot", proxy, ca)
        await use_rest(f"https://localhost:{front.port}/spot", proxy, ca)

        assert names.asked == [(1, "127.0.0.1")] * 2
        assert front.names == ["localhost"] * 2


async def test_a_name_that_cannot_be_looked_up_here_is_not_the_proxys_fault() -> None:
    async with microsocks() as port:
        found = await failures(f"ws://{NAME}", f"http://{NAME}", f"socks5://127.0.0.1:{port}")

    assert [error.stage for error in found] == ["dns", "dns"]
    assert all(NAME in str(error) for error in found)


@asynccontextmanager
async def proxy_of(kind: str, scheme: str, directory: Path, context: ssl.SSLContext) -> AsyncIterator[str]:
    """The URL of a proxy: a program's, over TLS for https."""
    async with AsyncExitStack() as stack:
        started = {"dante": dante(directory), "microsocks": microsocks(), "tinyproxy": tinyproxy(directory)}[kind]
        port = await stack.enter_async_context(started)
        if scheme == "https":
            port = (await stack.enter_async_context(Relay(port, context))).port
        yield f"{scheme}://localhost:{port}"


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        ("microsocks", "socks5"),
        ("microsocks", "socks5h"),
        ("dante", "socks5h"),
        ("tinyproxy", "http"),
        ("tinyproxy", "https"),
    ],
)
async def test_the_exchanges_certificate_is_checked_inside_every_tunnel(
    kind: str, scheme: str, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    ca, server_context = authority
    _, unknown_context = await make_authority(tmp_path / "other", "localhost")
    async with (
        Relay(simulator.port, server_context()) as right,
        Relay(simulator.port, unknown_context()) as unknown,
        proxy_of(kind, scheme, tmp_path, server_context()) as proxy,
    ):
        found = await failures(f"wss://localhost:{unknown.port}", f"https://localhost:{unknown.port}", proxy, ca)
        # The certificate is not for an address.
        found += await failures(f"wss://127.0.0.1:{right.port}", f"https://127.0.0.1:{right.port}", proxy, ca)

    assert [error.stage for error in found] == ["tls"] * 4
    assert all("certificate" in str(error) for error in found)


@pytest.mark.parametrize("fault", ["unknown", "misnamed"])
async def test_a_proxy_with_a_wrong_certificate_is_not_told_the_password(
    fault: str, simulator: Simulator, authority: Authority, tmp_path: Path
) -> None:
    ca, server_context = authority
    async with tinyproxy(tmp_path, login=True) as port, Relay(port, server_context()) as way:
        host = "localhost" if fault == "unknown" else "127.0.0.1"
        found = await failures(
            f"wss://localhost:{simulator.port}",
            f"https://localhost:{simulator.port}",
            f"https://{PLAIN_LOGIN}@{host}:{way.port}",
            "" if fault == "unknown" else ca,
        )

        assert way.connections == 0

    assert [(error.stage, verdict_on(error)) for error in found] == [("proxy", Verdict.UNREACHABLE)] * 2
    assert all("certificate" in str(error) for error in found)


def of_squid(status: str, *head: str) -> bytes:
    """How squid 5.7 answers a CONNECT that it does not grant: a page of HTML, and the connection stays."""
    page = b"<!DOCTYPE html><html><head><title>ERROR: The requested URL could not be retrieved</title></head></html>\n"
    lines = (
        f"HTTP/1.1 {status}",
        "Server: squid/5.7",
        "Mime-Version: 1.0",
        "Content-Type: text/html;charset=utf-8",
        f"Content-Length: {len(page)}",
        *head,
        "X-Cache: MISS from vm",
        "Via: 1.1 vm (squid/5.7)",
        "Connection: keep-alive",
    )
    return "\r\n".join([*lines, "", ""]).encode() + page


@pytest.mark.parametrize(
    ("say", "verdict"),
    [
        (
            of_squid(
                "407 Proxy Authentication Required",
                "X-Squid-Error: ERR_CACHE_ACCESS_DENIED 0",
                'Proxy-Authenticate: Basic realm="squid"',
            ),
            Verdict.LOGIN,
        ),
        (of_squid("403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0"), Verdict.BARRED),
        (of_squid("503 Service Unavailable", "X-Squid-Error: ERR_CONNECT_FAIL 111"), Verdict.UNREACHABLE),
        (of_squid("500 Internal Server Error", "X-Squid-Error: ERR_CANNOT_FORWARD 0"), Verdict.UNREACHABLE),
    ],
    ids=["login", "barred", "refused", "no such host"],
)
async def test_squids_answers_are_understood(say: bytes, verdict: Verdict) -> None:
    async with misbehaving(say, stay=True) as port:
        found = await failures("ws://127.0.0.1:1", "https://127.0.0.1:1", f"http://127.0.0.1:{port}")

    assert [(error.stage, verdict_on(error)) for error in found] == [("proxy", verdict)] * 2


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http", "https"])
@pytest.mark.parametrize(
    "say", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x05", b"", None], ids=["garbage", "half", "cut", "silence"]
)
async def test_a_proxy_that_misbehaves_is_proxy_and_nothing_hangs(
    scheme: str, say: bytes | None, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.ingest.upstream._OPEN_TIMEOUT", 0.5)
    monkeypatch.setattr("fsnats.binance.rest._CONNECT", 0.5)
    async with misbehaving(say) as port:
        proxy = f"{scheme}://{LOGIN}@127.0.0.1:{port}"
        rest_url = simulator.rest_url(Market.SPOT).replace("http:", "https:")
        found = await failures(simulator.ws_url(Market.SPOT), rest_url, proxy)

    assert [(error.stage, verdict_on(error)) for error in found] == [("proxy", Verdict.UNREACHABLE)] * 2
    assert all("s3cr3t" not in str(error) for error in found)
