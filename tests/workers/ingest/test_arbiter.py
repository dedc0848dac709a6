import json
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from fsnats.binance.streams import Market, parse
from fsnats.frames import decode
from workers.ingest.arbiter import GRACE, HELD_MOST, SETTLE, Arbiter, Member
from workers.ingest.lateness import Tally
from workers.ingest.line import Line, NoRepairs
from workers.ingest.router import Router
from workers.ingest.subscriptions import Subscriptions
from workers.ingest.track import Missing

MS = 1_000_000


class Rig(NoRepairs):
    """One stream over several connections; `out` is what was published of it."""

    def __init__(self, name: str = "btcusdt@aggTrade", pause_ms: int = 10) -> None:
        self.pause_ms = pause_ms  # between two messages
        self.out: list[int] = []
        self.holes: list[tuple[int, int]] = []
        self.resumptions: list[int] = []  # what came first after something may have been lost
        self.now = 1000.0
        self.subscriptions: dict[Member, Subscriptions] = {}
        self.router = Router(Market.SPOT, self._publish, 1, self)
        self.router.carry({name: parse(Market.SPOT, name)})
        self.line: Line = self.router.lines([name])[0]
        self.arbiter = Arbiter(self.router)
        self.arbiter.carry([self.line])

    def _publish(self, _subject: str, data: bytes) -> bool:
        self.out.append(json.loads(decode(data).payload)["n"])
        return True

    def missing(self, line: Line, missing: Missing) -> None:
        self.holes.append((missing.first, missing.last))

    def resumed(self, line: Line, payload: bytes) -> None:
        if line.newest:
            self.resumptions.append(json.loads(payload)["n"])

    def open(self, tally: Tally | None = None) -> Member:
        subscriptions = Subscriptions()
        member = Member(tally or Tally(), subscriptions)
        self.subscriptions[member] = subscriptions
        self.arbiter.enter(member, self.now)
        return member

    def bring(self, member: Member, *numbers: int, at_ms: int = 0) -> None:
        """Messages over a connection, as a strand hands them on."""
        for number in numbers:
            payload = json.dumps({"a": number, "E": number * self.pause_ms, "n": number}).encode()
            self.subscriptions[member].live.add(self.line.stream.name)
            if member is self.arbiter.alone:
                self.router.accept(self.line, payload, at_ms * MS)
            else:
                self.arbiter.receive(member, self.line, payload, at_ms * MS, self.now)

    def acknowledge(self, member: Member, ago: float = 0.0) -> None:
        self.subscriptions[member].acknowledged[self.line.stream.name] = self.now - ago

    def begin_again(self, member: Member) -> None:
        self.subscriptions[member].opened()
        self.arbiter.begun(member, [self.line], self.now)

    def lose(self, member: Member) -> None:
        self.arbiter.leave(member, self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.arbiter.look(self.now)


class Connection:
    """What the model knows of a connection: which message it brings next."""

    def __init__(self, member: Member, coming: int) -> None:
        self.member = member
        self.begun = self.coming = coming


class Connections(RuleBasedStateMachine):
    """Connections to one exchange, which come and go and lag as they like."""

    name = "btcusdt@aggTrade"
    connections = Bundle("connections")

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(self.name)
        self.head = 0  # the newest message that the exchange made
        self.open: list[Connection] = []
        self.excused = False  # nobody spoke for the stream at some moment
        self.reported = 0

    @property
    def published(self) -> int:
        return self.rig.out[-1] if self.rig.out else 0

    def speaks(self, connection: Connection) -> bool:
        alone = self.rig.arbiter.alone
        return connection.member is alone or self.rig.line in connection.member.joined

    @rule(count=st.integers(1, 3))
    def make(self, count: int) -> None:
        self.head += count

    @precondition(lambda self: len(self.open) < 4)
    @rule(target=connections)
    def come(self) -> Connection:
        connection = Connection(self.rig.open(), self.head + 1)
        self.open.append(connection)
        return connection

    @rule(connection=connections, count=st.integers(1, 4))
    def bring(self, connection: Connection, count: int) -> None:
        for _ in range(min(count, self.head + 1 - connection.coming)):
            spoke = self.speaks(connection)
            self.rig.bring(connection.member, connection.coming)
            if spoke:
                assert self.published >= connection.coming, "what one brings that speaks is not held"
            connection.coming += 1

    @rule(connection=connections)
    def settle(self, connection: Connection) -> None:
        # Nobody is so far behind that it has not brought what was made before this one had all it asked for.
        if all(other.coming >= connection.begun for other in self.open):
            self.rig.acknowledge(connection.member, SETTLE + 0.1)
            self.rig.arbiter.look(self.rig.now)

    @rule(connection=consumes(connections))
    def lose(self, connection: Connection) -> None:
        self.open.remove(connection)
        if self.speaks(connection) and not any(map(self.speaks, self.open)):
            self.excused = True
        self.rig.lose(connection.member)

    @rule(connection=consumes(connections))
    def close(self, connection: Connection) -> None:
        others = [other for other in self.open if other is not connection]
        if not any(self.rig.arbiter.has_joined(other.member) for other in others):
            self.lose(connection)
            return
        self.open.remove(connection)
        self.rig.lose(connection.member)

    @rule(connection=connections)
    def begin_again(self, connection: Connection) -> None:
        if not any(self.speaks(other) for other in self.open if other is not connection):
            self.excused = True
        connection.begun = connection.coming = self.head + 1
        self.rig.begin_again(connection.member)

    @rule()
    def lose_patience(self) -> None:
        if any(connection.member.held for connection in self.open):
            self.excused = True
        self.rig.wait(GRACE + 0.1)

    @invariant()
    def all_comes_once_and_in_order(self) -> None:
        assert self.rig.out == sorted(set(self.rig.out))

    @invariant()
    def what_is_missing_is_looked_for(self) -> None:
        out = self.rig.out
        missing = [(one + 1, other - 1) for one, other in pairwise(out) if other > one + 1]
        if not self.excused:
            assert missing == []
            assert self.rig.resumptions == []
        if self.name == "btcusdt@aggTrade":
            assert self.rig.holes == missing
        else:
            assert {last + 1 for _, last in missing} <= set(self.rig.resumptions)

    @invariant()
    def nobody_is_held_that_could_speak(self) -> None:
        for connection in self.open:
            for pending in connection.member.pending.values():
                assert json.loads(pending.held[0][0])["n"] > self.published

    def teardown(self) -> None:
        for connection in self.open:
            self.bring(connection, self.head)
        self.rig.wait(GRACE + 0.1)
        newest = max((connection.coming - 1 for connection in self.open), default=0)
        if any(connection.coming > connection.begun for connection in self.open):
            assert self.published >= newest


class ClockedConnections(Connections):
    """The same with a stream of which ids do not show that something is missing."""

    name = "btcusdt@ticker"


TestConnections = Connections.TestCase
TestClockedConnections = ClockedConnections.TestCase
TestConnections.settings = TestClockedConnections.settings = settings(
    TestConnections.settings, max_examples=300, stateful_step_count=40
)


def test_the_first_to_bring_a_message_wins_and_the_other_copy_is_passed_over() -> None:
    rig = Rig()
    one, other = rig.open(), rig.open()
    rig.bring(one, 1, 2)
    rig.bring(other, 2, 3)
    rig.bring(one, 3, 4)

    assert rig.out == [1, 2, 3, 4]
    assert rig.router.duplicates == 2


def test_either_may_be_lost_without_a_trace() -> None:
    for lost in (0, 1):
        rig = Rig()
        members = [rig.open(), rig.open()]
        for member in members:
            rig.bring(member, 1, 2, 3)
        rig.bring(members[0], 4, 5)  # the one behind is lost, or the one ahead
        rig.lose(members[lost])
        rig.bring(members[1 - lost], *((6, 7) if lost else (4, 5, 6, 7)))

        assert rig.out == [1, 2, 3, 4, 5, 6, 7]
        assert not rig.holes
        assert not rig.resumptions


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_one_brings_that_is_half_a_minute_behind_is_passed_over_also_when_it_is_the_last_one(
    is_lost: bool,
) -> None:
    rig = Rig("btcusdt@kline_1m", pause_ms=250)
    ahead, behind = rig.open(), rig.open()
    for number in range(1, 301):
        rig.bring(ahead, number)
        rig.bring(behind, *range(number - 120, number - 119) if number > 120 else ())
    if is_lost:
        rig.lose(ahead)
    rig.bring(behind, *range(181, 320))

    assert rig.out == list(range(1, 320))


def test_when_all_are_lost_the_first_message_afterwards_resumes_the_stream() -> None:
    rig = Rig("btcusdt@ticker")
    one, other = rig.open(), rig.open()
    rig.bring(one, 1)
    rig.lose(one)
    rig.lose(other)
    rig.bring(rig.open(), 7, 8)

    assert rig.resumptions == [7]


@pytest.mark.parametrize("name", ["btcusdt@aggTrade", "btcusdt@ticker"])
def test_one_that_comes_back_ahead_of_the_other_waits_for_it(name: str) -> None:
    rig = Rig(name)
    one = rig.open()
    rig.bring(one, 1, 2)
    back = rig.open()
    rig.bring(back, 5, 6)
    assert (rig.out, back.held) == ([1, 2], 2)
    rig.bring(one, 3, 4, 5)

    assert (rig.out, back.held) == ([1, 2, 3, 4, 5, 6], 0)
    assert not rig.resumptions


def test_it_does_not_wait_longer_than_the_grace() -> None:
    rig = Rig("btcusdt@ticker")
    rig.bring(rig.open(), 1)
    back = rig.open()
    rig.bring(back, 3)
    rig.wait(GRACE)
    assert rig.out == [1]
    rig.wait(0.1)

    assert rig.out == [1, 3]
    assert rig.resumptions == [3]  # what the other one may have had in between is looked for


def test_it_does_not_hold_more_than_its_bound() -> None:
    rig = Rig()
    rig.bring(rig.open(), 1)
    back = rig.open()
    rig.bring(back, *range(3, 3 + HELD_MOST))
    assert back.held == HELD_MOST
    rig.bring(back, 3 + HELD_MOST)

    assert back.held == 0
    assert rig.holes == [(2, 2)]


def test_a_quiet_stream_is_joined_once_nobody_can_be_further_behind() -> None:
    rig = Rig("btcusdt@ticker")
    rig.bring(rig.open(), 1)
    new = rig.open()
    rig.acknowledge(new)
    rig.wait(SETTLE)
    assert not rig.arbiter.has_joined(new)
    rig.wait(0.1)

    assert rig.arbiter.has_joined(new)


@pytest.mark.parametrize("name", ["btcusdt@aggTrade", "btcusdt@ticker"])
def test_one_that_is_behind_repeats_nothing_after_the_others_are_gone(name: str) -> None:
    rig = Rig(name)
    old = rig.open()
    rig.bring(old, 1, 2)
    new = rig.open()
    rig.bring(new, 2)
    rig.bring(old, 3, 4, 5)
    rig.lose(old)
    rig.bring(new, 3, 4, 5, 6, 7)

    assert rig.out == [1, 2, 3, 4, 5, 6, 7]
    # Payloads are looked at only as long as somebody needs it.
    assert (rig.line.tracker is None) == (name == "btcusdt@ticker")


def test_after_a_stream_was_begun_again_its_connection_proves_anew_that_nothing_lies_between() -> None:
    rig = Rig()
    one, other = rig.open(), rig.open()
    for member in (one, other):
        rig.bring(member, 1, 2)
    rig.begin_again(one)
    rig.bring(one, 5)
    assert rig.out == [1, 2]
    rig.bring(other, 3, 4, 5)

    assert rig.out == [1, 2, 3, 4, 5]
    assert not rig.holes


def test_what_cannot_be_ordered_passes_and_proves_nothing() -> None:
    rig = Rig()
    rig.bring(rig.open(), 1)
    new = rig.open()
    rig.arbiter.receive(new, rig.line, b'{"n":5}', 0, rig.now)

    assert rig.out == [1, 5]
    assert not rig.arbiter.has_joined(new)


def test_what_cannot_be_ordered_is_published_once_as_far_as_bytes_tell() -> None:
    rig = Rig()
    one, other = rig.open(), rig.open()
    for member in (one, other, one):
        rig.bring(member, 1)
    for member in (one, other):
        for payload in (b'{"n":5}', b'{"n":6}'):
            rig.arbiter.receive(member, rig.line, payload, 0, rig.now)

    assert rig.out == [1, 5, 6]


def test_it_knows_of_how_many_streams_each_would_go_on_without_a_break() -> None:
    rig = Rig()
    one = rig.open()
    assert rig.arbiter.joined(one, rig.now) == 0
    rig.bring(one, 1)
    assert rig.arbiter.joined(one, rig.now) == 1
    other = rig.open()
    rig.bring(other, 3)
    assert (rig.arbiter.joined(one, rig.now), rig.arbiter.joined(other, rig.now)) == (1, 0)
    rig.bring(one, 2, 3)

    assert (rig.arbiter.joined(one, rig.now), rig.arbiter.joined(other, rig.now)) == (1, 1)


def test_streams_that_are_no_longer_carried_are_forgotten() -> None:
    rig = Rig()
    rig.bring(rig.open(), 1)
    new = rig.open()
    rig.bring(new, 3)
    rig.arbiter.carry([])

    assert new.held == 0
    rig.wait(GRACE * 2)
    assert rig.out == [1]


def test_connections_of_one_strand_are_not_compared() -> None:
    rig = Rig("btcusdt@ticker")
    tally = Tally()
    old, new = rig.open(tally), rig.open(tally)
    for member in (old, new):
        rig.bring(member, 1)

    assert tally.compared == 0
