"""Pages from history workers that say what the test wants."""

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.history import PAGE_ROWS, HistoryReply, KlinesRequest
from fsnats.subjects import KLINES
from gateway.effects import Klines
from gateway.pages import pages, request_for, together


class Workers:
    """History workers for a line of candles that open at 0, 1, 2 … `length` - 1; they tell `page` at a time."""

    def __init__(self, bus: MemoryBus, length: int, page: int, fails_after: int = 10**9) -> None:
        self.asked: list[KlinesRequest] = []
        self._bus, self._length, self._page, self._fails_after = bus, length, page, fails_after
        bus.subscribe(KLINES, self._ask, "history")

    def _ask(self, _subject: str, reply: str, payload: bytes) -> None:
        request = msgspec.json.decode(payload, type=KlinesRequest)
        self.asked.append(request)
        self._bus.publish(reply, msgspec.json.encode(self._answer(request)))

    def _answer(self, request: KlinesRequest) -> HistoryReply:
        if len(self.asked) > self._fails_after:
            return HistoryReply(code="HISTORY_UNAVAILABLE", message="no", retry_after=7.0)
        count = min(request.limit or PAGE_ROWS, self._page)
        first, last = request.start_ms or 0, min(self._length - 1, request.end_ms or self._length)
        keys = list(range(first, last + 1))
        some = keys[-count:] if request.newest else keys[:count]
        goes_on = None
        if len(some) < len(keys):
            goes_on = some[0] - 1 if request.newest else some[-1] + 1
        return HistoryReply(msgspec.Raw(msgspec.json.encode([[key] for key in some])), goes_on)


def asked(limit: int | None, start: int | None = None, end: int | None = None, market: Market = Market.USDM) -> Klines:
    return Klines(market, "BTCUSDT", "1m", limit, start, end, None, market_named=False)


@pytest.mark.parametrize("page", [1, 3, 100])
async def test_a_long_request_is_one_reply_in_order(page: int) -> None:
    bus = MemoryBus()
    Workers(bus, 50, page)
    newest = await together(bus, asked(7))
    oldest = await together(bus, asked(7, 10))
    assert msgspec.json.decode(newest.rows) == [[key] for key in range(43, 50)]
    assert msgspec.json.decode(oldest.rows) == [[key] for key in range(10, 17)]


async def test_the_exchanges_default_is_ours() -> None:
    bus = MemoryBus()
    workers = Workers(bus, 600, 1000)
    assert len(msgspec.json.decode((await together(bus, asked(None))).rows)) == 500
    assert len(workers.asked) == 1


async def test_no_candles_are_an_empty_list() -> None:
    bus = MemoryBus()
    Workers(bus, 0, 10)
    assert bytes((await together(bus, asked(5))).rows) == b"[]"


async def test_a_failure_on_the_way_is_the_answer() -> None:
    bus = MemoryBus()
    Workers(bus, 50, 10, fails_after=2)
    reply = await together(bus, asked(30))
    assert (reply.code, reply.retry_after) == ("HISTORY_UNAVAILABLE", 7.0)


async def test_nobody_there_is_said() -> None:
    reply = await together(MemoryBus(), asked(30))
    assert reply.code == "HISTORY_UNAVAILABLE"


async def test_a_range_without_a_limit_is_told_to_its_end() -> None:
    bus = MemoryBus()
    Workers(bus, 50, 10)
    request = KlinesRequest(Market.USDM, "BTCUSDT", "1m", None, 5, 38)
    keys = [key async for reply in pages(bus, request) for (key,) in msgspec.json.decode(reply.rows)]
    assert keys == list(range(5, 39))


@pytest.mark.parametrize(
    ("market", "start", "end", "newest"),
    [
        (Market.SPOT, None, None, True),
        (Market.SPOT, None, 5, True),
        (Market.SPOT, 1, 5, False),
        (Market.COINM, 1, None, False),
        (Market.COINM, 1, 5, True),
    ],
)
def test_a_range_means_what_it_means_at_the_exchange(
    market: Market, start: int | None, end: int | None, newest: bool
) -> None:
    assert request_for(asked(3, start, end, market)).newest is newest
