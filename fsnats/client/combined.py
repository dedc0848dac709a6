"""Reads combined streams in Binance's own dialect, of a gateway or straight from Binance, and connects again."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from fsnats.backoff import Backoff
from fsnats.client.conversation import Forbidden
from fsnats.client.refusals import seconds_of, text_of, unusable
from fsnats.errors import UNREADABLE, Unavailable, Unusable

logger = logging.getLogger(__name__)

DELAY_FIRST, DELAY_MOST = 1.0, 60.0  # seconds between two tries to connect
SILENCE_MOST = 30.0  # seconds without a message after which a ping is sent, as seed 002 has it
CONTROL_EVERY = 0.5  # seconds between two requests: spot takes 5 a second, pongs included
NAMES_AT_ONCE = 100  # of one request: below the 4 KB that Binance takes

Receive = Callable[[str, bytes], Awaitable[None]]
"""Takes a stream's name and a payload."""
Change = Callable[[Exception | None], Awaitable[None]]
"""Hears of a connection that was made (None), or lost, and why."""
Complain = Callable[[Exception], Awaitable[None]]
"""Hears of what the server refuses, and of what it says that is not understood."""


class _Combined(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_read = msgspec.json.Decoder(_Combined).decode
_encode = msgspec.json.Encoder().encode


class Combined:
    """One connection after the other to `<url>/stream`; `wanted` may change at any time."""

    def __init__(
        self,
        url: str,
        receive: Receive,
        change: Change,
        complain: Complain,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str = "",
        tries: int | None = None,
    ) -> None:
        """`tries` are those without success in a row, after which it gives up; None: never.

        Raises Unusable for a URL with a query.
        """
        if "?" in url:
            raise Unusable("the URL has no query; a token is the argument 'token'")
        self._url = url.rstrip("/") + "/stream"
        self._shown = urlsplit(url).netloc.rpartition("@")[2]  # without its secrets
        self._receive = receive
        self._change = change
        self._complain = complain
        self._headers = dict(headers or {})
        self._proxy = proxy or None
        self._tries = tries
        self._asked: dict[str, None] = {}
        self._last_id = 0
        self._wakes = asyncio.Event()
        self._connection: ClientConnection | None = None
        self.wanted: dict[str, None] = {}
        self.messages = 0

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    def want(self, *names: str) -> None:
        """Subscribe these as well."""
        self.wanted |= dict.fromkeys(names)
        self._wakes.set()

    def leave(self, *names: str) -> None:
        """Not these any more."""
        for name in names:
            self.wanted.pop(name, None)
        self._wakes.set()

    async def run(self) -> None:
        """Read until cancelled.  Raises Unavailable after too many tries, Forbidden where no token or another one is
        wanted, Unusable for a URL that is none."""
        backoff = Backoff(DELAY_FIRST, DELAY_MOST, random.random)
        while True:
            away = 0.0  # seconds for which the server wants to be left alone: a ban that is not heeded grows
            try:
                async with connect(
                    self._url,
                    additional_headers=self._headers,
                    proxy=self._proxy,
                    max_size=16 * 1024 * 1024,
                    ping_interval=SILENCE_MOST,
                    ping_timeout=SILENCE_MOST,
                ) as connection:
                    await self._carry(connection, backoff)
                reason: Exception = Unavailable("the server closed the connection")
            except InvalidURI as wrong:
                raise unusable(wrong, self._shown) from None
            except InvalidStatus as refusal:
                status = refusal.response.status_code
                reason = Unavailable(f"the server answers {status}: {text_of(refusal)}")
                away = seconds_of(refusal)
                if status == HTTPStatus.UNAUTHORIZED:
                    raise Forbidden(str(reason)) from None
            except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as failure:
                reason = Unavailable(str(failure) or type(failure).__name__)
            await self._change(reason)
            delay = max(away, backoff.next_delay())
            if self._tries is not None and backoff.failures >= self._tries:
                raise Unavailable(f"{backoff.failures} tries in a row failed: {reason}") from reason
            # In the message itself: these logs are those of other people's programs.
            text = "no connection to %s: %s; next try in %.1f s"
            logger.warning(text, self._shown, reason, delay, extra={"event": "client.disconnected"})
            await asyncio.sleep(delay)

    async def _carry(self, connection: ClientConnection, backoff: Backoff) -> None:
        self._connection = connection
        self._asked.clear()
        try:
            await self._change(None)
            async with asyncio.TaskGroup() as tasks:
                asking = tasks.create_task(self._ask(connection))
                async for text in connection:
                    await self._take(text, backoff)
                asking.cancel()
        except* ConnectionClosed as group:
            raise group.exceptions[0] from None
        finally:
            self._connection = None

    async def _ask(self, connection: ClientConnection) -> None:
        while True:
            self._wakes.clear()
            for method, names in (
                ("UNSUBSCRIBE", [name for name in self._asked if name not in self.wanted]),
                ("SUBSCRIBE", [name for name in self.wanted if name not in self._asked]),
            ):
                for some in _pages(names):
                    self._last_id += 1
                    await connection.send(_encode({"method": method, "params": some, "id": self._last_id}), text=True)
                    for name in some:
                        if method == "SUBSCRIBE":
                            self._asked[name] = None
                        else:
                            self._asked.pop(name, None)
                    await asyncio.sleep(CONTROL_EVERY)
            await self._wakes.wait()

    async def _take(self, text: str | bytes, backoff: Backoff) -> None:
        try:
            combined = _read(text)
        except UNREADABLE:
            await self._complain(Unavailable(f"not understood: {text[:200]!r}"))
            return
        if combined.stream:
            backoff.healthy()
            self.messages += 1
            await self._receive(combined.stream, bytes(combined.data))
        elif bytes(combined.error):
            await self._complain(Unusable(f"refused: {bytes(combined.error).decode(errors='replace')}"))


def _pages(names: list[str]) -> Iterable[list[str]]:
    return (names[start : start + NAMES_AT_ONCE] for start in range(0, len(names), NAMES_AT_ONCE))
