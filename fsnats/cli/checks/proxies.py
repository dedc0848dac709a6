"""The stages of a proxy: there, of the kind that the setting says, willing, and able to reach the exchange.

Spoken by hand, because libraries tell these apart only by the text of their errors.  Nothing here repeats a password.
"""

import asyncio
import base64
import ipaddress
import ssl
from collections.abc import Awaitable
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from fsnats.cli.checks.finding import Trouble
from fsnats.cli.checks.line import LIMIT, Line, dial, resolve, secure

_T = TypeVar("_T")

_STAGE = "proxy"
_GREETING_LIMIT = 3.0  # seconds; a SOCKS proxy greets at once, an HTTP proxy waits for a line that never ends

# RFC 1928, section 6.
_SOCKS_FAILURES = {
    1: "a general failure",
    2: "its rules do not allow this host and port",
    3: "it has no network there",
    4: "it cannot reach the host, or finds no address for it",
    5: "the host refuses the connection",
    6: "the way is too long (TTL expired)",
    7: "it does not know the command",
    8: "it does not know this kind of address",
}


class Proxy(NamedTuple):
    """A proxy's URL, taken apart."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @property
    def is_socks(self) -> bool:
        return self.scheme.startswith("socks")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def read(url: str) -> Proxy:
    """Take a checked proxy URL apart."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 1080)
    return Proxy(parts.scheme, parts.hostname or "", port, unquote(parts.username or ""), unquote(parts.password or ""))


async def reach(proxy: Proxy, context: ssl.SSLContext) -> tuple[Line, str]:
    """Connect to the proxy and introduce ourselves as far as its protocol can without a destination.  Raises Trouble
    of the stage `proxy`."""
    try:
        addresses = await resolve(proxy.host, proxy.port)
        line, words = await dial(addresses, proxy.port, "is it running, and is its port the one in `proxy`?")
    except Trouble as trouble:
        advice = "check the host and port in `proxy` (FSNATS_PROXY)"
        raise Trouble(_STAGE, f"{proxy} is not reachable: {trouble.words}", trouble.advice or advice) from trouble
    try:
        if proxy.scheme == "https":
            await secure(line, proxy.host, context)
        if proxy.is_socks:
            words += ", " + await _greet(line, proxy)
    except Trouble as trouble:
        line.close()
        raise Trouble(_STAGE, f"{proxy}: {trouble.words}", trouble.advice) from trouble
    return line, f"{proxy}: {words}"


async def connect(line: Line, proxy: Proxy, host: str, port: int) -> str:
    """Have the proxy connect us to the host.  Raises Trouble."""
    if proxy.is_socks:
        await _socks_connect(line, proxy, host, port)
    else:
        await _http_connect(line, proxy, host, port)
    return f"{proxy} reaches {host}:{port}"


async def _greet(line: Line, proxy: Proxy) -> str:
    """SOCKS5's choice of a method, and user and password where the proxy wants them."""
    methods = b"\x00\x02" if proxy.user else b"\x00"
    line.writer.write(b"\x05" + bytes([len(methods)]) + methods)
    version, method = await _answer(line.reader.readexactly(2), proxy, _GREETING_LIMIT)
    if version != 5:
        advice = "if it is an HTTP proxy, write http:// instead of socks5:// in `proxy`"
        raise Trouble(_STAGE, "it does not speak SOCKS5", advice)
    if method == 0:
        return "and lets us in without a password"
    if method == 0xFF:
        if proxy.user:
            raise Trouble(_STAGE, "it accepts neither no login nor user and password", "it wants another kind of login")
        raise Trouble(_STAGE, "it wants a user and a password", "write socks5h://user:password@host:port in `proxy`")
    user, password = proxy.user.encode(), proxy.password.encode()
    line.writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
    _, status = await _answer(line.reader.readexactly(2), proxy)
    if status != 0:
        raise _bad_login()
    return "and accepts user and password"


async def _socks_connect(line: Line, proxy: Proxy, host: str, port: int) -> None:
    try:
        address = ipaddress.ip_address(host)
        target = (b"\x01" if address.version == 4 else b"\x04") + address.packed
    except ValueError:
        name = host.encode("idna")
        target = b"\x03" + bytes([len(name)]) + name
    line.writer.write(b"\x05\x01\x00" + target + port.to_bytes(2, "big"))
    _, status, _, kind = await _answer(line.reader.readexactly(4), proxy)
    if status != 0:
        reason = _SOCKS_FAILURES.get(status, f"failure {status}")
        raise Trouble(_STAGE, f"{proxy} does not connect us to {host}:{port}: {reason}", _OTHER_EXIT)
    length = {1: 4, 4: 16}.get(kind) or (await _answer(line.reader.readexactly(1), proxy))[0]
    await _answer(line.reader.readexactly(length + 2), proxy)


async def _http_connect(line: Line, proxy: Proxy, host: str, port: int) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    login = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode() if proxy.user else ""
    credentials = f"Proxy-Authorization: Basic {login}\r\n" if login else ""
    line.writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n".encode())
    head = await _answer(_head(line.reader), proxy)
    words = head.split(None, 2)
    if len(words) < 2 or not head.startswith(b"HTTP/") or not words[1].isdigit():
        advice = "if it is a SOCKS proxy, write socks5h:// instead of http:// in `proxy`"
        raise Trouble(_STAGE, f"{proxy} does not speak HTTP", advice)
    status = int(words[1])
    if status // 100 == 2:
        return
    if status in (401, 407):  # tinyproxy answers a wrong password with 401
        if proxy.user:
            raise _bad_login()
        raise Trouble(_STAGE, f"{proxy} wants a user and a password", "write http://user:password@host:port in `proxy`")
    if status in (403, 405):
        advice = "many proxies allow only port 443, and some only certain hosts: change its rules, or use another exit"
        raise Trouble(_STAGE, f"{proxy} does not allow connections to {target} (HTTP {status})", advice)
    raise Trouble(_STAGE, f"{proxy} cannot reach {target} (HTTP {status})", _OTHER_EXIT)


_OTHER_EXIT = "the proxy's own network does not reach the exchange: use another exit"


def _bad_login() -> Trouble:
    return Trouble(
        _STAGE,
        "it refuses this user and password",
        "check them; characters such as '@' and ':' must be percent-encoded in a URL",
    )


async def _head(reader: asyncio.StreamReader) -> bytes:
    # Whatever is not HTTP may never end a line: a few bytes are enough to tell.
    first = await reader.readexactly(5)
    return first if first != b"HTTP/" else first + await reader.readuntil(b"\r\n\r\n")


async def _answer(reading: Awaitable[_T], proxy: Proxy, limit: float = 2 * LIMIT) -> _T:
    try:
        async with asyncio.timeout(limit):
            return await reading
    except TimeoutError:
        raise Trouble(_STAGE, f"{proxy} does not answer within {limit:g} s", _WRONG_KIND) from None
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Trouble(_STAGE, f"{proxy} cuts the connection instead of answering", _WRONG_KIND) from error


_WRONG_KIND = "is it a proxy of the kind that `proxy` says (socks5h:// or http://)?"
