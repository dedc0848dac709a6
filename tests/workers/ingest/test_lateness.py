from fsnats.binance.streams import Market, parse
from workers.ingest.lateness import FORGET_NS, SAMPLE, Tally, Timing
from workers.ingest.line import Line

MS = 1_000_000


class Rig:
    """One stream; messages are known by a number."""

    def __init__(self) -> None:
        self.timing = Timing()
        self.line = Line(parse(Market.SPOT, "btcusdt@ticker"), "", False, None)
        self.a, self.b = Tally(), Tally()

    def first(self, tally: Tally, number: int, at_ms: float) -> None:
        self.line.seq = number
        self.timing.first(self.line, b"%d" % number, int(at_ms * MS), tally)

    def again(self, tally: Tally, number: int, at_ms: float) -> None:
        self.timing.again(self.line, b"%d" % number, int(at_ms * MS), tally)


def test_the_first_one_is_counted_and_the_other_one_timed() -> None:
    rig = Rig()
    rig.first(rig.a, 1, at_ms=100)
    rig.again(rig.b, 1, at_ms=104)
    rig.first(rig.a, 1 + SAMPLE, at_ms=200)
    rig.again(rig.b, 1 + SAMPLE, at_ms=220)
    rig.first(rig.b, 1 + 2 * SAMPLE, at_ms=300)
    rig.again(rig.a, 1 + 2 * SAMPLE, at_ms=301)

    assert (rig.a.first, rig.b.first) == (2, 1)
    assert (rig.a.late_mean_ns, rig.a.late_max_ns, rig.a.compared) == (1 * MS, 1 * MS, 1)
    assert (rig.b.late_mean_ns, rig.b.late_max_ns, rig.b.compared) == (12 * MS, 20 * MS, 2)


def test_one_of_many_messages_is_timed_and_one_at_a_time() -> None:
    rig = Rig()
    for number in range(1, 2 + SAMPLE):
        rig.first(rig.a, number, at_ms=number)
    for number in range(1, 2 + SAMPLE):
        rig.again(rig.b, number, at_ms=50 + number)

    assert (rig.a.first, rig.b.compared) == (1 + SAMPLE, 1)


def test_connections_of_one_strand_are_not_compared() -> None:
    rig = Rig()
    rig.first(rig.a, 1, at_ms=100)
    rig.again(rig.a, 1, at_ms=130)
    rig.again(rig.b, 1, at_ms=140)

    assert (rig.a.compared, rig.b.late_max_ns) == (0, 40 * MS)


def test_what_the_other_strand_never_brings_is_not_waited_for_for_ever() -> None:
    rig = Rig()
    rig.first(rig.a, 1, at_ms=0)
    late = FORGET_NS / MS + 1
    rig.first(rig.a, 1 + SAMPLE, at_ms=late)
    rig.again(rig.b, 1 + SAMPLE, at_ms=late + 3)

    assert rig.b.late_max_ns == 3 * MS


def test_a_clock_that_goes_back_makes_nobody_early() -> None:
    rig = Rig()
    rig.first(rig.a, 1, at_ms=100)
    rig.again(rig.b, 1, at_ms=90)

    assert rig.b.late_max_ns == 0


def test_streams_that_are_left_are_forgotten() -> None:
    rig = Rig()
    rig.first(rig.a, 1, at_ms=100)
    rig.timing.keep(())
    rig.again(rig.b, 1, at_ms=130)

    assert rig.b.compared == 0
