"""What a worker does about streams that are silent: connections are fakes, time is moved by hand."""

import json
import logging

import pytest

from fsnats.binance.streams import Market, Route, Stream, parse
from fsnats.fleet.events import Journal, Kind
from fsnats.frames import GAP, Frame, decode
from tests.clock import HandClock
from workers.ingest.gaps import notice
from workers.ingest.layout import FeedKey, Layout
from workers.ingest.line import Line
from workers.ingest.router import Router
from workers.ingest.subscriptions import Subscriptions
from workers.ingest.track import Missing
from workers.ingest.watchdog import Watchdog

MARK, OTHER = "btcusdt@markPrice@1s", "ethusdt@markPrice@1s"


class Carrier:
    def __init__(self) -> None:
        self.name = "feed"
        self.subscriptions = Subscriptions()
        self.last_data: float | None = None
        self.done: list[object] = []

    def audit(self) -> None:
        self.done.append("audit")

    def renew(self, names: set[str]) -> None:
        self.done.append(names)


class Feed:
    def __init__(self) -> None:
        self.carriers = [Carrier()]


class Rig:
    """A watchdog, the streams it watches and their feeds."""

    def __init__(self, *names: str, market: Market = Market.USDM) -> None:
        self.clock = HandClock()
        self.frames: list[Frame] = []
        self.router = Router(market, self._publish, 1)
        self.layout = Layout()
        self.doubts: list[str] = []
        self.journal = Journal(self.clock.time_ns)
        self.dog = Watchdog(market, self.router, self.layout, self.clock, self._tell, self.journal)
        self.feeds: dict[FeedKey, Feed] = {}
        self.changes: list[int] = []
        self.seconds = 0
        self.names = list(names)
        self.market = market
        self.arrange()

    def _publish(self, _subject: str, data: bytes) -> bool:
        self.frames.append(decode(data))
        return True

    def _tell(self, line: Line, missing: Missing, reason: str) -> None:
        self.router.publish(line, notice(line.stream, missing, reason), self.clock.time_ns(), GAP)

    def arrange(self) -> None:
        streams = {name: parse(self.market, name) for name in self.names}
        self.router.carry(streams)
        layout = self.layout.arrange(self.dog.routes(streams))
        self.feeds = {key: self.feeds.get(key) or Feed() for key in layout}
        for key, names in layout.items():
            acknowledged = self.feeds[key].carriers[0].subscriptions.acknowledged
            for name in acknowledged.keys() - names:
                del acknowledged[name]
            for name in names - acknowledged.keys():
                acknowledged[name] = self.clock.monotonic()

    async def passes(self, seconds: int, *speaking: str) -> "Rig":
        for _ in range(seconds):
            await self.clock.advance(1)
            self.seconds += 1
            for name in speaking:
                self.speak(name)
            if self.dog.look(self.feeds.values(), self.doubts.extend):
                self.changes.append(self.seconds)
                self.arrange()
        return self

    def speak(self, name: str) -> None:
        line = self.router.line(name)
        assert line is not None
        self.router.accept(line, b'{"E":1}', self.clock.time_ns())
        for feed in self.feeds.values():
            if name in feed.carriers[0].subscriptions.acknowledged:
                feed.carriers[0].last_data = self.clock.monotonic()

    @property
    def gaps(self) -> list[dict[str, object]]:
        return [json.loads(frame.payload) for frame in self.frames if frame.flags & GAP]

    @property
    def carrier(self) -> Carrier:
        (feed,) = self.feeds.values()
        return feed.carriers[0]

    @property
    def silent(self) -> dict[str, dict[str, object]]:
        streams = self.dog.status()["streams"]
        assert isinstance(streams, list)
        return {each.stream: {field: getattr(each, field) for field in each.__struct_fields__} for each in streams}


async def test_readers_are_told_once_from_the_last_event_until_now() -> None:
    rig = await Rig(MARK, OTHER).passes(20, MARK, OTHER)
    await rig.passes(30, OTHER)
    start = 1020 * 1000
    assert rig.gaps == [
        {"e": "gap", "stream": MARK, "from": start, "to": start + 8000, "unit": "ms", "reason": "silent"}
    ]
    (frame,) = [frame for frame in rig.frames if frame.flags & GAP]
    assert frame.seq == 21


async def test_operators_are_told_when_it_falls_silent_and_when_it_flows() -> None:
    rig = await Rig(MARK, OTHER).passes(15, OTHER)
    await rig.passes(5, MARK, OTHER)
    silent, flows = rig.journal.since(0, 0)
    assert (silent.kind, silent.streams, silent.reason) == (Kind.SILENT, [MARK], "its type never rests")
    assert (flows.kind, flows.streams, flows.reason) == (Kind.FLOWS, [MARK], "subscribing again helped")


async def test_a_stream_that_never_spoke_is_told_from_its_subscription_on() -> None:
    rig = await Rig(MARK, OTHER).passes(30, OTHER)
    (gap,) = rig.gaps
    assert (gap["from"], gap["to"]) == (1_000_000, 1_008_000)


async def test_its_first_event_is_looked_at_as_after_a_lost_connection() -> None:
    rig = await Rig(MARK, OTHER).passes(15, OTHER)
    line = rig.router.line(MARK)
    assert line is not None
    assert line.resuming
    rig.speak(MARK)
    assert not line.resuming


async def test_the_log_names_it_when_it_falls_silent_and_when_it_flows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig = await Rig(MARK, OTHER).passes(15, OTHER)
    await rig.passes(5, MARK, OTHER)
    silent, flows = caplog.records
    assert (silent.msg, flows.msg) == ("streams are silent", "silent streams flow again")
    assert silent.__dict__["streams"] == f"{MARK} (its type never rests)"
    assert flows.__dict__["seconds"] == 16
    assert flows.__dict__["helped"] == "subscribing again"


async def test_many_that_fall_silent_at_once_make_one_line(caplog: pytest.LogCaptureFixture) -> None:
    rig = await Rig(*(f"sym{number}usdt@markPrice" for number in range(50))).passes(16)
    (record,) = caplog.records
    assert record.__dict__["count"] == 50
    assert record.__dict__["streams"].endswith(" and 42 more")
    assert (rig.dog.status()["count"], len(rig.silent)) == (50, 20)


async def test_the_status_says_what_is_silent_and_what_is_tried() -> None:
    rig = await Rig(MARK, OTHER).passes(12, OTHER)
    assert rig.silent == {
        MARK: {
            "stream": MARK,
            "seconds": 12.0,
            "cadence": 1.0,
            "reason": "its type never rests",
            "trying": "listing subscriptions",
        }
    }
    await rig.passes(1, MARK, OTHER)
    assert rig.dog.status() == {"count": 0, "unheard": 0, "one_sided": 0, "streams": []}


async def test_first_its_connection_is_audited_then_it_is_renewed() -> None:
    rig = await Rig(MARK, OTHER, "btcusdt@bookTicker").passes(8, OTHER, "btcusdt@bookTicker")
    market, public = (rig.feeds[FeedKey(route, 0)].carriers[0] for route in (Route.MARKET, Route.PUBLIC))
    assert market.done == ["audit"]
    assert public.done == []
    await rig.passes(5, OTHER)
    assert market.done == ["audit", {MARK}]


async def test_then_it_is_carried_on_another_connection_then_on_another_route_then_where_it_belongs() -> None:
    rig = await Rig(MARK, OTHER).passes(50, OTHER)
    assert rig.changes == [18, 28, 38]
    rig = await Rig(MARK, OTHER).passes(19, OTHER)
    assert rig.feeds.keys() == {FeedKey(Route.MARKET, 0), FeedKey(Route.MARKET, 1)}
    await rig.passes(10, OTHER)
    assert rig.feeds.keys() == {FeedKey(Route.MARKET, 0), FeedKey(Route.PUBLIC, 0)}
    await rig.passes(10, OTHER)
    assert rig.feeds.keys() == {FeedKey(Route.MARKET, 0)}
    assert len(rig.gaps) == 1


async def test_where_a_market_has_no_routes_there_is_none_to_try() -> None:
    rig = await Rig("!miniTicker@arr", "!ticker_1h@arr", market=Market.SPOT).passes(60, "!ticker_1h@arr")
    assert rig.changes == [18, 28]
    assert rig.feeds.keys() == {FeedKey(Route.NONE, 0)}


async def test_a_type_that_flows_on_another_route_is_asked_for_there_from_then_on() -> None:
    rig = await Rig(MARK, OTHER).passes(30)
    await rig.passes(5, MARK)
    rig.names += ["solusdt@markPrice", "btcusdt@kline_1m"]
    rig.arrange()
    assert rig.layout.arrange(rig.dog.routes(streams(rig)))[FeedKey(Route.PUBLIC, 0)] >= {MARK, "solusdt@markPrice"}
    assert rig.layout.arrange(rig.dog.routes(streams(rig)))[FeedKey(Route.MARKET, 0)] == {"btcusdt@kline_1m"}


async def test_one_stream_elsewhere_does_not_move_its_type_while_others_flow_where_it_is_documented() -> None:
    rig = await Rig(MARK, OTHER).passes(30, OTHER)
    await rig.passes(5, MARK, OTHER)
    rig.names.append("solusdt@markPrice")
    assert rig.layout.arrange(rig.dog.routes(streams(rig))) == {
        FeedKey(Route.MARKET, 0): {OTHER, "solusdt@markPrice"},
        FeedKey(Route.PUBLIC, 0): {MARK},
    }


async def test_a_stream_that_is_left_while_it_is_silent_begins_where_it_belongs() -> None:
    rig = await Rig(MARK, OTHER).passes(30, OTHER)
    rig.names.remove(MARK)
    rig.arrange()
    await rig.passes(20)  # the other one is silent now: something is tried again
    rig.names.append(MARK)
    rig.arrange()
    assert MARK in rig.layout.arrange(rig.dog.routes(streams(rig)))[FeedKey(Route.MARKET, 0)]


async def test_streams_of_a_connection_that_brings_nothing_are_left_to_their_feed_for_a_while() -> None:
    rig = await Rig(MARK, OTHER).passes(20, MARK, OTHER)
    await rig.passes(17)
    assert rig.gaps == []
    await rig.passes(1)
    assert len(rig.gaps) == 2


async def test_what_comes_by_another_connection_is_not_silent_with_the_first() -> None:
    rig = await Rig(MARK, OTHER).passes(20, MARK, OTHER)
    second = Carrier()
    second.subscriptions.acknowledged = {MARK: 1020.0, OTHER: 1020.0}
    (feed,) = rig.feeds.values()
    feed.carriers.append(second)
    for _ in range(15):
        second.last_data = rig.clock.monotonic() + 1
        await rig.clock.advance(1)
        line = rig.router.line(OTHER)
        assert line is not None
        rig.router.accept(line, b'{"E":1}', rig.clock.time_ns())
        rig.dog.look(rig.feeds.values(), rig.doubts.extend)
    assert [gap["stream"] for gap in rig.gaps] == [MARK]


async def test_a_stream_that_only_one_of_two_connections_brings_is_mended_and_nobody_is_told() -> None:
    rig = Rig(MARK)
    (feed,) = rig.feeds.values()
    lame, sound = rig.carrier, Carrier()
    feed.carriers.append(sound)
    for each in (lame, sound):
        each.subscriptions.wanted = {MARK}
        each.subscriptions.acknowledged = {MARK: 1000.0}
    sound.subscriptions.live.add(MARK)
    await rig.passes(16, MARK)
    assert (lame.done, sound.done) == (["audit", {MARK}], [])
    assert (rig.dog.status()["count"], rig.dog.status()["one_sided"]) == (0, 1)
    assert rig.gaps == []


async def test_before_it_is_named_somebody_is_asked_whether_it_trades() -> None:
    rig = await Rig(MARK, OTHER).passes(7, OTHER)
    assert rig.doubts == [MARK]
    rig.dog.answered(MARK, False)
    await rig.passes(30, OTHER)
    assert rig.gaps == []


def streams(rig: Rig) -> dict[str, Stream]:
    return {name: parse(rig.market, name) for name in rig.names}
