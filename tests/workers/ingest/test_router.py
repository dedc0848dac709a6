import gzip
import json
from pathlib import Path

import pytest

from fsnats.binance.commands import Reply
from fsnats.binance.streams import Market, parse
from fsnats.frames import CONTINUES, RECOVERED, Frame, decode
from workers.ingest.router import Line, NoRepairs, Router
from workers.ingest.track import Missing


class Published(list[tuple[str, Frame]]):
    """Stands in for the bus; `up` says whether it takes anything."""

    up = True

    def __call__(self, subject: str, data: bytes) -> bool:
        if self.up:
            self.append((subject, decode(data)))
        return self.up


def router(market: Market, *names: str) -> tuple[Router, Published]:
    published = Published()
    made = Router(market, published, epoch=77)
    made.carry({name: parse(market, name) for name in names})
    return made, published


def test_a_message_becomes_a_numbered_frame_with_the_payloads_own_bytes() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")
    payload = b'{"e":"trade", "p":"0.00100000","x\\u00e9":[1,2 ,3]}'

    for _ in range(2):
        assert route.receive(b'{"stream":"btcusdt@trade","data":' + payload + b"}", 5) is route.line("btcusdt@trade")

    assert published == [
        ("fsnats.spot.btcusdt.trade", Frame(1, "btcusdt@trade", 5, 77, seq, 0, payload)) for seq in (1, 2)
    ]


def test_the_order_of_the_envelopes_fields_does_not_matter() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    route.receive(b'{ "data" : {"a":1} , "stream":"btcusdt@trade"}', 5)

    assert [frame.payload for _, frame in published] == [b'{"a":1}']


def test_non_ascii_names_are_found_however_they_are_written() -> None:
    route, published = router(Market.USDM, "币安usdt@trade")
    route.receive('{"stream":"币安usdt@trade","data":{}}'.encode(), 5)
    route.receive(b'{"stream":"\\u5e01\\u5b89usdt@trade","data":{}}', 5)

    assert [frame.seq for _, frame in published] == [1, 2]


def test_answers_come_back_as_replies() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    reply = route.receive(b'{"error":{"code":2,"msg":"Invalid request"},"id":7}', 5)

    assert isinstance(reply, Reply)
    assert (reply.id, reply.failure, published) == (7, "2: Invalid request", [])


def test_late_messages_of_a_stream_that_was_left_are_counted() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    assert route.receive(b'{"stream":"ethusdt@trade","data":{}}', 5) is None
    assert (route.unasked, published) == (1, [])


@pytest.mark.parametrize("data", [b"", b"<html>", b"{", b'{"stream":"btcusdt@trade","data":{]}', b"\xff\xfe", b"[]"])
def test_what_cannot_be_read_is_counted_and_published_nowhere(data: bytes) -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    assert route.receive(data, 5) is None
    assert (route.unreadable, published) == (1, [])


def test_a_sequence_counts_what_the_bus_did_not_take() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")
    message = b'{"stream":"btcusdt@trade","data":{}}'
    route.receive(message, 5)
    published.up = False
    route.receive(message, 5)
    published.up = True
    route.receive(message, 5)

    assert [frame.seq for _, frame in published] == [1, 3]
    assert route.unpublished == 1


def test_all_market_streams_of_futures_lose_the_other_markets_rows() -> None:
    route, published = router(Market.USDM, "!miniTicker@arr")
    route.receive(b'{"stream":"!miniTicker@arr","data":[{"s":"A","st":1},{"s":"B","st":2}]}', 5)
    route.receive(b'{"stream":"!miniTicker@arr","data":[{"s":"B","st":2}]}', 5)

    assert [(frame.seq, frame.payload) for _, frame in published] == [(1, b'[{"s":"A","st":1}]')]


def test_a_stream_goes_on_where_another_worker_stopped_and_says_so_once() -> None:
    published = Published()
    holes: list[Missing] = []
    first: list[bytes] = []

    class Heard(NoRepairs):
        def missing(self, line: Line, missing: Missing) -> None:
            holes.append(missing)

        def resumed(self, line: Line, payload: bytes) -> None:
            first.append(payload)

    route = Router(Market.SPOT, published, 77, Heard())
    names = ("btcusdt@aggTrade", "btcusdt@ticker", "ethusdt@ticker")
    last = {name: Frame(1, name, 5, 3, 41, RECOVERED, b'{"a":10,"E":1}') for name in names[:2]}
    assert route.strange(names) == list(names)
    route.carry({name: parse(Market.SPOT, name) for name in names}, last)
    for number in (10, 13, 14):
        for name in names:
            route.receive(b'{"stream":"%b","data":{"a":%d,"E":1}}' % (name.encode(), number), 5)

    def came(name: str) -> list[tuple[int, int]]:
        return [(frame.seq, frame.flags) for _, frame in published if frame.stream == name]

    assert came(names[0]) == [(42, CONTINUES), (43, 0)]
    assert came(names[1]) == [(42, CONTINUES), (43, 0), (44, 0)]
    assert came(names[2]) == [(1, 0), (2, 0), (3, 0)]
    assert holes == [Missing(11, 12, "a")]
    assert first == [b'{"a":10,"E":1}'] * 2
    assert route.strange(names) == []


def test_what_cannot_be_understood_of_another_worker_is_a_new_beginning() -> None:
    published = Published()
    route = Router(Market.SPOT, published, 77)
    name = "btcusdt@aggTrade"
    route.carry({name: parse(Market.SPOT, name)}, {name: Frame(1, name, 5, 3, 41, 0, b"?")})
    route.receive(b'{"stream":"btcusdt@aggTrade","data":{"a":1}}', 5)

    assert [(frame.seq, frame.flags) for _, frame in published] == [(1, 0)]


def test_a_stream_that_returns_goes_on_counting() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")
    message = b'{"stream":"btcusdt@trade","data":{}}'
    route.receive(message, 5)
    route.carry({})
    route.carry({"btcusdt@trade": parse(Market.SPOT, "btcusdt@trade")})
    route.receive(message, 5)

    assert [frame.seq for _, frame in published] == [1, 2]


@pytest.mark.recorded
def test_recorded_payloads_pass_byte_for_byte(recordings: Path) -> None:
    capture = recordings / "captures" / "cf.usdm.20210722T2225Z.jsonl.gz"
    with gzip.open(capture, "rt") as lines:
        rows = [json.loads(line)["raw"] for line in lines if '"kind":"ws"' in line]
    route, published = router(Market.USDM, *{json.loads(raw)["stream"] for raw in rows})

    for raw in rows:
        route.receive(raw.encode(), 1)

    expected = [raw.encode().partition(b',"data":')[2][:-1] for raw in rows]
    assert len(rows) > 1000
    assert [frame.payload for _, frame in published] == expected
