"""Ask Binance's REST, by one exit, and say at which stage it failed."""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol

import httpx
import msgspec
from socksio.exceptions import SOCKSError

from fsnats.binance.endpoints import SIMULATED_HEADER, WEIGHT_HEADER, path
from fsnats.binance.streams import Market
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.exits.trust import client_context
from fsnats.exits.verdicts import BAN_MOST, asked_to_wait, wants_login

_CONNECT = 10.0  # seconds for TCP, proxy and TLS together: httpcore waits for ever for a SOCKS proxy's answers
_KEPT_MOST = 2  # connections that were kept and are found closed, before a request is given up
_WHOLE = 60.0  # seconds for a request and its answer
_TIMEOUT = httpx.Timeout(20.0, connect=10.0)  # seconds; exchangeInfo of spot is several megabytes


class Answer(msgspec.Struct, frozen=True):
    """A successful reply.  `used_weight` is what the exchange counts for this exit and minute, where it says so.

    `sent_ns` and `received_ns` are when the question began to leave and when the answer's head was there, by this
    machine's clock, since 1970: without what went before, such as connecting.
    """

    body: bytes
    simulated: bool
    used_weight: int | None
    sent_ns: int = 0
    received_ns: int = 0
    replayed: bool = False  # nobody answered: it is what a capture holds


class BadRequest(Exception):
    """The exchange says the request itself is wrong (HTTP 400): `code`, `text` and `body` are its own.

    It counts all the same: `used_weight` is as in an `Answer`.
    """

    def __init__(self, code: int, text: str, body: bytes = b"", used_weight: int | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.body = body
        self.used_weight = used_weight


class _Failure(msgspec.Struct):
    code: int
    msg: str


class Rest:
    """One market's REST.  Use as an asynchronous context manager."""

    def __init__(self, market: Market, base_url: str, proxy: str | None, context: ssl.SSLContext | None = None) -> None:
        """`proxy` is a URL, or None to connect directly; the environment's proxies are never used unasked."""
        self.market = market
        self._proxied = proxy is not None
        # httpcore lets every SOCKS proxy look names up; socks5:// says, to everybody else, that we do.
        self._looks_up = proxy is not None and proxy.startswith("socks5:")
        self._secured = proxy is not None and proxy.startswith("https:")
        context = context or client_context("")  # the system's certificates, as the WebSocket's
        self._client = httpx.AsyncClient(
            base_url=base_url,
            proxy=_proxy(proxy, context),
            trust_env=False,
            verify=context,
            timeout=_TIMEOUT,
            headers={"accept-encoding": "gzip"},
        )

    async def __aenter__(self) -> "Rest":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, method: str, parameters: Mapping[str, str | int] | None = None) -> Answer:
        """GET one method.  Raises BadRequest, or ExchangeUnavailable with the stage that failed."""
        for attempt in range(_KEPT_MOST + 1):
            progress = _Progress()
            try:
                response = await self._ask(path(self.market, method), dict(parameters or {}), progress)
                break
            except (httpx.HTTPError, TimeoutError, SOCKSError, ValueError, AssertionError) as error:
                # The last three are what garbage from a SOCKS proxy becomes.
                if attempt == _KEPT_MOST or not progress.met_a_closed_connection(error):
                    raise self._translated(error, progress) from error
            finally:
                await progress.tidy()
        if response.status_code == 200:
            return Answer(
                response.content,
                SIMULATED_HEADER in response.headers,
                _used(response),
                progress.sent_ns,
                progress.received_ns,
            )
        raise _refusal(response)

    async def _ask(self, method_path: str, parameters: dict[str, str | int], progress: "_Progress") -> httpx.Response:
        async with asyncio.timeout(_CONNECT) as progress.limit:
            extensions: dict[str, Any] = {"trace": progress.follow}
            request = self._client.build_request("GET", method_path, params=parameters, extensions=extensions)
            if self._looks_up:
                # Behind the address the host stays what it is: in the request's head, and for TLS.
                request.extensions["sni_hostname"] = request.url.host
                request.url = request.url.copy_with(host=await _look_up(request.url.host, request.url.port))
            return await self._client.send(request)

    def _translated(self, error: Exception, progress: "_Progress") -> ExchangeUnavailable:
        stage = _stage(error)
        if stage == "tcp" and progress.asked:
            stage = "http"
        if self._proxied and (stage in ("dns", "tcp") or (stage == "http" and not progress.asked)):
            stage = "proxy"  # behind a proxy it is the proxy that we look up, connect to and talk to first
        if self._secured and stage == "tls" and not progress.introduced:
            stage = "proxy"  # its certificate, not the exchange's
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            reason = "no answer in time"
        elif isinstance(error, httpx.HTTPError):
            reason = str(error) or type(error).__name__
            if stage in ("dns", "tcp"):
                reason = f"{self._client.base_url.host}: {reason}"
        else:
            reason = "the proxy's answer makes no sense"
        return ExchangeUnavailable(stage, reason, status=_proxy_status(reason) if stage == "proxy" else None)


class _Progress:
    """How far a request came: httpcore tells it to a trace function."""

    def __init__(self) -> None:
        self.limit: asyncio.Timeout | None = None
        self.introduced = False  # a proxy was told where to
        self.asked = False  # our request is on its way: everything before it worked
        self.sent_ns = 0
        self.received_ns = 0
        self._opened: _Closable | None = None

    async def follow(self, event: str, info: dict[str, Any]) -> None:
        """Take note of one event."""
        if event.endswith(".connect_tcp.complete"):
            self._opened = info["return_value"]
        if event.endswith(".send_request_headers.started"):
            self.introduced = True
            if info["request"].method == b"CONNECT":  # a request, too, but not ours
                return
            self.asked = True
            self.sent_ns = time.time_ns()
            assert self.limit is not None
            self.limit.reschedule(asyncio.get_running_loop().time() + _WHOLE)

        if event.endswith(".receive_response_headers.complete"):
            self.received_ns = time.time_ns()

    def met_a_closed_connection(self, error: Exception) -> bool:
        """Whether a connection that had been kept was closed by the other side just when it was used again."""
        is_lost = isinstance(error, (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError))
        return is_lost and self.asked and self._opened is None and not self.received_ns

    async def tidy(self) -> None:
        """Close what httpcore forgets to close when a SOCKS proxy or TLS fails."""
        if self._opened is not None and not self.asked:
            await self._opened.aclose()


class _Closable(Protocol):
    """What httpcore opened."""

    async def aclose(self) -> None: ...


def _proxy(url: str | None, context: ssl.SSLContext) -> httpx.Proxy | None:
    if url is None:
        return None
    return httpx.Proxy(url, ssl_context=context if url.startswith("https:") else None)


async def _look_up(host: str, port: int | None) -> str:
    """An address of a host.  Raises ExchangeUnavailable."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ExchangeUnavailable("dns", f"{host}: {error}") from error
    # IPv4 first, as python-socks does it for the WebSocket: a proxy has it for sure.
    return str(min(found, key=lambda info: info[0])[4][0])


def _proxy_status(reason: str) -> int | None:
    """What the proxy answered: httpcore gives "407 Proxy Authentication Required", or a SOCKS proxy's refusal."""
    status = re.match(r"(\d{3})\b", reason)
    return int(status[1]) if status else 407 if wants_login(reason) else None


def _used(response: httpx.Response) -> int | None:
    used = response.headers.get(WEIGHT_HEADER, "")
    return int(used) if used.isascii() and used.isdigit() else None


def _refusal(response: httpx.Response) -> Exception:
    """What a status other than 200 means.  Bodies may be HTML: the code is read where there is one."""
    status = response.status_code
    if status == 407:
        return ExchangeUnavailable("proxy", "the proxy wants another user and password", status=status)
    try:
        failure = msgspec.json.decode(response.content, type=_Failure)
    except UNREADABLE:
        failure = None
    if status == 400 and failure is not None:
        return BadRequest(failure.code, failure.msg, response.content, _used(response))
    meaning = {
        403: "the web application firewall refused this exit",
        404: "no such method here: is the base URL right?",
        418: "this exit's address is banned",
        429: "too many requests from this exit",
        451: "the exchange does not serve this exit's location",
    }.get(status, "the exchange is in trouble" if status >= 500 else "refused")
    text = f"HTTP {status}, {meaning}"
    if failure is not None:
        text += f" ({failure.code}: {failure.msg})"
    seconds = asked_to_wait(response.headers.get_list("retry-after"))
    if seconds is None and failure is not None:
        seconds = _until(failure.msg)
    return ExchangeUnavailable("http", text, status=status, retry_after=seconds)


def _until(text: str) -> float | None:
    """Seconds until the end of a ban whose text holds it, as milliseconds since 1970."""
    end = re.search(r"until (\d{13})\b", text)
    left = int(end[1]) / 1000 - time.time() if end else 0.0
    return min(left, BAN_MOST) if left > 0 else None  # else our clock is wrong, and says nothing


def _stage(error: Exception) -> str:
    """The stage at which a request failed: proxy, dns, tls, tcp or http."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, (httpx.ProxyError, SOCKSError, ValueError, AssertionError)):
        return "proxy"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "dns"
    return "tcp" if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, TimeoutError)) else "http"
