"""Reads streams of a gateway, over as many connections as it takes."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Literal, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake, InvalidStatus, InvalidURI

from fsnats.backoff import Backoff
from fsnats.client.address import address_of, headers_of
from fsnats.client.conversation import Conversation, Forbidden, TryLater, conversation_of, market_of
from fsnats.client.past import Candles, Moment, candles
from fsnats.client.refusals import passing, seconds_of, unusable
from fsnats.client.values import Gap, Message
from fsnats.clock import SystemClock

logger = logging.getLogger(__name__)

DELAY_FIRST, DELAY_MOST = 1.0, 60.0  # seconds between two tries to connect
_MESSAGE_BYTES = 16 * 1024 * 1024  # a whole market's array
_GOODBYE_LIMIT = 1.0  # seconds that a gateway is given to take leave
_REVOKED = 4001  # the close code of a token that is none any more


class Client:
    """A gateway, by its URL; `token` where it asks for one.

    Each `stream` is a connection of its own: one that is read slowly never holds up another.  Nothing is connected
    before it is needed.  As a context manager it ends them all.
    """

    def __init__(self, url: str = "ws://127.0.0.1:8080", *, token: str = "", compression: bool = False) -> None:
        """Raises Unusable for what is no ws:// or wss:// (or http:// or https://) URL of a gateway, or no token."""
        self._address = address_of(url)
        self._headers = headers_of(token)
        self._compression = "deflate" if compression else None
        self._open: dict[ClientConnection, None] = {}
        self._ended = asyncio.Event()
        self._clock = SystemClock()
        self._simulated: bool | None = None

    @property
    def simulated(self) -> bool | None:
        """Whether the gateway's data is none of Binance's now, but a simulator's, or a capture's that is played again.

        None until it has said so, with the first answer.  The first time that it is, a warning is logged.
        """
        return self._simulated

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all streams: their loops end."""
        self._ended.set()
        async with asyncio.TaskGroup() as closing:
            for connection in self._open:
                closing.create_task(connection.close())

    async def klines(
        self,
        symbol: str,
        interval: str,
        *,
        market: str = "spot",
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        continuous: str | None = None,
        source: Literal["rest", "store"] | None = None,
    ) -> Candles:
        """Candles that are over, from the store and from Binance; without `start` the newest.

        `continuous` (`perpetual` …) means continuous candles, of a pair.  Raises Unusable, Rejected, Forbidden,
        TryLater and Unavailable.
        """
        asked = {"market": market_of(market), "symbol": symbol, "interval": interval, "start": start, "end": end}
        more = {"limit": limit, "continuous": continuous, "source": source, "format": "json"}
        found, simulated = await candles(self._address.http, self._headers, {**asked, **more})
        self._told(simulated)
        return found

    async def stream(
        self,
        *names: str,
        market: str = "spot",
        snapshot: bool = True,
        history: int | None = None,
        resume: Mapping[str, tuple[int, int]] | None = None,
        max_rate: float | None = None,
        closed_only: bool = False,
    ) -> AsyncGenerator[Message | Gap, None]:
        """Messages of these streams, in the order of each, and a `Gap` wherever some are missing; until
        the client is closed.

        After a lost connection it connects again (after 1 s, then up to 60 s) and goes on after the last message read.
        `snapshot`: the newest value of a state first.  `history`: so many past candles or trades first.  `resume`: go
        on after these places (`Message.epoch` and `.seq`, by stream).  `max_rate` and `closed_only` as `maxRate` and
        `closedOnly` of docs/protocol.md.

        Raises StreamNameError and Unusable for what is wrong in the call, Rejected for what the gateway refuses,
        Forbidden where it does not let the client in, Unavailable where what answers is no gateway.
        """
        conversation = conversation_of(
            names,
            market,
            snapshot=snapshot,
            history=history,
            resume=resume,
            max_rate=max_rate,
            closed_only=closed_only,
        )
        backoff = Backoff(DELAY_FIRST, DELAY_MOST, random.random)
        while not self._ended.is_set():
            delay = 0.0
            try:
                async with self._connected() as connection, aclosing(self._texts(connection, conversation)) as texts:
                    for request in conversation.opened():
                        await connection.send(request, text=True)
                    for gap in conversation.unplaced():
                        yield gap
                    async for text in texts:
                        value = conversation.received(text, self._now_ms())
                        if value is None:
                            self._told(conversation.simulated)
                        else:
                            backoff.healthy()
                            yield value
                reason = "the gateway closed"
            except TryLater as later:
                reason, delay = str(later), later.retry_after or 0.0
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code == _REVOKED:
                    raise Forbidden("the token is not valid any more") from None
                reason = str(closed)
            except InvalidStatus as refusal:
                reason, delay = passing(refusal), seconds_of(refusal)
            except InvalidURI as wrong:
                raise unusable(wrong, self._address.shown) from None
            except (OSError, InvalidHandshake, TimeoutError) as failure:
                reason = str(failure) or type(failure).__name__
            if not self._ended.is_set():
                delay = max(delay, backoff.next_delay())
                # In the message itself: these logs are those of other people's programs.
                text = "no connection to %s: %s; next try in %.1f s"
                logger.warning(text, self._address.shown, reason, delay, extra={"event": "client.disconnected"})
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._ended.wait()

    async def _texts(
        self, connection: ClientConnection, conversation: Conversation
    ) -> AsyncGenerator[str | bytes, None]:
        """What the gateway says; what it was asked too fast it is asked again meanwhile."""
        with contextlib.suppress(ConnectionClosedOK):
            while True:
                pause = conversation.pause(self._now_ms())
                if pause == 0:
                    await connection.send(conversation.again(), text=True)
                    continue
                try:
                    async with asyncio.timeout(pause):
                        text = await connection.recv()
                except TimeoutError:
                    continue
                yield text

    def _now_ms(self) -> int:
        return self._clock.time_ns() // 1_000_000

    def _told(self, simulated: bool | None) -> None:
        if simulated and not self._simulated:
            logger.warning(
                "SIMULATED DATA: the gateway says that what it serves is none of Binance's now",
                extra={"event": "client.simulated"},
            )
        if simulated is not None:
            self._simulated = simulated

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        async with connect(
            self._address.websocket,
            additional_headers=self._headers,
            compression=self._compression,
            max_size=_MESSAGE_BYTES,
            close_timeout=_GOODBYE_LIMIT,
            proxy=None,  # a gateway is a neighbour; what the environment names leads elsewhere
        ) as connection:
            self._open[connection] = None
            if self._ended.is_set():  # while it was being made
                await connection.close()
            try:
                yield connection
            finally:
                del self._open[connection]
