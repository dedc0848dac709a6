"""Candles of the past, page by page from the history workers.

Nothing is kept between two pages: each is asked of whichever worker is free, when the one before is used up.
"""

from collections.abc import AsyncIterator

import msgspec

from fsnats.binance.limits import KLINES_DEFAULT
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import BusUnavailable
from fsnats.history import PAGE_ROWS, TIMEOUT, KlinesReply, KlinesRequest
from fsnats.subjects import KLINES
from gateway.effects import Klines

UNAVAILABLE = "HISTORY_UNAVAILABLE"
_decode = msgspec.json.Decoder(KlinesReply).decode
_encode = msgspec.json.Encoder().encode


async def page(bus: Bus, request: KlinesRequest) -> KlinesReply:
    """One reply; one that says so where nobody answers."""
    try:
        return _decode(await bus.request(KLINES, _encode(request), TIMEOUT))
    except (BusUnavailable, msgspec.DecodeError, UnicodeDecodeError) as error:
        return KlinesReply(code=UNAVAILABLE, message=str(error))


async def pages(bus: Bus, request: KlinesRequest) -> AsyncIterator[KlinesReply]:
    """Replies until there is as much as `limit` says, or no more; the last one may be a refusal.

    With `newest` they come from the newest one back.
    """
    left = request.limit
    while True:
        reply = await page(bus, msgspec.structs.replace(request, limit=PAGE_ROWS if left is None else left))
        yield reply
        if left is not None and not reply.code:
            left -= len(msgspec.json.decode(reply.rows, type=list[msgspec.Raw]))
        if reply.code or reply.goes_on is None or left == 0:
            return
        if request.newest:
            request = msgspec.structs.replace(request, end_ms=reply.goes_on)
        else:
            request = msgspec.structs.replace(request, start_ms=reply.goes_on)


def request_for(asked: Klines) -> KlinesRequest:
    """What a client of the native dialect means: as the exchange understands it."""
    newest = asked.start_ms is None or (asked.market is Market.COINM and asked.end_ms is not None)
    return KlinesRequest(
        asked.market,
        asked.symbol,
        asked.interval,
        asked.limit or KLINES_DEFAULT,
        asked.start_ms,
        asked.end_ms,
        asked.contract,
        newest=newest,
    )


async def together(bus: Bus, asked: Klines) -> KlinesReply:
    """All that a client asked for in one reply, or why there is none."""
    request, arrays = request_for(asked), []
    async for reply in pages(bus, request):
        if reply.code:
            return reply
        arrays.append(bytes(reply.rows)[1:-1])
    rows = b",".join(filter(None, reversed(arrays) if request.newest else arrays))
    return KlinesReply(msgspec.Raw(b"[" + rows + b"]"))
