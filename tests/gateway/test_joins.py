"""Resuming, history and snapshots, against a window and a history worker in memory."""

import asyncio
import gzip
import json
import time
from typing import Any

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.frames import CONTINUES, VERSION, Frame, encode
from fsnats.history import RestReply, RestRequest
from fsnats.subjects import REST, subject_of
from fsnats.websocket.deflate import inflate
from gateway.effects import PLAIN, Delivery, History, Listen, Marks, Resume, Snapshot
from gateway.fanout.channel import Channel
from gateway.fanout.hub import Hub
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.joins import SNAPSHOT_AGE, Joins
from gateway.listening import Listening
from gateway.protocol import forms
from gateway.protocol.native import NativeSession
from tests.clock import settle
from tests.gateway.heard import heard
from tests.windows import MemoryWindow, publish

SPOT = Market.SPOT
TRADES = parse(SPOT, "btcusdt@aggTrade")
TICKER = parse(SPOT, "btcusdt@ticker")
CANDLES = parse(SPOT, "btcusdt@kline_1m")
FORM = forms.typed("aggTrade", TRADES, forms.Envelope.TYPED, PLAIN, name_market=False)


class House:
    """A hub on a bus in memory, and one client."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.window = MemoryWindow(self.bus, SPOT)
        self._sids: dict[str, int] = {}
        self.hub = Hub(self._first, self._last, Tally())
        self.written: list[bytes] = []
        self.outbox = Outbox(self.written.append, lambda: None, self.hub.turn)
        self.listening = Listening(self.hub, self.outbox)
        self.session = NativeSession("c", SPOT, (SPOT,), {})
        self.joins = Joins(self.bus)
        self.seq = 0

    def _first(self, channel: Channel) -> None:
        name = channel.stream.name
        self._sids[name] = self.bus.subscribe(subject_of(SPOT, name), channel.receive)

    def _last(self, channel: Channel) -> None:
        self.bus.unsubscribe(self._sids.pop(channel.stream.name))

    def publish(self, *numbers: int, epoch: int = 1, flags: int = 0, name: str = "btcusdt@aggTrade") -> None:
        for number in numbers:
            publish(self.bus, SPOT, name, epoch, number, b'{"a":%d}' % number, flags)
        self.hub.flush()

    async def join(self, listen: Listen) -> None:
        self.listening.begin(listen)
        await self.serve()

    async def serve(self) -> None:
        self.listening.is_served = True  # as the gateway says before it begins
        await self.joins.serve(self.listening, self.session)

    def resume(self, seq: int, epoch: int = 1) -> Listen:
        return Listen(TRADES, FORM, Resume(epoch, seq))

    def said(self) -> list[Any]:
        """What the client was sent: ids of data, and whatever is something else."""
        return [each["data"].get("a", each) if "data" in each else each for each in heard(self.written)]


@pytest.fixture
async def house() -> House:
    return House()


def plain(data: bytes) -> list[Any]:
    """The messages in finished frames, compressed or not."""
    messages = []
    while data:
        start, length = (4, int.from_bytes(data[2:4])) if data[1] == 126 else (2, data[1])
        body, is_compressed = data[start : start + length], data[0] == 0xC1
        messages.append(json.loads(inflate(body, 10_000) if is_compressed else body))
        data = data[start + length :]
    return messages


def _resumed(missed: int, recovered: bool = True) -> dict[str, Any]:
    return {"type": "resumed", "stream": "btcusdt@aggTrade", "recovered": recovered, "missed": missed}


async def test_what_was_missed_comes_then_word_of_it_then_what_is_live(house: House) -> None:
    house.publish(1, 2, 3, 4)
    await house.join(house.resume(2))
    house.publish(5)
    assert house.said() == [3, 4, _resumed(2), 5]
    assert not house.listening.is_served, "the next wish is served, too"


@pytest.mark.parametrize(
    ("delivery", "comes"),
    [
        (Delivery(closed_only=True), [1, 3, 5]),
        (Delivery(closed_only=True, marks=Marks.PLACE), [1, 3, 5]),
        (Delivery(max_rate=0.01), [0, 1, 2, 3, 4, 5]),
    ],
)
async def test_what_was_missed_is_counted_and_live_as_the_client_wants_it(
    house: House, delivery: Delivery, comes: list[int]
) -> None:
    def candle(number: int) -> None:
        payload = b'{"a":%d,"k":{"t":7,"x":%b}}' % (number, b"true" if number % 2 else b"false")
        publish(house.bus, SPOT, CANDLES.name, 1, number + 1, payload)
        house.hub.flush()

    for number in range(4):
        candle(number)
    form = forms.typed("kline", CANDLES, forms.Envelope.TYPED, delivery, name_market=False)
    await house.join(Listen(CANDLES, form, Resume(1, 0)))
    missed = [number for number in comes if number < 4]
    word = {"type": "resumed", "stream": CANDLES.name, "recovered": True, "missed": len(missed)}
    assert house.said() == [*missed, word]
    candle(4)
    candle(5)
    assert house.said() == [number for number in comes if number >= 4]


async def test_what_is_published_while_the_window_is_read_comes_once(house: House) -> None:
    house.publish(1, 2, 3)
    listen = house.resume(1)
    house.listening.begin(listen)
    house.publish(4, 5)  # live, and in the window
    await house.serve()
    house.publish(6)
    said = house.said()
    assert [each for each in said if isinstance(each, int)] == [2, 3, 4, 5, 6]
    assert [each["recovered"] for each in said if isinstance(each, dict)] == [True]


async def test_who_missed_nothing_is_told_so(house: House) -> None:
    house.publish(1, 2)
    await house.join(house.resume(2))
    assert house.said() == [_resumed(0)]


@pytest.mark.parametrize("place", [1, 2])
async def test_what_nobody_took_meanwhile_is_told_as_soon_as_the_stream_comes_again(house: House, place: int) -> None:
    house.publish(1, 2)
    await house.join(house.resume(place))
    assert house.said() == ([2, _resumed(1)] if place == 1 else [_resumed(0)])
    house.publish(4)  # nobody wanted the stream for a while
    gap, came = house.said()
    assert (gap["type"], gap["data"]["stream"], gap["data"]["unit"], came) == ("gap", TRADES.name, "ms", 4)
    assert (gap["data"]["reason"], house.hub.turn.tally.lost) == ("nobody wanted the stream for a while", 0)
    house.publish(6)
    gap, came = house.said()
    assert (gap["data"]["reason"], house.hub.turn.tally.lost, came) == ("lost on the way from the worker", 1, 6)


async def test_who_reads_compressed_resumes_with_places_and_stamps_before_and_after(house: House) -> None:
    def trade(number: int) -> None:
        payload = b'{"a":%d,"E":5,"x":"%b"}' % (number, b"x" * 400)
        publish(house.bus, SPOT, TRADES.name, 1, number, payload)
        house.hub.flush()

    for number in (1, 2, 3):
        trade(number)
    marks = Delivery(marks=Marks.PLACE | Marks.STAMPS)
    form = forms.typed("aggTrade", TRADES, forms.Envelope.TYPED, marks, name_market=False)._replace(deflated=True)
    await house.join(Listen(TRADES, form, Resume(1, 1)))
    trade(4)
    trade(5)
    *before, word, fourth, fifth = plain(b"".join(house.written))
    told = [*before, fourth, fifth]
    assert word == _resumed(2)
    assert [(each["data"]["a"], each["epoch"], each["seq"]) for each in told] == [(n, 1, n) for n in (2, 3, 4, 5)]
    assert all(each["stamps"]["event"] == 5 for each in told)
    assert house.written[-1][0] == 0xC1, "what all get is compressed"


async def test_a_worker_that_began_anew_is_told_likewise(house: House) -> None:
    house.publish(1, 2)
    await house.join(house.resume(2))
    house.publish(1, epoch=2)
    assert [each["type"] if isinstance(each, dict) else each for each in house.said()] == ["resumed", "gap", 1]


async def test_what_has_left_the_window_is_told_as_not_recovered(house: House) -> None:
    house.publish(1, 2, 3, 4)
    house.window.forget(3)
    await house.join(house.resume(1))
    house.publish(5)
    assert house.said() == [4, _resumed(1, recovered=False), 5]


async def test_a_worker_that_knows_its_predecessor_goes_on_for_who_resumes(house: House) -> None:
    house.publish(1, 2)
    house.publish(3, epoch=2, flags=CONTINUES)
    house.publish(4, epoch=2)
    await house.join(house.resume(1))
    assert house.said() == [2, 3, 4, _resumed(3)]


async def test_a_worker_that_does_not_know_its_predecessor_proves_nothing(house: House) -> None:
    house.publish(1, 2)
    house.publish(1, 2, epoch=2)
    await house.join(house.resume(2))
    assert house.said() == [1, 2, _resumed(2, recovered=False)]


async def test_without_a_window_what_is_live_goes_on_and_the_client_is_told() -> None:
    house = House()
    house.bus = MemoryBus()  # on which nobody answers
    house.joins = Joins(house.bus)
    await house.join(house.resume(2))
    house.publish(7)
    assert house.said() == [_resumed(0, recovered=False), 7]


async def test_who_leaves_meanwhile_gets_nothing(house: House) -> None:
    house.publish(1, 2)
    listen = house.resume(1)
    house.listening.begin(listen)
    house.listening.leave(TRADES, FORM)
    await house.serve()
    house.publish(3)
    assert house.said() == []
    assert len(house.hub) == 0


async def test_who_is_gone_meanwhile_is_not_served(house: House) -> None:
    listen = house.resume(1)
    house.listening.begin(listen)
    house.listening.end()
    await house.serve()
    assert (house.said(), len(house.hub)) == ([], 0)


async def test_who_does_not_read_is_waited_for(house: House) -> None:
    house.publish(1, 2)
    house.outbox.pause()
    listen = house.resume(1)
    house.listening.begin(listen)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(house.serve())
        for _ in range(20):
            await asyncio.sleep(0)
        assert (house.said(), house.outbox.frames) == ([], [])
        house.outbox.resume()
        house.listening.reads()
    assert house.said() == [2, _resumed(1)]


async def test_who_leaves_while_its_past_is_fetched_and_comes_back_is_served(house: House) -> None:
    async with asyncio.TaskGroup() as tasks:
        house.listening.begin(house.resume(2))
        tasks.create_task(house.serve())
        await asyncio.sleep(0.01)  # nothing is in the window yet: it is looked at again and again
        house.listening.leave(TRADES, FORM)
        house.listening.begin(house.resume(3))
        house.publish(1, 2, 3, 4)
    house.publish(5)
    assert house.said() == [4, _resumed(1), 5]


async def test_who_came_after_its_past_and_leaves_keeps_nothing(house: House) -> None:
    house.publish(1, 2)
    await house.join(house.resume(1))
    house.listening.leave(TRADES, FORM)
    assert len(house.hub) == 0


async def test_a_value_that_was_looked_for_before_somebody_left_is_not_for_who_comes_back(house: House) -> None:
    form = forms.typed("ticker", TICKER, forms.Envelope.TYPED, PLAIN, name_market=False)
    old = publish(house.bus, SPOT, "btcusdt@ticker", 1, 1, b'{"a":1}')
    house.listening.begin(Listen(TICKER, form, Snapshot()))
    (first,) = house.listening.take_unseen()
    house.listening.leave(TICKER, form)
    house.listening.offer(first, old)
    house.listening.begin(Listen(TICKER, form))
    house.listening.offer(first, old)
    assert house.said() == []


async def test_the_past_of_a_stream_that_was_left_is_not_looked_for(house: House) -> None:
    asked = _history_worker(house, [])
    async with asyncio.TaskGroup() as tasks:
        house.listening.begin(Listen(TRADES, FORM, History(3)))
        tasks.create_task(house.serve())
        await asyncio.sleep(0.01)  # the stream does not flow: its history waits for it
        house.listening.leave(TRADES, FORM)
    assert (asked, house.said()) == ([], [])


async def test_clients_that_do_not_read_keep_nobody_waiting(house: House) -> None:
    house.publish(1, 2)
    async with asyncio.TaskGroup() as tasks:
        deaf = []
        for _ in range(100):
            outbox = Outbox(house.written.append, lambda: None, house.hub.turn)
            outbox.pause()
            deaf.append(Listening(house.hub, outbox))
            deaf[-1].begin(house.resume(1))
            tasks.create_task(house.joins.serve(deaf[-1], house.session))
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await house.join(house.resume(1))
        assert house.said() == [2, _resumed(1)]
        for each in deaf:
            each.end()


async def test_no_more_than_so_many_are_fetched_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.joins._AT_ONCE", 3)
    joins, asked = Joins(house.bus), []
    house.bus.subscribe(REST, lambda *message: asked.append(message))  # and never answers
    waiting = []
    for _ in range(5):
        waiting.append(Listening(house.hub, house.outbox))
        waiting[-1].begin(Listen(TRADES, FORM, History(3)))
    house.publish(1)
    tasks = [asyncio.create_task(joins.serve(each, house.session)) for each in waiting]
    await settle()
    assert len(asked) == 3
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _history_worker(house: House, rows: list[Any], refusal: str = "", *, packed: bool = False) -> list[RestRequest]:
    asked: list[RestRequest] = []
    body = msgspec.json.encode({"code": -1003, "msg": refusal} if refusal else rows)
    reply = RestReply(429 if refusal else 200, gzip.compress(body) if packed else body, packed=packed)

    def answer(_subject: str, to: str, payload: bytes) -> None:
        asked.append(msgspec.json.decode(payload, type=RestRequest))
        house.bus.publish(to, msgspec.msgpack.encode(reply))

    house.bus.subscribe(REST, answer)
    return asked


_NESTED = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, b'[{"a":1,"p":"x","q":"1","f":1,"l":1,"T":5,"m":true}]', "not understood: price: b'x' is no number"),
        (200, b"[" + _NESTED + b"]", "maximum recursion depth exceeded while deserializing an object"),
        (
            200,
            b'[{"a":1,"T":5,"x":' + _NESTED + b"}]",
            "maximum recursion depth exceeded while deserializing an object",
        ),
        (400, b'{"x":' + _NESTED + b',"msg":"no"}', "HTTP 400"),
    ],
    ids=["no number", "nested", "nested row", "nested refusal"],
)
async def test_history_that_is_not_understood_ends_with_the_reason_and_not_the_gateway(
    house: House, status: int, body: bytes, says: str
) -> None:
    reply = msgspec.msgpack.encode(RestReply(status, body))

    def answer(_subject: str, to: str, _payload: bytes) -> None:
        house.bus.publish(to, reply)

    house.bus.subscribe(REST, answer)
    form = forms.typed("aggTrade", TRADES, forms.Envelope.NORMALISED, name_market=False)
    house.listening.begin(Listen(TRADES, form, History(3)))
    publish(house.bus, SPOT, TRADES.name, 1, 1, b'{"a":9,"p":"1","q":"1"}')
    await house.serve()
    end, live = heard(house.written)
    assert (end["type"], end["count"], end["error"], live["data"]["trade_id"]) == ("historyEnd", 0, says, 9)


async def test_what_is_live_and_nested_without_end_does_not_end_the_gateway_either(house: House) -> None:
    _history_worker(house, [])
    house.listening.begin(Listen(TRADES, FORM, History(3)))
    publish(house.bus, SPOT, TRADES.name, 1, 1, b'{"x":' + _NESTED + b',"a":1}')
    await house.serve()
    assert b'"historyEnd"' in b"".join(house.written)


@pytest.mark.parametrize("packed", [False, True])
async def test_history_comes_marked_then_its_end_then_what_is_live(house: House, packed: bool) -> None:
    rows = [{"a": number, "p": "1", "q": "1", "f": 1, "l": 1, "T": 5, "m": True} for number in (1, 2, 3)]
    asked = _history_worker(house, rows, packed=packed)
    listen = Listen(TRADES, FORM, History(3))
    house.listening.begin(listen)
    house.publish(3, 4)
    await house.serve()
    assert house.said() == [1, 2, {"type": "historyEnd", "stream": "btcusdt@aggTrade", "count": 2}, 3, 4]
    assert asked == [RestRequest(SPOT, "aggTrades", {"symbol": "BTCUSDT", "limit": "103"})]


def _row(number: int) -> dict[str, Any]:
    return {"a": number, "p": "1", "q": "1", "f": 1, "l": 1, "T": 5, "m": True}


async def test_what_is_too_much_to_wait_for_history_is_told_to_be_missing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.fanout.joining.LIVE_MOST", 2)
    _history_worker(house, [_row(1), _row(2)])
    house.listening.begin(Listen(TRADES, FORM, History(2)))
    house.publish(3, 4, 5, 6)
    await house.serve()
    house.publish(7)
    *past, gap, live = house.said()
    assert past == [1, 2, {"type": "historyEnd", "stream": "btcusdt@aggTrade", "count": 2}, 3, 4]
    assert (gap["type"], gap["data"]["reason"], live) == ("gap", "more came than could wait", 7)


async def test_all_streams_of_a_client_have_so_many_frames_that_wait_together(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.listening.CLIENT_MOST", 3)
    _history_worker(house, [_row(1)])
    for _ in range(2):
        house.listening.begin(Listen(CANDLES, FORM, Resume(1, 1)))
        house.listening.begin(Listen(TRADES, FORM, History(1)))
        house.publish(2, 3, name=CANDLES.name)
        house.publish(2, 3)
        _, joining = house.listening.next_joining() or (None, None)
        assert joining is not None
        assert (len(joining.held), joining.is_overrun) == (2, False)
        house.listening.leave(CANDLES, FORM)  # whose room is free again
        house.written.clear()
        await house.serve()
        *_, live, gap = house.said()
        assert (live, gap["data"]["reason"]) == (2, "more came than could wait")
        house.listening.leave(TRADES, FORM)


async def test_history_of_closed_candles_counts_those_that_came(house: House) -> None:
    now = time.time_ns() // 1_000_000
    opened = [now - 120_000, now - 60_000, now]
    rows = [[t, "1", "1", "1", "1", "1", t + 59_999, "1", 1, "1", "1", "0"] for t in opened]
    _history_worker(house, rows)
    form = forms.typed("kline", CANDLES, forms.Envelope.TYPED, Delivery(closed_only=True), name_market=False)
    listen = Listen(CANDLES, form, History(3))
    house.listening.begin(listen)
    publish(house.bus, SPOT, CANDLES.name, 1, 1, b'{"k":{"x":false}}')  # it flows, of a candle that cannot be told
    await house.serve()
    said = house.said()
    assert [each["data"]["k"]["t"] for each in said[:-1]] == opened[:2]
    assert said[-1] == {"type": "historyEnd", "stream": CANDLES.name, "count": 2}


async def test_history_of_candles_is_as_many_as_were_asked_for_beside_the_open_one(house: House) -> None:
    now = time.time_ns() // 1_000_000
    opened = [now - 180_000, now - 120_000, now - 60_000, now]
    asked = _history_worker(house, [[t, *"11111", t + 59_999, "1", 1, "1", "1", "0"] for t in opened])
    form = forms.typed("kline", CANDLES, forms.Envelope.TYPED, name_market=False)
    house.listening.begin(Listen(CANDLES, form, History(3)))
    publish(house.bus, SPOT, CANDLES.name, 1, 1, b'{"k":{"t":%d,"x":false}}' % now)
    await house.serve()

    *past, end, live = house.said()
    assert asked[0].query["limit"] == "5"
    assert [each["data"]["k"]["t"] for each in (*past, live)] == opened
    assert end == {"type": "historyEnd", "stream": CANDLES.name, "count": 3}


async def test_history_is_as_many_though_a_candle_closes_while_it_is_fetched(house: House) -> None:
    now = time.time_ns() // 1_000_000
    opened = [now - 240_000 + 60_000 * n for n in range(5)]
    rows = [[t, *"11111", t + 59_999, "1", 1, "1", "1", "0"] for t in opened]

    def answer(_subject: str, to: str, payload: bytes) -> None:
        limit = int(msgspec.json.decode(payload, type=RestRequest).query["limit"])
        house.bus.publish(to, msgspec.msgpack.encode(RestReply(200, msgspec.json.encode(rows[-limit:]))))

    house.bus.subscribe(REST, answer)
    form = forms.typed("kline", CANDLES, forms.Envelope.TYPED, name_market=False)
    house.listening.begin(Listen(CANDLES, form, History(3)))
    for at, is_closed in ((opened[3], False), (opened[3], True), (opened[4], False)):
        publish(house.bus, SPOT, CANDLES.name, 1, 1 + house.seq, msgspec.json.encode({"k": {"t": at, "x": is_closed}}))
        house.seq += 1
    await house.serve()

    said = house.said()
    assert [each["data"]["k"]["t"] for each in said if each.get("history")] == opened[:3]
    assert said[3] == {"type": "historyEnd", "stream": CANDLES.name, "count": 3}
    assert [each["data"]["k"]["t"] for each in said[4:]] == [opened[3], opened[3], opened[4]]


async def test_rest_that_lags_behind_what_is_live_is_asked_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.joins._REST_PAUSE", 0.0)
    known = [1]

    def answer(_subject: str, to: str, _payload: bytes) -> None:
        rows = [{"a": number, "p": "1", "q": "1", "f": 1, "l": 1, "T": 5, "m": True} for number in known]
        known.append(len(known) + 1)
        house.bus.publish(to, msgspec.msgpack.encode(RestReply(200, msgspec.json.encode(rows))))

    house.bus.subscribe(REST, answer)
    house.listening.begin(Listen(TRADES, FORM, History(3)))
    house.publish(4)
    await house.serve()
    assert house.said() == [1, 2, 3, {"type": "historyEnd", "stream": "btcusdt@aggTrade", "count": 3}, 4]


async def test_history_that_cannot_be_had_ends_with_the_reason(house: House) -> None:
    _history_worker(house, [], "the budget is used up")
    listen = Listen(TRADES, FORM, History(3))
    house.listening.begin(listen)
    house.publish(3)
    await house.serve()
    (end, live) = house.said()
    assert (end["count"], end["error"], live) == (0, "the budget is used up", 3)


async def test_the_newest_value_of_a_state_comes_first_and_says_how_old_it_is(house: House) -> None:
    form = forms.typed("ticker", TICKER, forms.Envelope.TYPED, PLAIN, name_market=False)
    listen = Listen(TICKER, form, Snapshot())
    house.listening.begin(listen)
    assert house.listening.waits, "nothing came yet"
    house.publish(8, name="btcusdt@ticker")
    house.said()
    other = Listening(house.hub, house.outbox)
    other.begin(listen)
    assert not other.waits
    house.hub.flush()
    data = b"".join(house.written)
    assert json.loads(data[2:]) == {"type": "ticker", "snapshot": True, "received": 0, "data": {"a": 8}}


@pytest.mark.parametrize("age", [SNAPSHOT_AGE - 30, SNAPSHOT_AGE + 1])
async def test_a_value_from_the_window_is_offered_while_it_is_young(house: House, age: float) -> None:
    received_ns = time.time_ns() - int(age * 1e9)
    subject, payload = subject_of(SPOT, TICKER.name), b'{"a":8}'
    house.bus.publish(subject, encode(Frame(VERSION, TICKER.name, received_ns, 1, 1, 0, payload)))
    form = forms.typed("ticker", TICKER, forms.Envelope.TYPED, PLAIN, name_market=False)
    await house.join(Listen(TICKER, form, Snapshot()))
    assert house.said() == ([8] if age < SNAPSHOT_AGE else [])


async def test_a_value_from_the_window_is_too_late_once_a_newer_one_came(house: House) -> None:
    form = forms.typed("ticker", TICKER, forms.Envelope.TYPED, PLAIN, name_market=False)
    listen = Listen(TICKER, form, Snapshot())
    house.listening.begin(listen)
    old = publish(house.bus, SPOT, "ethusdt@ticker", 1, 1, b'{"a":1}')
    house.publish(8, name="btcusdt@ticker")
    house.listening.offer(listen, old)
    assert house.said() == [8]
