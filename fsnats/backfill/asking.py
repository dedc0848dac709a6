"""Asks the exchange's REST through the history workers, and waits as long as they say."""

import gzip
import logging
import random
from collections.abc import Callable

import msgspec

from fsnats.backoff import Backoff
from fsnats.binance.parameters import Query
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, BusUnavailable, ExchangeUnavailable, Unusable
from fsnats.exits.pool import scope_of
from fsnats.history import REST_TIMEOUT, RestReply, RestRequest
from fsnats.subjects import REST

logger = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds of trouble without one answer, after which nobody waits any longer
_FULL = 60.0  # seconds to stay away when nobody says for how long: the exchange counts by the minute
_FIRST, _MOST = 0.5, 15.0  # seconds between two tries while something is in trouble


class Refusal(Unusable):
    """The exchange says that a request is wrong; `code` is its own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"the exchange refuses it: {text} ({code})")
        self.code = code


class _Failure(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Time(msgspec.Struct):
    serverTime: int


class Asking:
    """One caller's questions.  Who is told to wait makes all others of the same limit wait, too."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        patience: float | None = PATIENCE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`patience` is how many seconds of trouble to bear; None bears any."""
        self._bus = bus
        self._clock = clock
        self._patience = patience
        self._jitter = jitter
        self._not_before: dict[str, float] = {}
        self._troubled: float | None = None  # since when nothing was answered
        self.asked = 0  # requests that were answered

    @property
    def waiting(self) -> float:
        """For how many seconds some limit does not let anybody ask."""
        return max(0.0, max(self._not_before.values(), default=0.0) - self._clock.monotonic())

    async def get(self, market: Market, method: str, query: Query) -> bytes:
        """The body of an answer, however long that takes while the exchange only wants less.

        Raises Refusal for what the exchange does not do, and BusUnavailable or ExchangeUnavailable when patience ends.
        """
        request = msgspec.json.encode(RestRequest(market, method, query, background=True))
        backoff = Backoff(_FIRST, _MOST, self._jitter)
        while True:
            await self._turn(market)
            try:
                reply = _decode(await self._bus.request(REST, request, REST_TIMEOUT))
            except BusUnavailable as failure:
                await self._bear(failure, backoff.next_delay())
                continue
            except UNREADABLE as failure:
                wrong = ExchangeUnavailable("json", f"a history worker of another version answers: {failure}")
                await self._bear(wrong, backoff.next_delay())
                continue
            if reply.status == 200:
                self._troubled = None
                self.asked += 1
                return gzip.decompress(reply.body) if reply.packed else reply.body
            said = _said(reply.body)
            if reply.status in (418, 429):
                self._troubled = None
                self._stay_away(market, reply.retry_after or _FULL)
            elif reply.status < 500:
                raise Refusal(said.code, said.msg or f"HTTP {reply.status}")
            else:
                delay = max(reply.retry_after or 0.0, backoff.next_delay())
                await self._bear(ExchangeUnavailable("http", said.msg, status=reply.status), delay)

    async def time(self, market: Market) -> int:
        """The exchange's time, in milliseconds since 1970."""
        try:
            return msgspec.json.decode(await self.get(market, "time", {}), type=_Time).serverTime
        except UNREADABLE as error:
            raise ExchangeUnavailable("json", f"the exchange does not tell the time: {error}") from error

    async def _turn(self, market: Market) -> None:
        while (wait := self._not_before.get(scope_of(market), 0.0) - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)

    def _stay_away(self, market: Market, seconds: float) -> None:
        scope, until = scope_of(market), self._clock.monotonic() + seconds
        self._not_before[scope] = max(self._not_before.get(scope, 0.0), until)

    async def _bear(self, failure: BusUnavailable | ExchangeUnavailable, delay: float) -> None:
        now = self._clock.monotonic()
        if self._troubled is None:
            self._troubled = now
            logger.warning("history cannot be asked for", extra={"event": "history.unreachable", "error": str(failure)})
        if self._patience is not None and now - self._troubled + delay > self._patience:
            raise failure
        await self._clock.sleep(delay)


def _said(body: bytes) -> _Failure:
    try:
        return msgspec.json.decode(body, type=_Failure)
    except UNREADABLE:
        return _Failure(0, body[:200].decode(errors="replace"))


_decode = msgspec.msgpack.Decoder(RestReply).decode
