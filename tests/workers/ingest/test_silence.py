"""Which silences are named, and which are not.  Stories are told in seconds, a look each."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market, Stream, parse
from fsnats.fleet.streams import KnownBy
from workers.ingest.cadence import KNOWN, LOOKS_KEPT
from workers.ingest.probe import Step
from workers.ingest.silence import OF_A_KIND, Doubt, Flows, Named, Outcome, Try, Watch
from workers.ingest.trail import Trails

AGG, CANDLE, TICK, BOOK, MARK = (
    f"btcusdt@{rest}" for rest in ("aggTrade", "kline_1m", "bookTicker", "depth@100ms", "markPrice@1s")
)


class Line:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.received_ns = 0


class Story:
    """One worker's streams, and a look every second."""

    def __init__(self, *names: str, market: Market = Market.USDM) -> None:
        self.trails = Trails()
        self.watch = Watch(self.trails)
        self.lines = {name: Line(parse(market, name)) for name in names}
        self.listening = dict.fromkeys(names, 0.0)
        self.mute: set[str] = set()
        self.now = 0
        self.told: list[tuple[int, Outcome]] = []

    def passes(self, seconds: int, speak: Iterable[str] = (), when: Callable[[int], bool] = lambda _: True) -> "Story":
        for _ in range(seconds):
            self.now += 1
            for name in speak if when(self.now) else ():
                self.lines[name].received_ns = self.now
            self.told += [
                (self.now, outcome) for outcome in self.watch.look(self.now, self.lines, self.listening, self.mute)
            ]
        return self

    @property
    def named(self) -> list[tuple[int, str]]:
        return [(at, each.silence.stream.name) for at, each in self.told if isinstance(each, Named)]

    @property
    def reasons(self) -> list[str]:
        return [each.silence.reason for _, each in self.told if isinstance(each, Named)]

    @property
    def flows(self) -> list[tuple[int, str]]:
        return [(at, each.silence.stream.name) for at, each in self.told if isinstance(each, Flows)]

    @property
    def doubts(self) -> list[tuple[int, str]]:
        return [(at, each.stream.name) for at, each in self.told if isinstance(each, Doubt)]

    @property
    def steps(self) -> list[tuple[int, Step]]:
        return [(at, each.step) for at, each in self.told if isinstance(each, Try)]


# What is named, and when.


@pytest.mark.parametrize(
    ("name", "market", "latest"),
    [
        ("btcusdt@markPrice@1s", Market.USDM, 10),
        ("btcusdt@markPrice", Market.USDM, 15),
        ("!miniTicker@arr", Market.SPOT, 10),
        ("!bookTicker", Market.USDM, 25),
        ("btcusdt@kline_1m", Market.SPOT, 150),
    ],
)
def test_a_steady_stream_that_never_speaks_is_named_in_time(name: str, market: Market, latest: int) -> None:
    ((at, named),) = Story(name, market=market).passes(latest + 30).named
    assert named == name
    assert latest - 2 <= at <= latest


def test_a_steady_stream_that_falls_silent_is_named_in_time_and_once() -> None:
    story = Story(MARK).passes(100, [MARK]).passes(300)
    assert [(at - 100, name) for at, name in story.named] == [(8, MARK)]
    assert story.reasons == ["its type never rests"]


def test_a_stream_is_named_by_its_witness_although_nothing_is_known_of_it() -> None:
    story = Story(AGG, CANDLE).passes(30, [CANDLE])
    assert story.named == [(8, AGG)]
    assert story.reasons == [f"{CANDLE} speaks"]


def test_a_stream_that_fell_silent_is_named_by_its_witness() -> None:
    story = Story(AGG, CANDLE).passes(20, [AGG, CANDLE]).passes(30, [CANDLE])
    assert story.named == [(28, AGG)]


def test_a_witness_must_have_spoken_several_times_since() -> None:
    story = Story(AGG, CANDLE).passes(20, [AGG, CANDLE]).passes(120, [CANDLE], lambda second: second % 15 == 0)
    assert story.named == []


def test_a_spot_candle_without_trades_witnesses_nothing() -> None:
    story = Story(AGG, CANDLE, market=Market.SPOT).passes(500, [CANDLE], lambda second: second % 20 == 0)
    assert story.named == []


def test_a_moving_book_says_nothing_about_trades() -> None:
    assert Story(AGG, CANDLE, TICK, BOOK).passes(300, [TICK, BOOK]).named == []
    assert Story(BOOK, TICK).passes(30, [TICK]).named == [(8, BOOK)]


def test_a_busy_stream_without_witnesses_is_named_by_its_own_past() -> None:
    story = Story(AGG).passes(200, [AGG]).passes(60)
    assert [(at - 200, name) for at, name in story.named] == [(8, AGG)]
    assert story.reasons == ["longer than usual"]


def test_pauses_that_are_usual_are_learned() -> None:
    story = Story(AGG).passes(1200, [AGG], lambda second: second % 12 == 0)
    assert story.named == []
    story.passes(100)
    assert [(at - 1200, name) for at, name in story.named] == [(58, AGG)]


def test_where_the_whole_symbol_falls_quiet_more_patience_is_had() -> None:
    story = Story(AGG, CANDLE).passes(200, [AGG, CANDLE]).passes(100)
    assert [(at - 200, name) for at, name in story.named] == [(58, AGG), (58, CANDLE)]


def test_a_type_of_which_no_stream_speaks_is_named() -> None:
    names = [f"sym{number}usdt@aggTrade" for number in range(OF_A_KIND)]
    story = Story(*names).passes(70)
    assert story.named == [(60, name) for name in names]
    assert Story(*names).passes(300, names[:1], lambda second: second % 50 == 0).named == []
    assert Story(*names[1:]).passes(300).named == []


def told(symbol_trades: Iterable[int]) -> list[msgspec.Raw]:
    """REST's answer: trades of these ids, each at a moment of its own."""
    return [msgspec.Raw(b'{"id":%d,"time":%d}' % (number, number)) for number in symbol_trades]


def test_a_stream_without_witnesses_is_named_by_the_trades_that_rest_shows() -> None:
    story = Story(AGG).passes(2)
    assert story.watch.wondering == {}
    story.passes(1)
    assert story.watch.wondering == {"BTCUSDT": 0.0}
    assert story.trails.due(story.watch.wondering, 3.0) == "BTCUSDT"
    story.trails.answered("BTCUSDT", told(range(100, 110)), 3.0)
    story.passes(5)
    assert story.trails.due(story.watch.wondering, 8.0) == "BTCUSDT"
    story.trails.answered("BTCUSDT", told(range(105, 115)), 8.0)
    assert story.passes(5).named == [(9, AGG)]
    assert story.reasons == ["its symbol is traded"]
    assert story.watch.wondering == {}


def test_trades_before_a_silence_prove_nothing_of_it() -> None:
    story = Story(AGG).passes(3)
    story.trails.due(story.watch.wondering, 3.0)
    story.trails.answered("BTCUSDT", told(range(10)), 3.0)
    story.trails.answered("BTCUSDT", told(range(10, 20)), 8.0)
    story.passes(4).passes(1, [AGG]).passes(50)
    assert story.named == []


@pytest.mark.parametrize("name", [MARK, "btcusdt@forceOrder", "!miniTicker@arr", "btcusdt@rpiDepth@500ms"])
def test_where_trades_prove_nothing_they_are_not_asked_for(name: str) -> None:
    assert Story(name).passes(5).watch.wondering == {}


# What is not.


@pytest.mark.parametrize("name", ["btcusdt@forceOrder", "!forceOrder@arr", "!contractInfo"])
def test_what_rests_at_will_is_never_named(name: str) -> None:
    assert Story(name).passes(300, [name]).passes(5000).named == []


def test_a_quiet_symbol_is_not_named_but_counted_as_unheard() -> None:
    story = Story(AGG, CANDLE, TICK).passes(600)
    assert (story.named, story.watch.unheard) == ([], 0)
    story.passes(1)
    assert story.watch.unheard == 3
    story.passes(1, [AGG])
    assert story.watch.unheard == 2


def test_what_is_not_acknowledged_is_not_expected_to_speak() -> None:
    story = Story(MARK)
    story.listening.clear()
    story.passes(100)
    assert story.named == []
    story.listening[MARK] = 100.0
    assert story.passes(30).named == [(108, MARK)]


def test_time_without_a_connection_does_not_count() -> None:
    story = Story(MARK).passes(50, [MARK])
    story.listening.clear()
    story.passes(60)
    story.listening[MARK] = 110.0
    assert story.passes(7).named == []
    assert story.passes(1).named == [(118, MARK)]


def test_time_without_a_connection_is_no_pause() -> None:
    story = Story(AGG).passes(KNOWN, [AGG])
    story.listening.clear()
    story.passes(500)
    story.listening[AGG] = float(story.now)
    story.passes(5, [AGG]).passes(8)
    assert story.named == [(story.now, AGG)]


def test_a_connection_that_brings_nothing_is_left_to_its_feed_first() -> None:
    story = Story(MARK, AGG).passes(200, [MARK, AGG])
    story.mute = {MARK, AGG}
    story.passes(17)
    assert story.named == []
    assert story.passes(1).named == [(218, MARK), (218, AGG)]


def test_before_it_is_named_it_is_asked_whether_the_symbol_trades() -> None:
    story = Story(MARK).passes(100, [MARK]).passes(7)
    assert story.doubts == [(105, MARK)]
    story.watch.answered(MARK, True)
    assert story.passes(1).named == [(108, MARK)]


def test_a_symbol_that_does_not_trade_is_not_named() -> None:
    story = Story(MARK).passes(100, [MARK]).passes(7)
    story.watch.answered(MARK, False)
    story.passes(200)
    assert story.named == []
    assert [at for at, _ in story.doubts] == [105, 166, 227, 288]
    story.watch.answered(MARK, True)
    assert story.passes(1).named == [(308, MARK)]


def test_where_nobody_can_say_it_is_named() -> None:
    story = Story(MARK).passes(100, [MARK]).passes(7)
    story.watch.answered(MARK, None)
    assert story.passes(1).named == [(108, MARK)]


def test_what_was_said_of_an_earlier_silence_does_not_count() -> None:
    story = Story(MARK).passes(100, [MARK]).passes(7)
    story.watch.answered(MARK, False)
    story.passes(1, [MARK]).passes(9)
    assert story.named == [(116, MARK)]


# What follows.


def test_the_first_event_ends_it() -> None:
    story = Story(MARK).passes(50, [MARK]).passes(20).passes(10, [MARK])
    assert (story.named, story.flows) == ([(58, MARK)], [(71, MARK)])
    (flows,) = [each for _, each in story.told if isinstance(each, Flows)]
    assert flows.seconds == 21
    assert story.watch.silent == []


def test_a_silent_stream_is_probed_until_it_speaks() -> None:
    story = Story(MARK).passes(23)
    assert story.steps == [(8, Step.LIST), (13, Step.RENEW), (18, Step.MOVE)]
    story.passes(1, [MARK]).passes(8, [MARK])
    assert len(story.steps) == 3
    (flows,) = [each for _, each in story.told if isinstance(each, Flows)]
    assert flows.helped is Step.MOVE


def test_what_helped_is_not_taken_for_a_usual_pause() -> None:
    story = Story(AGG).passes(200, [AGG]).passes(14).passes(1, [AGG]).passes(20)
    assert [at for at, _ in story.named] == [208, 223]


def test_a_pause_that_ends_by_itself_is_usual_from_then_on() -> None:
    story = Story(AGG).passes(200, [AGG]).passes(60).passes(1, [AGG]).passes(250)
    assert [at for at, _ in story.named] == [208]


def test_it_is_probed_only_while_there_is_a_connection() -> None:
    story = Story(MARK).passes(10)
    story.listening.clear()
    story.passes(50)
    assert story.steps == [(8, Step.LIST)]
    assert [each.stream.name for each in story.watch.silent] == [MARK]
    story.listening[MARK] = float(story.now)
    story.passes(1)
    assert story.steps[-1] == (61, Step.RENEW)
    assert len(story.named) == 1


def test_a_stream_that_nobody_wants_any_more_is_forgotten() -> None:
    story = Story(MARK, AGG).passes(20)
    assert len(story.watch.silent) == 1
    del story.lines[MARK]
    assert story.passes(1).watch.silent == []


def test_a_stream_that_is_wanted_again_begins_anew() -> None:
    story = Story(MARK).passes(5, [MARK])
    line = story.lines.pop(MARK)
    story.passes(50)
    story.lines[MARK] = Line(line.stream)
    story.listening[MARK] = 55.0
    assert story.passes(10).named == [(63, MARK)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 120), st.booleans(), st.booleans(), st.booleans()), max_size=12))
def test_a_stream_is_named_before_it_flows_and_flows_before_it_is_named_again(
    stretches: list[tuple[int, bool, bool, bool]],
) -> None:
    story = Story(MARK, AGG, CANDLE)
    for seconds, speaks, witness, connected in stretches:
        story.listening = dict.fromkeys(story.lines, float(story.now)) if connected else {}
        story.passes(seconds, [*([MARK, AGG] if speaks else []), *([CANDLE] if witness else [])])
    for name in story.lines:
        turns = [
            isinstance(each, Named)
            for _, each in story.told
            if isinstance(each, (Named, Flows)) and each.silence.stream.name == name
        ]
        assert turns == [index % 2 == 0 for index in range(len(turns))]
    silent = {each.stream.name for each in story.watch.silent}
    assert silent == {
        name for name in story.lines if sum(n == name for _, n in story.named) > sum(n == name for _, n in story.flows)
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=20, max_size=60))
def test_nothing_is_named_that_never_paused_for_five_times_its_longest_pause(pauses: list[int]) -> None:
    story = Story(AGG)
    for pause in pauses * (KNOWN // len(pauses) + 1):
        story.passes(pause - 1).passes(1, [AGG])
    story.told.clear()
    for pause in pauses * 3:
        story.passes(pause - 1).passes(1, [AGG])
    assert story.named == []


# Recordings.


class Row(msgspec.Struct):
    kind: str
    t: float = 0.0
    market: str = ""
    raw: str | None = None


class Message(msgspec.Struct):
    stream: str


Heard = list[tuple[float, Market, str]]


def recorded(capture: Path) -> Heard:
    """When what came."""
    row, message = msgspec.json.Decoder(Row).decode, msgspec.json.Decoder(Message).decode
    with gzip.open(capture) as lines:
        rows = [row(line) for line in lines]
    heard = [(each, message(each.raw).stream) for each in rows if each.kind == "ws" and each.raw is not None]
    return sorted((each.t, Market(each.market.removeprefix("us-")), stream) for each, stream in heard)


def played(heard: Heard, silenced: str = "", after: float = 0.0) -> Story:
    """The looks of a worker that hears a recording; one stream falls silent."""
    began, market, _ = heard[0]
    story = Story(*{name for _, _, name in heard}, market=market)
    by_second: dict[int, set[str]] = {}
    for at, _, name in heard:
        if name != silenced or at - began < after:
            by_second.setdefault(int(at - began), set()).add(name)
    for second in range(max(by_second) + 1):
        story.passes(1, by_second.get(second, ()))
    return story


@pytest.mark.recorded
def test_in_no_recording_is_a_stream_named(recordings: Path) -> None:
    for capture in sorted((recordings / "captures").glob("*.jsonl.gz")):
        assert played(recorded(capture)).named == [], capture.name


@pytest.mark.recorded
def test_a_stream_that_falls_silent_in_a_recording_is_named(recordings: Path) -> None:
    capture = recordings / "captures" / "hb.usdm.btcusdt.20240808.jsonl.gz"
    heard = recorded(capture)
    for name in sorted({name for _, _, name in heard}):
        story = played(heard, name, 200)
        assert [named for _, named in story.named] == [name]
        (at,) = [at for at, _ in story.named]
        assert at <= 200 + 60


@pytest.mark.parametrize(
    ("name", "seconds", "expected"),
    [
        (MARK, 5, (1.0, KnownBy.TYPE)),
        (AGG, 5, (None, KnownBy.UNKNOWN)),
        (AGG, 3 * KNOWN, (2.0, KnownBy.PAST)),
        ("btcusdt@forceOrder", 3 * KNOWN, (None, KnownBy.AT_WILL)),
    ],
)
def test_it_is_known_how_long_a_stream_pauses_and_by_what(
    name: str, seconds: int, expected: tuple[float | None, KnownBy]
) -> None:
    story = Story(name).passes(seconds, [name], when=lambda now: now % 2 == 0)
    habit = story.watch.habit(name)
    assert habit is not None
    assert (habit.expected, habit.known_by, habit.silence) == (*expected, None)
    assert habit.spoke == min(seconds, LOOKS_KEPT) // 2
    assert story.watch.habit("another") is None


def test_a_silence_is_told_with_the_habit() -> None:
    story = Story(MARK, TICK).passes(20, [MARK, TICK]).passes(20, [TICK])
    habit = story.watch.habit(MARK)
    assert habit is not None
    assert habit.silence is not None
    assert habit.silence.reason == "its type never rests"
