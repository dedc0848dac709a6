"""Ask Binance's REST, through the configured exit, and say at which stage it failed."""

import socket
import ssl
from collections.abc import Mapping
from types import TracebackType

import httpx
import msgspec

from fsnats.binance.endpoints import SIMULATED_HEADER, path
from fsnats.binance.streams import Market
from fsnats.errors import ExchangeUnavailable

_TIMEOUT = httpx.Timeout(20.0, connect=10.0)  # seconds; exchangeInfo of spot is several megabytes


class Answer(msgspec.Struct, frozen=True):
    """A successful reply.  `used_weight` is what the exchange counts for this exit and minute, where it says so."""

    body: bytes
    simulated: bool
    used_weight: int | None


class BadRequest(Exception):
    """The exchange says the request itself is wrong (HTTP 400): `code` and `text` are its own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class _Failure(msgspec.Struct):
    code: int
    msg: str


class Rest:
    """One market's REST.  Use as an asynchronous context manager."""

    def __init__(self, market: Market, base_url: str, proxy: str | None) -> None:
        """`proxy` is a URL, or None to connect directly; the environment's proxies are never used unasked."""
        self.market = market
        self._proxied = proxy is not None
        self._client = httpx.AsyncClient(
            base_url=base_url,
            proxy=proxy,
            trust_env=False,
            verify=ssl.create_default_context(),  # the system's certificates, as the WebSocket's
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
        try:
            response = await self._client.get(path(self.market, method), params=dict(parameters or {}))
        except httpx.HTTPError as error:
            raise self._translated(error) from error
        if response.status_code == 200:
            used = response.headers.get("x-mbx-used-weight-1m", "")
            return Answer(response.content, SIMULATED_HEADER in response.headers, int(used) if used.isdigit() else None)
        raise _refusal(response)

    def _translated(self, error: httpx.HTTPError) -> ExchangeUnavailable:
        stage = _stage(error)
        if self._proxied and stage in ("dns", "tcp"):
            stage = "proxy"  # behind a proxy it is the proxy that we look up and connect to
        reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error)
        return ExchangeUnavailable(stage, reason or type(error).__name__)


def _refusal(response: httpx.Response) -> Exception:
    """What a status other than 200 means.  Bodies may be HTML: the code is read where there is one."""
    status = response.status_code
    try:
        failure = msgspec.json.decode(response.content, type=_Failure)
    except msgspec.DecodeError:
        failure = None
    if status == 400 and failure is not None:
        return BadRequest(failure.code, failure.msg)
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
    after = response.headers.get("retry-after", "")
    return ExchangeUnavailable("http", text, status=status, retry_after=float(after) if after.isdigit() else None)


def _stage(error: httpx.HTTPError) -> str:
    """The stage at which a request failed: proxy, dns, tls, tcp or http."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "dns"
    return "tcp" if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)) else "http"
