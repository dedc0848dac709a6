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
from workers.history.answers import Answers


class Rows:
    """Takes requests for rows from the bus, asks the exchange, replies."""

    def __init__(self, bus: Bus, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup) -> None:
        self._rests = rests
        # A worker that is refused tells its readers of the gap.
        busy = RowsReply(error="too many requests at once")
        self._answers = Answers(bus, ROWS, self._answer, _encode(busy), tasks)

    def start(self) -> None:
        """Take requests from now on."""
        self._answers.start()

    def stop(self) -> None:
        """Take no more."""
        self._answers.stop()

    async def _answer(self, payload: bytes) -> bytes:
        return _encode(await self.rows(payload))

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
