"""One market as far as a client can see it: REST, the clock, and the WebSocket, through the configured exit."""

import asyncio
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from fsnats import __version__
from fsnats.binance.endpoints import SIMULATED_HEADER, path
from fsnats.binance.streams import Market
from fsnats.cli.checks import proxies
from fsnats.cli.checks.finding import Section, Trouble
from fsnats.cli.checks.judgement import judge_clock, judge_status
from fsnats.cli.checks.line import LIMIT, Line, dial, resolve, secure
from fsnats.cli.checks.proxies import Proxy

_BODY_BYTES = 64 * 1024


class Target(NamedTuple):
    """Where a URL leads."""

    host: str
    port: int
    tls: bool
    path: str


def target(url: str) -> Target:
    """Take a checked URL apart."""
    parts = urlsplit(url)
    tls = parts.scheme in ("https", "wss")
    return Target(parts.hostname or "", parts.port or (443 if tls else 80), tls, parts.path)


async def check_rest(market: Market, base_url: str, proxy: Proxy | None, context: ssl.SSLContext) -> Section:
    """From DNS to the exchange's clock."""
    section = Section(f"{market} REST")
    there = target(base_url)
    line: Line | None = None
    try:
        line = await _open(section, there, proxy, context)
        began = time.time_ns()
        status, headers, body = await _get(line, there, f"{there.path.rstrip('/')}{path(market, 'time')}")
        ended = time.time_ns()
        judge_status(status, headers, body)
        simulated = ", a SIMULATED exchange" if SIMULATED_HEADER.encode() in headers else ""
        section.good("HTTP", f"{there.host} answers in {(ended - began) / 1e6:.0f} ms{simulated}")
        judge_clock(section, market, body, began, ended)
    except Trouble as trouble:
        section.bad(trouble)
    finally:
        if line is not None:
            line.close()
    return section


async def check_websocket(market: Market, base_url: str, proxy: Proxy | None, context: ssl.SSLContext) -> Section:
    """From DNS to an answer over the WebSocket."""
    from fsnats.cli.checks.websocket import converse

    section = Section(f"{market} streams")
    # USD-M has routes; either shows what there is to see.
    url = f"{base_url.rstrip('/')}{'/public' if market is Market.USDM else ''}/stream"
    there = target(url)
    line: Line | None = None
    try:
        line = await _open(section, there, proxy, context)
        status, headers, body = await converse(line, url, section)
        if status != 101:
            judge_status(status, headers, body, stage="WebSocket")
            raise Trouble("WebSocket", f"the handshake was answered with HTTP {status}", "is the base URL right?")
    except Trouble as trouble:
        section.bad(trouble)
    finally:
        if line is not None:
            line.close()
    return section


async def _open(section: Section, there: Target, proxy: Proxy | None, context: ssl.SSLContext) -> Line:
    """A connection to the exchange through the exit."""
    if proxy is None:
        addresses = await resolve(there.host, there.port)
        section.good("DNS", f"{there.host} is {_some(addresses)}")
        line, words = await dial(addresses, there.port)
        section.good("TCP", words)
    else:
        host = there.host
        if proxy.scheme == "socks5":  # socks5h:// leaves it to the proxy
            host = (await resolve(there.host, there.port, behind_proxy=True))[0]
            section.good("DNS", f"{there.host} is {host}")
        line, _ = await proxies.reach(proxy, context)
    try:
        if proxy is not None:
            section.good("proxy", await proxies.connect(line, proxy, host, there.port))
        if there.tls:
            section.good("TLS", await secure(line, there.host, context))
    except BaseException:
        line.close()
        raise
    return line


def _some(addresses: list[str]) -> str:
    return addresses[0] + (f" (and {len(addresses) - 1} more)" if len(addresses) > 1 else "")


async def _get(line: Line, there: Target, target_path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """One HTTP request.  Raises Trouble."""
    import h11

    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", f"{there.host}:{there.port}"), ("User-Agent", f"fsnats/{__version__}"), ("Connection", "close")]
    line.writer.write(connection.send(h11.Request(method="GET", target=target_path, headers=headers)) or b"")
    connection.send(h11.EndOfMessage())
    response: h11.Response | None = None
    body = b""
    try:
        async with asyncio.timeout(2 * LIMIT):
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await line.reader.read(64 * 1024))
                elif isinstance(event, h11.Response):
                    response = event
                elif isinstance(event, h11.Data) and len(body) < _BODY_BYTES:
                    body += bytes(event.data)
                elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                    break
    except TimeoutError:
        raise Trouble("HTTP", f"no answer within {2 * LIMIT:g} s", "something on the way swallows requests") from None
    except (OSError, h11.RemoteProtocolError) as error:
        raise Trouble("HTTP", f"the answer is not HTTP: {error}", "is the base URL right?") from error
    if response is None:
        raise Trouble("HTTP", "the connection was closed without an answer", "something on the way cuts requests")
    return response.status_code, dict(response.headers), body
