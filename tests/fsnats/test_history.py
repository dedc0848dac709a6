import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.errors import BusUnavailable
from fsnats.history import RowsReply, RowsRequest, ask_rows
from fsnats.subjects import ROWS

REQUEST = RowsRequest(Market.SPOT, "trades", {"symbol": "BTCUSDT", "limit": 1})


def _answering(answer: bytes) -> tuple[MemoryBus, list[bytes]]:
    """A bus with a history worker that knows one answer, and what it was asked."""
    bus, asked = MemoryBus(), list[bytes]()

    def take(_subject: str, reply: str, payload: bytes) -> None:
        asked.append(payload)
        bus.publish(reply, answer)

    bus.subscribe(ROWS, take)
    return bus, asked


async def test_rows_come_as_the_exchange_sent_them() -> None:
    bus, asked = _answering(b'{"rows":[{"id": 7}]}')
    assert await ask_rows(bus, REQUEST) == RowsReply([msgspec.Raw(b'{"id": 7}')])
    assert [msgspec.json.decode(each, type=RowsRequest) for each in asked] == [REQUEST]


async def test_why_there_are_none_is_a_reply_too() -> None:
    bus, _ = _answering(b'{"error":"too many requests at once","again":0.5}')
    assert await ask_rows(bus, REQUEST) == RowsReply(error="too many requests at once", again=0.5)


async def test_nobody_to_ask_is_unavailable() -> None:
    with pytest.raises(BusUnavailable):
        await ask_rows(MemoryBus(), REQUEST)


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"rows":7}', b'{"error":"\xff"}', b'{"rows":[' + b"[" * 100_000])
async def test_an_answer_that_cannot_be_read_is_unavailable_too(answer: bytes) -> None:
    bus, _ = _answering(answer)
    with pytest.raises(BusUnavailable, match="cannot be read"):
        await ask_rows(bus, REQUEST)
