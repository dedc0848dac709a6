"""Fetches what comes before what is live, for clients that resume a stream, want its history or its newest value."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from http import HTTPStatus

import msgspec

from fsnats import replay
from fsnats.binance.streams import Stream
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE, BusUnavailable
from fsnats.history import RestRequest, ask_rest
from gateway.effects import History, Listen, Resume
from gateway.fanout.joining import Joining
from gateway.listening import Listening, Teller
from gateway.meeting import Missed, begun
from gateway.past import Past, past_of, rows_to_ask

logger = logging.getLogger(__name__)

SNAPSHOT_AGE = 60.0  # seconds since it was received, after which a value is not offered any more as the newest one
_AT_ONCE = 32  # streams that are fetched at a time, each for another client
_LIVE_WITHIN = 5.0  # seconds to wait for a stream to flow before its history is fetched: so the two meet
_METHODS = {"aggTrade": "aggTrades", "trade": "trades", "kline": "klines"}
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_REST_LOOKS = 5  # at rows that do not reach what is live yet
_REST_PAUSE = 0.3  # seconds between two of them: each costs weight


class Joins:
    """Serves every client of a gateway."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def serve(self, listening: Listening, teller: Teller) -> None:
        """Fetch what one client waits for, a stream after the other, as fast as it reads; until it waits for nothing.

        This runs once for each client, however often that one asks, and while `is_served`.
        """
        while listening.waits:
            await listening.readable()
            async with self._slots:  # for one stream only: then it is somebody else's turn
                if unseen := listening.take_unseen():
                    await self._offer(listening, unseen)
                elif (found := listening.next_joining()) is not None:
                    await self._join(listening, teller, *found)
        listening.is_served = False

    async def _offer(self, listening: Listening, listens: Iterable[Listen]) -> None:
        """Offer the newest value of each stream."""
        by_market: dict[str, list[Listen]] = {}
        for listen in listens:
            by_market.setdefault(listen.stream.market, []).append(listen)
        for some in by_market.values():
            try:
                names = [listen.stream.name for listen in some]
                found = await replay.lasts(self._bus, some[0].stream.market, names)
            except BusUnavailable as error:
                # A value that is not there is nothing that a client misses: the next one comes soon.
                logger.debug("no snapshots", extra={"event": "window.unreadable", "error": str(error)})
                continue
            oldest = time.time_ns() - int(SNAPSHOT_AGE * 1e9)
            for listen in some:
                frame = found.get(listen.stream.name)
                if frame is not None and frame.received_ns >= oldest:
                    listening.offer(listen, frame)

    async def _join(self, listening: Listening, teller: Teller, listen: Listen, joining: Joining) -> None:
        """Let one stream go live after what comes before."""
        match listen.before:
            case Resume(epoch, seq):
                missed = Missed(self._bus, listen.stream, (epoch, seq), joining)
                await missed.read()
                met, certain, last = missed.met, missed.is_certain, missed.last
                listening.resume(teller, listen, joining, met, recovered=certain, last=last)
            case History(length):
                past, error = await self._past(listen.stream, length, joining)
                listening.recall(teller, listen, joining, past, error)

    async def _past(self, stream: Stream, length: int, joining: Joining) -> tuple[Past, str]:
        """The newest rows that REST has, or why there are none."""
        method = _METHODS[stream.kind]
        query = {"symbol": stream.subject, "limit": str(rows_to_ask(stream, length))}
        if method == "klines":
            query["interval"] = stream.interval
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LIVE_WITHIN):
                await begun(joining)
        past = Past([])
        for _ in range(_REST_LOOKS):
            if joining.is_left:
                break
            asked_ms = time.time_ns() // 1_000_000
            try:
                reply = await ask_rest(self._bus, RestRequest(stream.market, method, query))
                if reply.status != HTTPStatus.OK:
                    return Past([]), reply.refusal
                past = past_of(stream, _rows(reply.plain), asked_ms)
            except (BusUnavailable, *UNREADABLE) as error:
                return Past([]), str(error)
            if past.meets(stream, joining.held):
                break
            await asyncio.sleep(_REST_PAUSE)
        return past, ""
