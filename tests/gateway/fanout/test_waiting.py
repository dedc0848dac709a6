"""What waits for a client that does not read: what is kept, what is replaced, what is dropped and told."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fsnats.binance.streams import Market, parse
from fsnats.websocket.frames import text
from gateway.effects import Delivery, Form, OnSlow
from gateway.fanout.lane import Lane
from gateway.fanout.origins import EVENT, NOTICE, REPLY, STATE
from gateway.fanout.tally import Tally
from gateway.fanout.waiting import BEHIND_NS, COST, Waiting

GAP = b'{"type":"gap","data":'
MS = 1_000_000

TELLING = Form(b"", b"", GAP)


def lane(name: str, form: Form = TELLING) -> Lane:
    return Lane(parse(Market.SPOT, name), form)


TRADES, DEPTH, TICKER, KLINE = lane("a@trade"), lane("a@depth"), lane("a@ticker"), lane("a@kline_1m")


class Client:
    """Feeds frames to what waits for it."""

    def __init__(self, limit: int = 100_000) -> None:
        self.tally = Tally()
        self.waiting = Waiting(limit, self.tally)

    def hold(self, *frames: tuple[bytes, Lane | None, int, int]) -> bool:
        """Each frame with its lane, its time in ms and its rank, as one turn."""
        return self.waiting.hold([(frame, each, ms * MS, rank) for frame, each, ms, rank in frames])

    def fall_behind(self) -> None:
        """Be more than two seconds late, with nothing that stays."""
        self.hold((b"old", TICKER, 1, STATE))
        self.hold((b"new", TICKER, 1 + BEHIND_NS // MS + 1, STATE))
        self.waiting.forget(TICKER)
        self.tally.conflated = 0

    def read(self) -> list[bytes]:
        return self.waiting.take(1 << 30)


def notices(frames: list[bytes]) -> list[dict[str, Any]]:
    """The slow-consumer notices among the frames."""
    bodies = [frame[frame.index(GAP) :] for frame in frames if GAP in frame]
    return [json.loads(body)["data"] for body in bodies]


def test_a_client_that_is_behind_for_a_moment_gets_everything_in_order() -> None:
    client = Client()
    client.hold((b"1", TICKER, 1000, STATE), (b"2", TRADES, 1001, EVENT), (b"3", None, 0, REPLY))
    client.hold((b"4", TICKER, 3000, STATE), (b"5", TRADES, 3000, EVENT))

    assert client.read() == [b"1", b"2", b"3", b"4", b"5"]
    assert client.waiting.held_bytes == 0


def test_of_one_that_is_two_seconds_behind_the_newest_of_each_state_is_kept_in_its_place() -> None:
    client = Client()
    client.hold((b"t1", TICKER, 1000, STATE), (b"e1", TRADES, 1001, EVENT))
    client.hold((b"t2", TICKER, 1500, STATE), (b"e2", TRADES, 1501, EVENT), (b"reply", None, 0, REPLY))
    client.hold((b"t3", TICKER, 3001, STATE))

    assert client.read() == [b"t3", b"e1", b"e2", b"reply"]
    assert client.tally.conflated == 2


def test_of_one_that_is_behind_by_its_limit_too() -> None:
    client = Client(limit=10 * (COST + 1))
    for n in range(11):
        assert client.hold((b"%x" % n, TICKER, 1000, STATE))

    assert client.read() == [b"a"]


def test_states_alone_never_cost_a_client_its_connection() -> None:
    client = Client(limit=1)
    lanes = [lane(f"s{n}@ticker") for n in range(50)]
    for n in range(4):
        assert client.hold(*((b"%d-%d" % (n, at), each, n, STATE) for at, each in enumerate(lanes)))

    assert client.read() == [b"3-%d" % at for at in range(50)]


def test_whoever_caught_up_is_not_behind_any_more() -> None:
    client = Client()
    client.fall_behind()
    client.hold((b"1", TICKER, 5000, STATE), (b"2", TICKER, 5000, STATE))
    assert client.read() == [b"2"]

    client.hold((b"3", TICKER, 5000, STATE), (b"4", TICKER, 5000, STATE))
    assert client.read() == [b"3", b"4"]


def test_a_closed_candle_is_kept_and_takes_the_place_of_the_open_one() -> None:
    client = Client()
    client.fall_behind()
    for frame, rank in ((b"o1", STATE), (b"o2", STATE), (b"closed", EVENT), (b"o3", STATE), (b"o4", STATE)):
        client.hold((frame, KLINE, 5000, rank))

    assert client.read() == [b"closed", b"o4"]


def test_of_notices_about_states_the_newest_is_kept_beside_the_state() -> None:
    client = Client()
    client.fall_behind()
    for frame, rank in ((b"n1", NOTICE), (b"s1", STATE), (b"n2", NOTICE), (b"s2", STATE)):
        client.hold((frame, TICKER, 5000, rank))

    assert client.read() == [b"n2", b"s2"]


def test_events_beyond_the_limit_are_told_in_their_place_oldest_first() -> None:
    client = Client(limit=3 * (COST + 2))
    client.hold((b"s1", TICKER, 1000, STATE), (b"t1", TRADES, 1001, EVENT), (b"d1", DEPTH, 1002, EVENT))
    assert client.hold((b"t2", TRADES, 1003, EVENT), (b"t3", TRADES, 1004, EVENT), (b"t4", TRADES, 1005, EVENT))
    frames = client.read()

    assert [frames[0], *frames[3:]] == [b"s1", b"t2", b"t3", b"t4"]
    assert notices(frames[1:3]) == [
        {"e": "gap", "stream": "a@trade", "from": 1001, "to": 1001, "unit": "ms", "reason": "slow consumer"}
        | {"missed": 1},
        {"e": "gap", "stream": "a@depth", "from": 1002, "to": 1002, "unit": "ms", "reason": "slow consumer"}
        | {"missed": 1, "resync": True},
    ]
    assert frames[1].startswith(text(b"x" * len(frames[1][2:]))[:2])
    assert client.tally.dropped == 2


def test_one_notice_says_all_that_a_stream_missed() -> None:
    client = Client(limit=COST + 1)
    for ms in range(1000, 1100):
        assert client.hold((b"x", TRADES, ms, EVENT))
        assert client.waiting.held_bytes <= COST + 1

    frames = client.read()
    (notice,) = notices(frames)
    assert (notice["from"], notice["to"], notice["missed"]) == (1000, 1098, 99)
    assert frames[1:] == [b"x"]


@pytest.mark.parametrize(
    "form",
    [Form(b"", b""), Form(b"", b"", GAP, delivery=Delivery(OnSlow.DISCONNECT))],
    ids=["no word for it", "its wish"],
)
def test_a_client_that_must_not_miss_an_event_has_to_go(form: Form) -> None:
    client = Client(limit=COST + 1)
    strict = lane("a@trade", form)

    assert client.hold((b"1", strict, 1000, EVENT))
    assert not client.hold((b"2", strict, 1000, EVENT))


def test_a_client_that_asks_and_does_not_read_has_to_go() -> None:
    client = Client(limit=2 * (COST + 1))

    assert client.hold((b"1", None, 0, REPLY), (b"2", None, 0, REPLY))
    assert not client.hold((b"3", None, 0, REPLY))


@pytest.mark.parametrize("behind", [False, True])
def test_what_comes_after_leaving_and_coming_back_is_behind_the_replies(behind: bool) -> None:
    client = Client(limit=10_000)
    if behind:
        client.fall_behind()
    client.hold((b"before", TICKER, 5000, STATE))
    client.waiting.forget(TICKER)
    client.hold((b"unsubscribed", None, 0, REPLY), (b"subscribed", None, 0, REPLY))
    client.hold((b"after", TICKER, 9000, STATE))  # at the latest now it is behind

    assert client.read() == [b"unsubscribed", b"subscribed", b"after"]


def test_pieces_are_taken_from_the_front_and_what_remains_is_still_replaced() -> None:
    client = Client()
    client.fall_behind()
    others = lane("b@ticker")
    client.hold((b"a1", TICKER, 5000, STATE), (b"b1", others, 5000, STATE))
    assert client.waiting.take(1) == [b"a1"]

    client.hold((b"b2", others, 5000, STATE), (b"a2", TICKER, 5000, STATE))
    assert client.read() == [b"b2", b"a2"]
    assert client.read() == []


LANES = [lane("a@trade"), lane("b@depth"), lane("a@ticker"), lane("b@ticker"), lane("a@kline_1m"), lane("b@kline_1m")]
RANKS = [[EVENT], [EVENT], [STATE, NOTICE], [STATE], [STATE, EVENT], [STATE, EVENT]]
STATES = [each for each, ranks in zip(LANES, RANKS, strict=True) if STATE in ranks]
sizes = st.integers(10, 60)


class WaitingAgainstHistory(RuleBasedStateMachine):
    """Whatever happens: within its bound, each stream in order, the newest state there, each lost event told.

    A frame is `<number of its lane>,<number within its lane>,<rank>,<padding>`.
    """

    limit = 6 * (COST + 40)

    def __init__(self) -> None:
        super().__init__()
        self.client = Client(self.limit)
        self.now = 10_000
        self.said: list[list[tuple[int, int]]] = [[] for _ in LANES]  # by lane: ms and rank
        self.replies = 0
        self.got: list[bytes] = []
        self.gone = False

    @precondition(lambda self: not self.gone)
    @rule(turn=st.lists(st.tuples(st.sampled_from(range(len(LANES))), st.integers(0, 1), sizes), max_size=6))
    def data(self, turn: list[tuple[int, int, int]]) -> None:
        frames = []
        for number, choice, size in turn:
            rank = RANKS[number][choice % len(RANKS[number])]
            self.said[number].append((self.now, rank))
            frame = b"%d,%d,%d," % (number, len(self.said[number]), rank)
            frames.append((frame.ljust(size, b"."), LANES[number], self.now, rank))
        assert self.client.hold(*frames)

    @precondition(lambda self: not self.gone)
    @rule()
    def reply(self) -> None:
        self.replies += 1
        self.gone = not self.client.hold((b"reply,%d" % self.replies, None, 0, REPLY))

    @rule(ms=st.sampled_from([1, 100, 2500]))
    def pass_time(self, ms: int) -> None:
        self.now += ms

    @precondition(lambda self: not self.gone)
    @rule(most=st.integers(1, 300))
    def read_some(self, most: int) -> None:
        self.got += self.client.waiting.take(most)

    @invariant()
    def within_the_bound(self) -> None:
        states = (len(STATES) + 1) * (COST + 60)  # and one notice
        assert self.gone or self.client.waiting.held_bytes <= self.limit + states

    def teardown(self) -> None:
        if self.gone:
            return
        got = self.got + self.client.read()
        assert self.client.waiting.held_bytes == 0
        assert [frame for frame in got if frame.startswith(b"reply")] == [
            b"reply,%d" % n for n in range(1, self.replies + 1)
        ]
        for number, said in enumerate(self.said):
            self.check(number, said, got)

    def check(self, number: int, said: list[tuple[int, int]], got: list[bytes]) -> None:
        mine = [frame.split(b",") for frame in got if frame.startswith(b"%d," % number)]
        order = [int(fields[1]) for fields in mine]
        newest = len(said)
        for rank in (STATE, NOTICE, EVENT):  # a notice and a state of one lane may change places
            of_rank = [int(fields[1]) for fields in mine if int(fields[2]) == rank]
            assert of_rank == sorted(set(of_rank))
        if NOTICE not in RANKS[number]:
            assert order == sorted(set(order))
        if said and said[-1][1] == STATE:
            assert newest in order
        told = [each for each in notices(got) if each["stream"] == LANES[number].stream.name]
        lost = [(at, ms) for at, (ms, rank) in enumerate(said, 1) if rank == EVENT and at not in order]
        assert sum(each["missed"] for each in told) == len(lost)
        for _, ms in lost:
            assert any(each["from"] <= ms <= each["to"] for each in told)
        self.check_places(number, got)

    def check_places(self, number: int, got: list[bytes]) -> None:
        """Every notice stands between what came before and what came after the events it is about."""
        name = LANES[number].stream.name.encode()
        seen_ms = 0
        for frame in got:
            if GAP in frame and b'"%b"' % name in frame:
                (notice,) = notices([frame])
                assert notice["from"] >= seen_ms
                seen_ms = notice["to"]
            elif frame.startswith(b"%d," % number):
                ms, rank = self.said[number][int(frame.split(b",")[1]) - 1]
                if rank == EVENT:
                    assert ms >= seen_ms
                    seen_ms = ms


WaitingAgainstHistory.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestWaitingAgainstHistory = WaitingAgainstHistory.TestCase


@given(st.lists(st.tuples(st.booleans(), sizes), max_size=60), st.integers(1, 200))
def test_in_pieces_or_at_once_a_client_reads_the_same(turns: list[tuple[bool, int]], most: int) -> None:
    at_once, in_pieces = Client(limit=2000), Client(limit=2000)
    for client in (at_once, in_pieces):
        for n, (is_event, size) in enumerate(turns):
            frame = (b"%d" % n).ljust(size)
            client.hold((frame, TRADES if is_event else TICKER, 1000 + n, EVENT if is_event else STATE))
    read: list[bytes] = []
    while piece := in_pieces.waiting.take(most):
        read += piece

    assert read == at_once.read()
