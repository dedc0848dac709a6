import json
import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fsnats.binance.streams import Market, Stream, parse
from fsnats.frames import CONTINUES, GAP, LATE, RECOVERED, VERSION, Frame, encode
from fsnats.websocket.deflate import inflate
from fsnats.websocket.frames import text
from gateway.effects import Close, Delivery, Form, Leave, Listen, Marks, Send, Shape, cost
from gateway.fanout.channel import Channel
from gateway.fanout.hub import Hub
from gateway.fanout.outbox import Outbox
from gateway.fanout.pacing import Timetable
from gateway.fanout.tally import Tally
from gateway.protocol import forms

RAW = Form(b"", b"")
TYPED = Form(b'{"type":"trade","data":', b"}")
TRADES = parse(Market.SPOT, "btcusdt@trade")
KLINES = parse(Market.SPOT, "btcusdt@kline_1m")
TICKER = parse(Market.SPOT, "btcusdt@ticker")
OPEN, CLOSED = b'{"k":{"t":%d,"x":false}}', b'{"k":{"t":%d,"x":true}}'


class House:
    """A hub whose clients' sockets are lists."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.tally = Tally()
        self.seq = 0
        self.now = 1000.0
        self.wakes: list[float] = []
        self.hub = Hub(self.first, self.last, self.tally, times=Timetable(lambda: self.now, self.wakes.append))

    def first(self, channel: Channel) -> None:
        assert channel.stream.name not in self.channels, "announced twice"
        self.channels[channel.stream.name] = channel

    def last(self, channel: Channel) -> None:
        del self.channels[channel.stream.name]

    def client(self) -> tuple[Outbox, list[bytes]]:
        written: list[bytes] = []
        return Outbox(written.append, lambda: None, self.hub.turn), written

    def message(
        self,
        name: str,
        payload: bytes,
        seq: int = 0,
        epoch: int = 7,
        flags: int = 0,
        received_ns: int = 1,
        published_ns: int = 0,
    ) -> None:
        self.seq = seq or self.seq + 1
        frame = Frame(VERSION, name, received_ns, epoch, self.seq, flags, payload, published_ns)
        self.channels[name].receive("", "", encode(frame))


def test_it_is_known_what_is_listened_to_and_whose_books_change() -> None:
    house = House()
    (one, _) = house.client()
    changes = parse(Market.SPOT, "btcusdt@depth@100ms")
    assert not house.hub.carries(changes)
    house.hub.listen(changes, RAW, one)
    assert house.hub.carries(changes)
    assert house.hub.changes(Market.SPOT, "BTCUSDT")
    assert not house.hub.changes(Market.USDM, "BTCUSDT")
    assert not house.hub.changes(Market.SPOT, "ETHUSDT")


def test_every_listener_gets_the_payload_in_its_form() -> None:
    house = House()
    (one, to_one), (two, to_two) = house.client(), house.client()
    house.hub.listen(TRADES, RAW, one)
    house.hub.listen(TRADES, TYPED, two)
    house.message("btcusdt@trade", b'{"p":"1.50"}')
    house.hub.flush()

    assert to_one == [text(b'{"p":"1.50"}')]
    assert to_two == [text(b'{"type":"trade","data":{"p":"1.50"}}')]


def test_normalised_forms_are_made_once_and_what_does_not_fit_is_told() -> None:
    house = House()
    (one, to_one), (two, to_two) = house.client(), house.client()
    form = Form(b'{"type":"trade","data":', b"}", b'{"type":"gap","data":', shape=Shape.NORMALISED)
    house.hub.listen(TRADES, form, one)
    house.hub.listen(TRADES, form._replace(delivery=Delivery(marks=Marks.PLACE)), two)
    house.message("btcusdt@trade", b'{"e":"trade","E":5,"s":"BTCUSDT","t":7,"p":"1.50","q":"2","T":4,"m":true}')
    house.message("btcusdt@trade", b"[7]", received_ns=3_000_000)
    house.hub.flush()

    data = (
        b'"data":{"type":"trade","symbol":"BTCUSDT","trade_id":7,"price":1.50,"quantity":2,"timestamp":4,'
        b'"is_buyer_maker":true},"timestamp":"1970-01-01T00:00:00.005Z"}'
    )
    gap = text(
        b'{"type":"gap","data":{"e":"gap","stream":"btcusdt@trade","from":3,"to":3,"unit":"ms",'
        b'"reason":"not understood"}}'
    )
    assert to_one == [text(b'{"type":"trade",' + data) + gap]
    assert to_two == [text(b'{"type":"trade","epoch":7,"seq":1,' + data) + gap]


def test_listeners_of_one_form_share_one_finished_frame() -> None:
    house = House()
    clients = [house.client() for _ in range(3)]
    for outbox, _ in clients:
        house.hub.listen(TRADES, TYPED, outbox)
    house.message("btcusdt@trade", b"{}")
    house.hub.flush()

    assert len({id(written[0]) for _, written in clients}) == 1


def test_those_who_can_read_it_share_one_compressed_frame_and_others_get_the_plain_one() -> None:
    house = House()
    clients = [house.client() for _ in range(3)]
    for outbox, _ in clients[:2]:
        house.hub.listen(TRADES, TYPED._replace(deflated=True), outbox)
    house.hub.listen(TRADES, TYPED, clients[2][0])
    payload = b'{"e":"trade","p":"16500.00000000","q":"0.01000000","X":"16500.00000000"}' * 4
    house.message("btcusdt@trade", payload)
    house.message("btcusdt@trade", b"{}")  # too short to be worth it
    house.hub.flush()

    (first,), (second,), (plain,) = (written for _, written in clients)
    assert first is second
    assert plain == text(b'{"type":"trade","data":' + payload + b"}") + text(b'{"type":"trade","data":{}}')
    short = text(b'{"type":"trade","data":{}}')
    assert first.endswith(short)
    (data,) = (first[2 if first[1] < 126 else 4 : -len(short)],)
    assert inflate(data, 1000) == b'{"type":"trade","data":' + payload + b"}"


def test_leaving_a_compressed_form_leaves_the_plain_one_alone() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, RAW, outbox)
    house.hub.listen(TRADES, RAW._replace(deflated=True), outbox)
    house.hub.leave(TRADES, RAW._replace(deflated=True), outbox)
    house.message("btcusdt@trade", b"{}" * 100)
    house.hub.flush()

    assert written == [text(b"{}" * 100)]


def test_what_one_turn_brings_is_one_write_in_order() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, RAW, outbox)
    house.hub.listen(KLINES, RAW, outbox)
    house.message("btcusdt@trade", b"1", 1)
    house.message("btcusdt@kline_1m", b"2", 1)
    house.hub.touch(outbox, text(b"reply"))
    house.message("btcusdt@trade", b"3", 2)
    house.hub.flush()

    assert written == [text(b"1") + text(b"2") + text(b"reply") + text(b"3")]
    house.hub.flush()
    assert len(written) == 1


def test_a_client_that_does_not_read_holds_back_nobody_else() -> None:
    house = House()
    (slow, to_slow), (good, to_good) = house.client(), house.client()
    for outbox in (slow, good):
        house.hub.listen(TRADES, RAW, outbox)
    slow.pause()
    for seq in range(1, 4):
        house.message("btcusdt@trade", b"%d" % seq, seq)
        house.hub.flush()
    assert (to_good, to_slow) == ([text(b"1"), text(b"2"), text(b"3")], [])

    slow.resume()
    assert to_slow == [text(b"1") + text(b"2") + text(b"3")]


@pytest.mark.parametrize(
    ("stream", "payloads", "read"),
    [
        (TRADES, [b'{"t":1}', b'{"t":2}', b'{"t":3}'], [b'{"t":1}', b'{"t":2}', b'{"t":3}']),
        (TICKER, [b'{"c":1}', b'{"c":2}', b'{"c":3}'], [b'{"c":3}']),
        (KLINES, [OPEN % 1, OPEN % 2, CLOSED % 2, OPEN % 3, OPEN % 4], [CLOSED % 2, OPEN % 4]),
    ],
    ids=["events", "states", "candles"],
)
def test_what_a_slow_client_loses_is_decided_by_the_kind_of_the_stream(
    stream: Stream, payloads: list[bytes], read: list[bytes]
) -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(stream, RAW, outbox)
    outbox.pause()
    for seq, payload in enumerate(payloads, 1):
        house.message(stream.name, payload, seq, received_ns=seq * 3_000_000_000)
        house.hub.flush()
    outbox.resume()

    assert written == [b"".join(map(text, read))]


def test_what_was_received_long_ago_and_is_published_at_once_makes_nobody_slow() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TICKER, RAW, outbox)
    outbox.pause()
    for seq in (1, 2, 3):  # held while NATS was gone, or replayed
        house.message(TICKER.name, b"%d" % seq, seq, received_ns=seq * 3_000_000_000, published_ns=10**18 + seq)
        house.hub.flush()
    outbox.resume()

    assert written == [text(b"1") + text(b"2") + text(b"3")]


def test_a_slow_client_reads_a_gap_of_the_worker_where_it_happened() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, Form(b"", b"", b'{"gap":'), outbox)
    outbox.pause()
    for seq, (payload, flags) in enumerate([(b"1", 0), (b'{"from":2}', GAP), (b"3", 0)], 1):
        house.message("btcusdt@trade", payload, seq, flags=flags, received_ns=seq * 3_000_000_000)
        house.hub.flush()
    outbox.resume()

    assert written == [text(b"1") + text(b'{"gap":{"from":2}}') + text(b"3")]


TELLING = Form(b"", b"", b'{"gap":')


@pytest.mark.parametrize(
    ("stream", "flags", "read"),
    [
        (TRADES, GAP, [b'{"gap":{"n":2}}', b'{"gap":{"n":3}}']),
        (KLINES, GAP, [b'{"gap":{"n":2}}', b'{"gap":{"n":3}}']),  # each may be of a closed candle
        (TICKER, GAP, [b'{"gap":{"n":3}}']),
        (TRADES, RECOVERED | LATE, [b',"recovered":true{"n":2}', b',"recovered":true{"n":3}']),
        (KLINES, RECOVERED | LATE, [b',"recovered":true{"n":2}', b',"recovered":true{"n":3}']),
    ],
)
def test_what_is_told_or_comes_late_is_lost_to_a_slow_client_by_the_kind_of_the_stream(
    stream: Stream, flags: int, read: list[bytes]
) -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(stream, TELLING, outbox)
    outbox.pause()
    house.message(stream.name, CLOSED % 1, 1, received_ns=1)
    for seq in (2, 3):
        house.message(stream.name, b'{"n":%d}' % seq, seq, flags=flags, received_ns=seq * 3_000_000_000)
        house.hub.flush()
    outbox.resume()

    assert written == [text(CLOSED % 1) + b"".join(map(text, read))]


def test_a_state_that_waits_is_not_for_a_slow_client_that_left_and_came_back() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TICKER, RAW, outbox)
    outbox.pause()
    for seq in (1, 2):
        house.message(TICKER.name, b"%d" % seq, seq, received_ns=seq * 3_000_000_000)
        house.hub.flush()
    house.hub.leave(TICKER, RAW, outbox)
    house.hub.touch(outbox, text(b"you left"))
    house.hub.listen(TICKER, RAW, outbox)
    house.message(TICKER.name, b"3", 3, received_ns=9_000_000_000)
    house.hub.flush()
    outbox.resume()

    assert written == [text(b"you left") + text(b"3")]


def test_where_a_stream_is_live_somebody_who_resumes_changes_nothing_for_the_others() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, TELLING, outbox)
    for seq in (4, 5):
        house.message("btcusdt@trade", b"%d" % seq, seq)
    house.hub.begin_after(TRADES, Frame(VERSION, "btcusdt@trade", 1, 7, 3, 0, b"3"))
    house.message("btcusdt@trade", b"6", 6)
    house.hub.flush()

    assert written == [text(b"4") + text(b"5") + text(b"6")]


def test_a_gap_is_told_to_those_whose_dialect_has_a_word_for_it() -> None:
    house = House()
    (ours, to_ours), (bot, to_bot) = house.client(), house.client()
    house.hub.listen(TRADES, Form(b'{"type":"trade","data":', b"}", b'{"type":"gap","data":'), ours)
    house.hub.listen(TRADES, RAW, bot)
    house.message("btcusdt@trade", b'{"from":1}', flags=GAP)
    house.message("btcusdt@trade", b'{"t":5}', seq=2, flags=RECOVERED)
    house.hub.flush()

    assert to_ours == [text(b'{"type":"gap","data":{"from":1}}') + text(b'{"type":"trade","data":{"t":5}}')]
    assert to_bot == [text(b'{"t":5}')]
    assert house.tally.gaps == 1


def test_what_comes_late_is_marked_and_only_for_those_whose_dialect_can() -> None:
    house = House()
    (ours, to_ours), (bot, to_bot) = house.client(), house.client()
    house.hub.listen(TRADES, forms.raw(TRADES, name_market=False), ours)
    house.hub.listen(TRADES, forms.combined(TRADES), bot)
    house.message("btcusdt@trade", b'{"t":5}')
    house.message("btcusdt@trade", b'{"t":3}', seq=2, flags=RECOVERED | LATE)
    house.hub.flush()

    assert to_ours == [
        text(b'{"stream":"btcusdt@trade","data":{"t":5}}')
        + text(b'{"stream":"btcusdt@trade","recovered":true,"data":{"t":3}}')
    ]
    assert to_bot == [text(b'{"stream":"btcusdt@trade","data":{"t":5}}')]
    assert house.tally.gaps == house.tally.lost == 0


def test_a_hole_and_a_restarted_worker_are_told_before_what_comes_after() -> None:
    house = House()
    (ours, to_ours), (bot, to_bot) = house.client(), house.client()
    house.hub.listen(TRADES, Form(b"", b"", b'{"gap":'), ours)
    house.hub.listen(TRADES, RAW, bot)
    for seq, epoch in ((1, 1), (2, 1), (5, 1), (1, 2), (2, 2)):
        house.message("btcusdt@trade", b"{}", seq, epoch)
    house.hub.flush()
    told = [json.loads(part)["gap"]["reason"] for part in re.findall(rb'\{"gap":\{[^}]*\}\}', to_ours[0])]

    assert told == ["lost on the way from the worker", "the worker was restarted"]
    assert to_ours[0].startswith(text(b"{}") * 2 + text(b"{}")[:1])
    assert to_bot == [text(b"{}") * 5]
    assert (house.tally.lost, house.tally.gaps) == (2, 2)


def test_a_worker_that_goes_on_where_its_predecessor_stopped_is_no_gap() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, Form(b"", b"", b'{"gap":'), outbox)
    for seq, epoch, flags in ((8, 1, 0), (9, 2, CONTINUES), (1, 3, 0), (4, 4, CONTINUES), (4, 5, CONTINUES), (5, 4, 0)):
        house.message("btcusdt@trade", b"{}", seq, epoch, flags)
    house.hub.flush()

    # It went on; it did not; it did, and two of its predecessor's frames never came here; it knows less than we do; its
    # clock was put back.
    restarted = "the worker was restarted"
    reasons = [restarted, "lost on the way from the worker", restarted, restarted]
    assert [json.loads(part)["gap"]["reason"] for part in re.findall(rb'\{"gap":\{[^}]*\}\}', written[0])] == reasons
    assert (house.tally.lost, house.tally.gaps) == (2, 4)


def test_what_is_sent_again_reaches_nobody_twice() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, RAW, outbox)
    for seq in (4, 5, 6, 5, 6, 7):
        house.message("btcusdt@trade", b"%d" % seq, seq)
    house.hub.flush()

    assert written == [text(b"4") + text(b"5") + text(b"6") + text(b"7")]
    assert (house.tally.lost, house.tally.repeated) == (0, 2)


def test_whoever_keeps_a_book_is_told_to_begin_again() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(parse(Market.SPOT, "btcusdt@depth"), Form(b"", b"", b'{"gap":'), outbox)
    for epoch in (1, 2):
        house.message("btcusdt@depth", b"{}", epoch=epoch)
    house.hub.flush()

    assert b'"resync":true' in written[0]


def test_only_the_first_and_the_last_listener_concern_the_bus() -> None:
    house = House()
    (one, _), (two, _) = house.client(), house.client()
    house.hub.listen(TRADES, RAW, one)
    house.hub.listen(TRADES, TYPED, one)
    house.hub.listen(TRADES, RAW, two)
    house.hub.leave(TRADES, RAW, one)
    house.hub.leave(TRADES, TYPED, one)
    assert "btcusdt@trade" in house.channels

    house.hub.leave(TRADES, RAW, two)
    assert house.channels == {}
    assert len(house.hub) == 0


def test_one_name_on_two_markets_is_two_streams() -> None:
    house = House()
    outbox, _ = house.client()
    house.hub.listen(TRADES, RAW, outbox)
    house.channels.clear()
    house.hub.listen(parse(Market.USDM, "btcusdt@trade"), RAW, outbox)

    assert len(house.hub) == 2


def test_a_hole_in_the_sequence_is_counted_as_lost() -> None:
    house = House()
    outbox, _ = house.client()
    house.hub.listen(TRADES, RAW, outbox)
    for seq, epoch in ((5, 1), (6, 1), (9, 1), (1, 2), (2, 2)):
        house.message("btcusdt@trade", b"", seq, epoch)

    assert (house.tally.frames, house.tally.lost) == (5, 2)


def test_what_is_no_frame_is_counted_and_reaches_nobody() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TRADES, RAW, outbox)
    house.channels["btcusdt@trade"].receive("", "", b"not a frame")
    house.hub.flush()

    assert (house.tally.unreadable, written) == (1, [])


PACED = Form(b"", b"", b'{"gap":', Delivery(max_rate=2.0))


def said(written: list[bytes]) -> list[int]:
    """The numbers that a client was sent since the last look."""
    numbers = [int(number) for number in re.findall(rb'"c":(\d+)', b"".join(written))]
    written.clear()
    return numbers


class Pacer:
    """Tickers of one stream, as time goes by."""

    def __init__(self, house: House, stream: Stream = TICKER) -> None:
        self.house = house
        self.stream = stream
        self.number = 0

    def message(self, payload: bytes = b"") -> None:
        self.number += 1
        self.house.message(self.stream.name, payload or b'{"c":%d}' % self.number)
        self.house.hub.flush()

    def pass_time(self, seconds: float) -> None:
        self.house.now += seconds
        self.house.hub.release()


def test_of_a_paced_stream_the_first_goes_at_once_and_the_last_when_its_time_comes() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TICKER, PACED, outbox)
    ticker = Pacer(house)
    for _ in range(4):
        ticker.message()
    assert said(written) == [1]
    assert house.wakes == [pytest.approx(0.5)]

    ticker.pass_time(0.4)
    assert said(written) == []
    ticker.pass_time(0.2)
    assert said(written) == [4]
    ticker.message()
    assert said(written) == []
    ticker.pass_time(0.5)
    assert said(written) == [5]
    ticker.pass_time(10)
    ticker.message()
    assert said(written) == [6]


def test_whoever_joins_a_paced_stream_gets_its_first_message_at_once_and_then_with_the_others() -> None:
    house = House()
    (one, to_one), (two, to_two) = house.client(), house.client()
    house.hub.listen(TICKER, PACED, one)
    ticker = Pacer(house)
    ticker.message()
    house.hub.listen(TICKER, PACED, two)
    ticker.message()
    ticker.message()
    assert (said(to_one), said(to_two)) == ([1], [2])

    ticker.pass_time(0.51)
    assert (said(to_one), said(to_two)) == ([3], [3])


def test_nobody_is_sent_what_was_held_for_somebody_who_left() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(TICKER, PACED, outbox)
    ticker = Pacer(house)
    ticker.message()
    ticker.message()
    house.hub.leave(TICKER, PACED, outbox)
    assert house.channels == {}
    house.hub.listen(TICKER, PACED, outbox)
    ticker.pass_time(1)

    assert said(written) == [1]


def test_who_leaves_a_paced_stream_before_its_first_message_gets_none() -> None:
    house = House()
    (one, _), (two, to_two) = house.client(), house.client()
    house.hub.listen(TICKER, PACED, one)
    ticker = Pacer(house)
    ticker.message()
    house.hub.listen(TICKER, PACED, two)
    house.hub.leave(TICKER, PACED, two)
    ticker.message()

    assert said(to_two) == []


def test_a_closed_candle_waits_for_no_rate() -> None:
    house = House()
    outbox, written = house.client()
    house.hub.listen(KLINES, PACED, outbox)
    kline = Pacer(house, KLINES)
    for payload in (OPEN % 1, OPEN % 2, CLOSED % 3, OPEN % 4):
        kline.message(payload)
    kline.pass_time(0.51)

    assert written == [text(OPEN % 1), text(CLOSED % 3), text(OPEN % 4)]


def test_closed_only_is_the_closed_candles_and_the_gaps() -> None:
    house = House()
    (all_of_it, to_all), (closed, to_closed) = house.client(), house.client()
    only = Form(b"", b"", b'{"gap":', Delivery(closed_only=True))
    house.hub.listen(KLINES, RAW, all_of_it)
    house.hub.listen(KLINES, only, closed)
    for payload, flags in ((OPEN % 1, 0), (CLOSED % 1, 0), (OPEN % 2, 0), (b"{}", GAP), (CLOSED % 3, RECOVERED)):
        house.message("btcusdt@kline_1m", payload, flags=flags)
    house.hub.flush()

    assert to_all == [text(OPEN % 1) + text(CLOSED % 1) + text(OPEN % 2) + text(CLOSED % 3)]
    assert to_closed == [text(CLOSED % 1) + text(b'{"gap":{}}') + text(CLOSED % 3)]
    assert sum(channel.listeners for channel in house.hub) == 2


def test_closed_only_is_no_open_candle_that_comes_late_either() -> None:
    house = House()
    only, to_it = house.client()
    form = forms.typed("kline", KLINES, forms.Envelope.TYPED, Delivery(closed_only=True), name_market=False)
    house.hub.listen(KLINES, form, only)
    for payload, flags in ((CLOSED % 4, 0), (OPEN % 1, RECOVERED | LATE), (CLOSED % 2, RECOVERED | LATE)):
        house.message("btcusdt@kline_1m", payload, flags=flags)
    house.hub.flush()

    live, late = (
        b'{"type":"kline","data":%b}' % (CLOSED % 4),
        b'{"type":"kline","recovered":true,"data":%b}' % (CLOSED % 2),
    )
    assert to_it == [text(live) + text(late)]


STREAMS = [parse(Market.SPOT, f"{symbol}@trade") for symbol in ("a", "b", "c")]


class HubAgainstPairs(RuleBasedStateMachine):
    """The hub behaves like a plain set of (client, stream, form) triples."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House()
        self.clients = [self.house.client() for _ in range(3)]
        self.triples: set[tuple[int, int, Form]] = set()

    @rule(client=st.integers(0, 2), stream=st.integers(0, 2), form=st.sampled_from([RAW, TYPED]))
    def listen(self, client: int, stream: int, form: Form) -> None:
        self.house.hub.listen(STREAMS[stream], form, self.clients[client][0])
        self.triples.add((client, stream, form))

    @rule(client=st.integers(0, 2), stream=st.integers(0, 2), form=st.sampled_from([RAW, TYPED]))
    def leave(self, client: int, stream: int, form: Form) -> None:
        self.house.hub.leave(STREAMS[stream], form, self.clients[client][0])
        self.triples.discard((client, stream, form))

    @rule(stream=st.integers(0, 2))
    def message(self, stream: int) -> None:
        name = STREAMS[stream].name
        if name in self.house.channels:
            self.house.message(name, b"x")
        self.house.hub.flush()
        for number, (_, written) in enumerate(self.clients):
            forms = [form for client, at, form in self.triples if (client, at) == (number, stream)]
            expected = sorted(text(form.prefix + b"x" + form.suffix) for form in forms)
            joined = b"".join(written)
            assert len(joined) == sum(map(len, expected))
            assert all(frame in joined for frame in expected)
            written.clear()

    @invariant()
    def the_bus_knows_the_streams_with_listeners(self) -> None:
        assert self.house.channels.keys() == {STREAMS[stream].name for _, stream, _ in self.triples}


HubAgainstPairs.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestHubAgainstPairs = HubAgainstPairs.TestCase


def test_a_listener_may_be_told_the_place_of_each_payload_and_others_are_not() -> None:
    house = House()
    (one, to_one), (two, to_two) = house.client(), house.client()
    house.hub.listen(TRADES, forms.typed("trade", TRADES, forms.Envelope.TYPED, name_market=False), one)
    numbered = forms.typed("trade", TRADES, forms.Envelope.TYPED, Delivery(marks=Marks.PLACE), name_market=False)
    house.hub.listen(TRADES, numbered, two)
    house.message("btcusdt@trade", b'{"t":1}', seq=4, epoch=9)
    house.message("btcusdt@trade", b'{"t":2}', seq=5, epoch=9, flags=RECOVERED | LATE)
    house.hub.flush()
    assert to_one == [
        text(b'{"type":"trade","data":{"t":1}}') + text(b'{"type":"trade","recovered":true,"data":{"t":2}}')
    ]
    assert to_two == [
        text(b'{"type":"trade","epoch":9,"seq":4,"data":{"t":1}}')
        + text(b'{"type":"trade","recovered":true,"epoch":9,"seq":5,"data":{"t":2}}')
    ]


def test_what_a_request_costs_is_what_it_changes_and_says() -> None:
    assert cost("text", []) == (0, 4)
    assert cost("", [Send(b"12345"), Listen(TRADES, RAW), Leave(KLINES, RAW), Close(1008, "x")]) == (2, 5)
