"""Answers ingest workers that missed something: rows of a few REST methods, as the exchange sends them."""

import asyncio
from collections.abc import Mapping

import msgspec

from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.rest import PooledRest
from fsnats.history import RowsReply, RowsRequest
from fsnats.subjects import ROWS
from workers.history.service import QUEUE

_AT_ONCE = 64  # requests in work; a worker that is refused tells its readers of the gap


class Rows:
    """Takes requests for rows from the bus, asks the exchange, replies."""

    def __init__(self, bus: Bus, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup) -> None:
        self._bus = bus
        self._rests = rests
        self._tasks = tasks
        self._working: set[asyncio.Task[None]] = set()
        self._sid = 0

    def start(self) -> None:
        """Take requests from now on."""
        self._sid = self._bus.subscribe(ROWS, self._asked, QUEUE)

    def stop(self) -> None:
        """Take no more, and leave those in work."""
        self._bus.unsubscribe(self._sid)
        for task in self._working:
            task.cancel()

    def _asked(self, _subject: str, reply: str, payload: bytes) -> None:
        if not reply:
            return
        if len(self._working) >= _AT_ONCE:
            self._bus.publish(reply, _encode(RowsReply(error="too many requests at once")))
            return
        task = self._tasks.create_task(self._answer(reply, payload))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, reply: str, payload: bytes) -> None:
        self._bus.publish(reply, _encode(await self.rows(payload)))

    async def rows(self, payload: bytes) -> RowsReply:
        """Fetch what an encoded `RowsRequest` asks for; every failure becomes a reply."""
        try:
            request = msgspec.json.decode(payload, type=RowsRequest)
            rest = self._rests[request.market]
            answer = await rest.get(request.method, request.parameters)
            return RowsReply(rows=msgspec.json.decode(answer.body, type=list[msgspec.Raw]))
        except KeyError:
            return RowsReply(error="this market is not carried here")
        except (BadRequest, ExchangeUnavailable, msgspec.DecodeError, UnicodeDecodeError) as error:
            return RowsReply(error=str(error))


_encode = msgspec.json.Encoder().encode
