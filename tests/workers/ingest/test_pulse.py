"""How streams are, told in seconds."""

from collections.abc import Iterable

import pytest

from fsnats.binance.streams import Market, parse
from fsnats.fleet.streams import KnownBy, Sort, State, StreamRow, StreamsRequest
from fsnats.frames import GAP
from workers.ingest.line import Line
from workers.ingest.probe import Probe
from workers.ingest.pulse import QUIET, SAMPLE, Carried, Pulse
from workers.ingest.router import Router
from workers.ingest.silence import Habit, Silence

SECOND = 1_000_000_000
TRADE, BOOK, MARK = "btcusdt@trade", "ethusdt@bookTicker", "bnbusdt@aggTrade"


class Story:
    """A worker's router, and a look every second."""

    def __init__(self, *names: str) -> None:
        self.now = 0.0
        self.router = Router(Market.SPOT, lambda _subject, _data: True, epoch=1)
        self.carry(*names)
        self.habits: dict[str, Habit] = {}
        self.pulse = Pulse("ingest-spot-0", 7, Market.SPOT, self.habits.get)

    def carry(self, *names: str) -> None:
        self.router.carry({name: parse(Market.SPOT, name) for name in names})

    def passes(self, seconds: int, speak: Iterable[str] = (), payload: bytes = b"{}") -> "Story":
        for _ in range(seconds):
            self.now += 1
            for name in speak:
                self.router.publish(self.line(name), payload, int(self.now * SECOND), 0)
            self.pulse.look(self.now, self.router.carried.values())
        return self

    def line(self, name: str) -> Line:
        line = self.router.line(name)
        assert line is not None
        return line

    def told(self, **asked: object) -> list[StreamRow]:
        lines = self.router.carried.values()
        carried = Carried(lines, {TRADE: ["ingest-spot-0-0"]})
        request = StreamsRequest(**asked)  # type: ignore[arg-type]
        return self.pulse.tell(request, carried, self.now, int(self.now * SECOND)).streams

    def row(self, name: str) -> StreamRow:
        (row,) = self.told(q=name)
        return row


def test_rates_are_those_of_the_last_seconds() -> None:
    story = Story(TRADE).passes(60, [TRADE, TRADE], b"{....}").passes(10, [TRADE], b"{..}")
    row = story.row(TRADE)
    assert (row.messages, row.bytes) == (130, 120 * 6 + 10 * 4)
    assert (row.rate, row.byte_rate, row.actual) == (1.0, 4.0, 1.0)
    assert (row.worker, row.connections) == ("ingest-spot-0", ["ingest-spot-0-0"])


def test_the_streams_of_one_connection_are_told() -> None:
    story = Story(TRADE, BOOK).passes(3, [TRADE, BOOK])
    assert [row.stream for row in story.told(connection="ingest-spot-0-0")] == [TRADE]
    assert story.told(connection="ingest-spot-0-0", q="ethusdt") == story.told(connection="ingest-spot-0-1") == []


def test_a_stream_that_is_new_has_no_rate_yet() -> None:
    story = Story(TRADE).passes(20, [TRADE])
    story.carry(TRADE, BOOK)
    assert story.row(BOOK).rate is None
    story.passes(int(SAMPLE) + 1, [BOOK])
    assert story.row(BOOK).rate is not None


def test_a_stream_that_comes_back_is_not_measured_by_what_was_before() -> None:
    story = Story(TRADE).passes(30, [TRADE])
    story.carry()
    story.passes(1)
    story.carry(TRADE)
    row = story.passes(1, [TRADE]).row(TRADE)
    assert (row.messages, row.rate) == (1, None)


def test_what_was_no_live_message_does_not_count() -> None:
    story = Story(TRADE).passes(3, [TRADE])
    story.router.publish(story.line(TRADE), b"{}", 1, GAP)
    assert story.row(TRADE).messages == 3


def test_age_and_lag_are_of_the_newest_message() -> None:
    story = Story(TRADE, BOOK)
    assert (story.row(TRADE).age, story.row(TRADE).lag_ms, story.row(TRADE).state) == (None, None, State.WAITING)
    story.passes(1, [TRADE], b'{"e":"trade","E":950}').passes(1, [BOOK])
    assert (story.row(TRADE).age, story.row(TRADE).lag_ms) == (1.0, 50.0)
    assert story.row(BOOK).lag_ms is None  # spot's has no time


@pytest.mark.parametrize(
    ("habit", "pause", "state"),
    [
        (Habit(3.0, KnownBy.TYPE, 20, None), 4, State.FLOWS),
        (Habit(3.0, KnownBy.TYPE, 20, None), 5, State.LATE),
        (Habit(None, KnownBy.UNKNOWN, 5, None), int(QUIET) - 1, State.FLOWS),
        (Habit(None, KnownBy.UNKNOWN, 0, None), int(QUIET), State.QUIET),
        (Habit(None, KnownBy.AT_WILL, 0, None), 3600, State.QUIET),
    ],
)
def test_a_pause_is_judged_by_what_is_known_of_the_stream(habit: Habit, pause: int, state: State) -> None:
    story = Story(TRADE).passes(1, [TRADE]).passes(pause)
    story.habits[TRADE] = habit
    row = story.row(TRADE)
    assert (row.state, row.expected, row.expected_by) == (state, habit.expected, habit.known_by)


def test_where_nothing_came_in_the_last_seconds_the_looks_of_a_minute_say_how_often_it_speaks() -> None:
    story = Story(TRADE).passes(1, [TRADE]).passes(30)
    story.habits[TRADE] = Habit(None, KnownBy.UNKNOWN, 3, None)
    assert (story.row(TRADE).rate, story.row(TRADE).actual) == (0.0, 20.0)


def test_a_silent_one_says_why_it_should_speak_and_what_is_tried() -> None:
    story = Story(TRADE).passes(1, [TRADE]).passes(2)
    probe = Probe(0.0, None, has_routes=False)
    probe.due(1.0)
    silence = Silence(parse(Market.SPOT, TRADE), 0.0, 1.0, None, "x speaks", probe)
    story.habits[TRADE] = Habit(None, KnownBy.UNKNOWN, 1, silence)
    row = story.row(TRADE)
    assert (row.state, row.reason, row.trying) == (State.SILENT, "x speaks", "listing subscriptions")


def test_of_a_stream_that_nobody_has_looked_at_yet_nothing_is_known() -> None:
    assert Story(TRADE).row(TRADE).expected_by is KnownBy.UNKNOWN


@pytest.mark.parametrize(
    ("sort", "first"), [(Sort.RATE, TRADE), (Sort.BYTES, BOOK), (Sort.AGE, MARK), (Sort.LAG, BOOK), (Sort.NAME, MARK)]
)
def test_those_with_the_most_come_first(sort: Sort, first: str) -> None:
    story = Story(MARK, BOOK, TRADE).passes(1, [MARK])
    for _ in range(20):
        story.passes(1, [TRADE, TRADE], b'{"E":%d}' % (story.now * 1000 + 999)).passes(0)
        story.router.publish(story.line(BOOK), b'{"E":1,"long":"%s"}' % (b"." * 99), int(story.now * SECOND), 0)
    assert story.told(sort=sort)[0].stream == first
    assert len(story.told(sort=sort, limit=2)) == 2


def test_streams_are_found_by_a_part_of_their_name_and_by_market() -> None:
    story = Story(MARK, BOOK, TRADE)
    assert [row.stream for row in story.told(q="BTC")] == [TRADE]
    assert story.told(markets=(Market.USDM,)) == []
    assert len(story.told(markets=(Market.USDM, Market.SPOT))) == 3
