"""Candles and trades of the past, page by page from the history workers.

Nothing is kept between two pages: each is asked of whichever worker is free, when the one before is used up.
"""

from collections.abc import AsyncIterator

import msgspec

from fsnats.binance.limits import KLINES_DEFAULT
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE, BusUnavailable
from fsnats.history import TIMEOUT, HistoryReply, KlinesRequest, TradesRequest
from fsnats.subjects import KLINES, TRADES
from gateway.effects import Klines

UNAVAILABLE = "HISTORY_UNAVAILABLE"
_decode = msgspec.json.Decoder(HistoryReply).decode
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

Request = KlinesRequest | TradesRequest


async def page(bus: Bus, request: Request) -> HistoryReply:
    """One reply; one that says so where nobody answers."""
    try:
        subject = KLINES if isinstance(request, KlinesRequest) else TRADES
        return _decode(await bus.request(subject, _encode(request), TIMEOUT))
    except (BusUnavailable, *UNREADABLE) as error:
        return HistoryReply(code=UNAVAILABLE, message=str(error))


async def pages(bus: Bus, request: Request) -> AsyncIterator[HistoryReply]:
    """Replies until there is as much as `limit` says, or no more; the last one may be a refusal.

    With `newest` they come from the newest one back.
    """
    while True:
        reply = await page(bus, request)
        yield reply
        if reply.code or reply.goes_on is None:
            return
        request = after(request, reply)
        if request.limit == 0:
            return


def after(request: Request, reply: HistoryReply) -> Request:
    """What is left to ask after a reply that says where to go on."""
    left = request.limit
    if left is not None:
        left = max(0, left - len(_rows(reply.rows)))
    if isinstance(request, TradesRequest):
        return msgspec.structs.replace(request, limit=left, from_id=reply.goes_on)
    if request.newest:
        return msgspec.structs.replace(request, limit=left, end_ms=reply.goes_on)
    return msgspec.structs.replace(request, limit=left, start_ms=reply.goes_on)


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


async def together(bus: Bus, asked: Klines) -> HistoryReply:
    """All that a client asked for in one reply, or why there is none."""
    request, arrays = request_for(asked), []
    async for reply in pages(bus, request):
        if reply.code:
            return reply
        arrays.append(bytes(reply.rows)[1:-1])
    rows = b",".join(filter(None, reversed(arrays) if request.newest else arrays))
    return HistoryReply(msgspec.Raw(b"[" + rows + b"]"))
