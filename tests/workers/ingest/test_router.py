import gzip
import json
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.commands import Reply
from fsnats.binance.streams import Market, parse
from fsnats.frames import CONTINUES, GAP, RECOVERED, Frame, decode
from workers.ingest.gaps import notice
from workers.ingest.line import Line, NoRepairs
from workers.ingest.recovery import Recovery
from workers.ingest.router import Router, Shutdown
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


@pytest.mark.parametrize(
    "said",
    [
        b'{"e":"serverShutdown","E":1770123456789}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
    ],
)
def test_the_announcement_of_the_end_is_understood_in_both_shapes(said: bytes) -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    assert isinstance(route.receive(said, 5), Shutdown)
    assert (route.oddities.counts, published) == ({}, [])


@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key not in {"a", "E", "e"}), st.integers() | st.text()))
def test_keys_that_nobody_knows_pass_and_disturb_no_sequence(new: dict[str, object]) -> None:
    route, published = router(Market.USDM, "btcusdt@aggTrade")
    payloads = [json.dumps({"e": "aggTrade", **new, "a": number}).encode() for number in (7, 8, 8, 9)]
    for payload in payloads:
        route.receive(b'{"new":1,"stream":"btcusdt@aggTrade","data":%b}' % payload, 5)

    assert [frame.payload for _, frame in published] == [payloads[0], payloads[1], payloads[3]]
    assert (route.duplicates, route.holes, route.oddities.counts) == (1, 0, {})


def test_late_messages_of_a_stream_that_was_left_are_counted() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    route.carry({"ethusdt@trade": parse(Market.SPOT, "ethusdt@trade")})

    assert route.receive(b'{"stream":"btcusdt@trade","data":{}}', 5) is None
    assert (route.unasked, route.oddities.counts, published) == (1, {}, [])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "broken"),
        (b"{", "broken"),
        (b'{"stream":"btcusdt@trade","data":{]}', "broken"),
        (b"\n<html><body>502</body></html>", "html"),
        (b"\xff\xfe", "binary"),
        (b'{"stream":"btcusdt@trade","data":{"s":"\xff"}}', "binary"),
        (b"[]", "shape"),
        (b"{}", "shape"),
        (b'{"stream":5,"data":{}}', "shape"),
        (b'{"stream":"btcusdt@trade"}', "shape"),
        (b'{"stream":"btcusdt@unheardOf","data":{}}', "stream"),
        (b'{"stream":"!large@arr","data":"' + b"x" * 1_000_000 + b'"}', "large"),
        (b"x" * 1_000_000, "large"),
    ],
)
def test_what_is_no_message_is_counted_by_kind_and_published_nowhere(data: bytes, kind: str) -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")

    assert route.receive(data, 5) is None
    assert (route.oddities.counts, published) == ({kind: 1}, [])


def test_events_of_unknown_types_and_of_the_future_pass_and_are_counted() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade", "ethusdt@trade", "bnbusdt@trade")
    now_ms = 1_795_174_351_645
    payloads = {
        "btcusdt": b'{"e":"unheardOf","E":%d,"t":1}' % now_ms,
        "ethusdt": b'{"e":"trade","E":%d,"t":1}' % (now_ms + 1001),
        "bnbusdt": b'{"e":"trade","E":%d,"t":1}' % (now_ms + 1000),
    }
    for symbol, payload in payloads.items():
        route.receive(b'{"stream":"%b@trade","data":%b}' % (symbol.encode(), payload), now_ms * 1_000_000)

    assert [frame.payload for _, frame in published] == list(payloads.values())
    assert route.oddities.counts == {"event": 1, "future": 1}


def test_one_of_sixteen_events_of_a_stream_is_looked_at() -> None:
    route, _ = router(Market.SPOT, "btcusdt@trade")
    for number in range(1, 65):
        route.receive(b'{"stream":"btcusdt@trade","data":{"e":"unheardOf","t":%d}}' % number, 5)

    assert route.oddities.counts == {"event": 4}


def test_a_payload_that_the_bus_does_not_take_for_its_size_is_counted() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")
    published.up = False
    route.receive(b'{"stream":"btcusdt@trade","data":{"t":1,"x":"' + b"x" * 1_000_000 + b'"}}', 5)

    assert (route.unpublished, route.oddities.counts) == (1, {"large": 1})


FIELDS = st.sampled_from(
    ("e", "E", "s", "a", "t", "u", "U", "pu", "k", "x", "T", "n", "lastUpdateId", "st", "id", "stream")
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.integers(0, 30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)
STREAMS = (
    "btcusdt@aggTrade",
    "btcusdt@trade",
    "btcusdt@depth",
    "btcusdt@kline_1m",
    "btcusdt@bookTicker",
    "!miniTicker@arr",
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Something like the exchange's messages, and less and less so."""
    whole: object = {"stream": draw(st.sampled_from((*STREAMS, "nobody@trade"))), "data": draw(VALUES)}
    text = json.dumps(draw(st.sampled_from((whole, draw(VALUES))))).encode()
    match draw(st.integers(0, 3)):
        case 0:
            cut = draw(st.integers(0, len(text)))
            return text[:cut] + draw(st.binary(max_size=4)) + text[cut + draw(st.integers(0, 3)) :]
        case 1:
            return draw(st.binary(max_size=40))
    return text


class Repairing(NoRepairs):
    """Looks at a hole as the real one does, and fills none."""

    def resumed(self, line: Line, payload: bytes) -> None:
        Recovery.resumed(self, line, payload)  # type: ignore[arg-type]  # only what `missing` and `tell` do differs

    def tell(self, line: Line, missing: Missing, reason: str) -> None:
        notice(line.stream, missing, reason)


@given(st.lists(messages(), max_size=30), st.sampled_from((Market.SPOT, Market.USDM)), st.booleans())
@settings(max_examples=300)
def test_nothing_that_comes_in_escapes_or_stops_a_stream(said: list[bytes], market: Market, watched: bool) -> None:
    published = Published()
    route = Router(market, published, 1, Repairing())
    names = [name for name in STREAMS if market is not Market.SPOT or name[0] != "!"]
    route.carry({name: parse(market, name) for name in [*names, "ethusdt@trade"]})
    for index, data in enumerate(said):
        if watched:  # as during a handover, and after a loss
            for line in route.lines(names):
                line.follow()
                line.resuming = index % 2 == 0
        route.receive(data, 5)
        route.receive(b'{"stream":"ethusdt@trade","data":{"t":%d}}' % (index + 1), 5)

    good = [frame.payload for _, frame in published if frame.stream == "ethusdt@trade"]
    assert good == [b'{"t":%d}' % (index + 1) for index in range(len(said))]


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
    assert came(names[1]) == [(42, CONTINUES), (43, 0)]  # the first one is what the other worker sent last
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


def test_a_stream_that_returns_goes_on_counting_with_a_hole_where_nobody_took_what_came() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")
    message = b'{"stream":"btcusdt@trade","data":{}}'
    route.receive(message, 5)
    route.carry({})
    route.carry({"btcusdt@trade": parse(Market.SPOT, "btcusdt@trade")})
    route.receive(message, 5)

    assert [frame.seq for _, frame in published] == [1, 3]
    assert route.frames == 2


def test_a_stream_that_returns_and_never_brought_anything_begins_with_one() -> None:
    route, published = router(Market.SPOT, "btcusdt@trade")
    for _ in range(2):
        route.carry({})
        route.carry({"btcusdt@trade": parse(Market.SPOT, "btcusdt@trade")})
    route.receive(b'{"stream":"btcusdt@trade","data":{}}', 5)

    assert [frame.seq for _, frame in published] == [1]


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


def test_a_tracker_that_is_made_while_something_is_held_begins_behind_that() -> None:
    route, published = router(Market.SPOT, "btcusdt@ticker")
    (line,) = route.lines(["btcusdt@ticker"])
    route.accept(line, b'{"E":1}', 0)
    line.held = deque([(b'{"E":3}', 0, 0), (b'{"e":"gap"}', 0, GAP)])
    line.follow()

    assert not route.accept(line, b'{"E":3}', 0)
    assert route.accept(line, b'{"E":4}', 0)
    assert len(published) == 1


def test_frames_are_counted_over_all_streams_and_without_those_of_workers_before() -> None:
    published = Published()
    route = Router(Market.SPOT, published, 77)
    name = "btcusdt@aggTrade"
    last = Frame(1, name, 5, 3, 41, 0, b'{"a":7}')
    route.carry({name: parse(Market.SPOT, name), "ethusdt@trade": parse(Market.SPOT, "ethusdt@trade")}, {name: last})
    route.receive(b'{"stream":"btcusdt@aggTrade","data":{"a":8}}', 5)
    route.receive(b'{"stream":"ethusdt@trade","data":{}}', 5)
    route.carry({})

    assert route.frames == len(published) == 2
