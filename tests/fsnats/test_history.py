import gzip

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.errors import BusUnavailable
from fsnats.history import RestReply, RestRequest, RowsReply, RowsRequest, ask_rest, ask_rows
from fsnats.subjects import REST, ROWS

REQUEST = RowsRequest(Market.SPOT, "trades", {"symbol": "BTCUSDT", "limit": 1})


def _answering(answer: bytes, subject: str = ROWS) -> tuple[MemoryBus, list[bytes]]:
    """A bus with a history worker that knows one answer, and what it was asked."""
    bus, asked = MemoryBus(), list[bytes]()

    def take(_subject: str, reply: str, payload: bytes) -> None:
        asked.append(payload)
        bus.publish(reply, answer)

    bus.subscribe(subject, take)
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


ASKED = RestRequest(Market.SPOT, "trades", {"symbol": "BTCUSDT"})


async def test_what_a_client_asks_is_answered_in_bytes() -> None:
    reply = RestReply(200, gzip.compress(b"[1]"), packed=True)
    bus, asked = _answering(msgspec.msgpack.encode(reply), REST)
    assert (await ask_rest(bus, ASKED)).plain == b"[1]"
    assert [msgspec.json.decode(each, type=RestRequest) for each in asked] == [ASKED]


async def test_bytes_that_nobody_can_read_are_no_answer() -> None:
    bus, _ = _answering(b"{}", REST)
    with pytest.raises(BusUnavailable, match="cannot be read"):
        await ask_rest(bus, ASKED)


def test_a_refusal_says_why() -> None:
    assert RestReply(429, b'{"code":-1003,"msg":"too much"}').refusal == "too much"
    assert RestReply(502, b"<html>").refusal == "HTTP 502"
