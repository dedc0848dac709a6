import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from fsnats.frames import decode
from workers.ingest.handover import GRACE, Handover
from workers.ingest.router import Line, Router


class Rig:
    """One stream that two connections carry; `out` is what was published of it."""

    def __init__(self, name: str) -> None:
        self.out: list[int] = []
        self.holes: list[tuple[int, int]] = []
        self.router = Router(Market.SPOT, self._publish, 1)
        self.router.carry({name: parse(Market.SPOT, name)})
        self.name = name
        self.line: Line = self.router.lines([name])[0]

    def _publish(self, _subject: str, data: bytes) -> bool:
        self.out.append(json.loads(decode(data).payload)["n"])
        return True

    def payload(self, number: int) -> bytes:
        return json.dumps({"a": number, "E": number * 10, "n": number}).encode()

    def before(self, *numbers: int) -> None:
        for number in numbers:
            self.router.accept(self.line, self.payload(number), 0)

    def begin(self) -> Handover:
        return Handover(self.router, [self.line])


@pytest.mark.parametrize("name", ["btcusdt@aggTrade", "btcusdt@ticker"])
@given(data=st.data())
def test_whatever_runs_ahead_every_message_is_published_once_and_in_order(name: str, data: st.DataObject) -> None:
    rig = Rig(name)
    last = data.draw(st.integers(1, 25), label="last message of the old connection")
    joins = data.draw(st.integers(1, last + 1), label="first message of the new connection")
    end = data.draw(st.integers(last, last + 8), label="last message of the new connection")
    already = data.draw(st.integers(0, last), label="published before the handover")
    rig.before(*range(1, already + 1))
    handover = rig.begin()
    old, new = list(range(already + 1, last + 1)), list(range(joins, end + 1))
    while old or new:
        if old and (not new or data.draw(st.booleans(), label="old speaks")):
            handover.old(rig.line, rig.payload(old.pop(0)), 0)
        else:
            handover.new(rig.line, rig.payload(new.pop(0)), 0, now=0.0)
    handover.old_is_gone()

    assert rig.out == list(range(1, end + 1))
    assert rig.router.holes == 0


@given(data=st.data())
def test_when_the_new_connection_fails_the_old_one_goes_on_without_loss(data: st.DataObject) -> None:
    rig = Rig("btcusdt@aggTrade")
    rig.before(1, 2, 3)
    handover = rig.begin()
    joins = data.draw(st.integers(1, 8))
    old, new = list(range(4, 12)), list(range(joins, data.draw(st.integers(joins, 12))))
    for _ in range(data.draw(st.integers(0, len(old) + len(new)))):
        if old and (not new or data.draw(st.booleans())):
            handover.old(rig.line, rig.payload(old.pop(0)), 0)
        elif new:
            handover.new(rig.line, rig.payload(new.pop(0)), 0, now=0.0)
    handover.new_is_gone()
    for number in old:
        rig.router.accept(rig.line, rig.payload(number), 0)

    assert rig.out == sorted(set(rig.out))
    assert rig.out[-1] == max(11, *rig.out)
    assert set(range(1, 12)) <= set(rig.out)


def test_an_old_connection_that_does_not_catch_up_is_not_waited_for_longer_than_the_grace() -> None:
    rig = Rig("btcusdt@ticker")
    rig.before(1)
    handover = rig.begin()
    handover.new(rig.line, rig.payload(3), 0, now=10.0)
    handover.look(10.0 + GRACE)
    assert rig.out == [1]

    handover.look(10.1 + GRACE)
    assert rig.out == [1, 3]
    assert handover.is_complete


@pytest.mark.parametrize("name", ["btcusdt@aggTrade", "btcusdt@ticker"])
def test_a_new_connection_that_lags_repeats_nothing_after_the_old_one_is_gone(name: str) -> None:
    rig = Rig(name)
    rig.before(1, 2)
    handover = rig.begin()
    handover.new(rig.line, rig.payload(2), 0, now=0.0)
    for number in (3, 4, 5):
        handover.old(rig.line, rig.payload(number), 0)
    handover.old_is_gone()
    for number in (3, 4, 5, 6, 7):
        rig.router.accept(rig.line, rig.payload(number), 0)

    assert rig.out == [1, 2, 3, 4, 5, 6, 7]
    assert (rig.line.tracker is None) == (name == "btcusdt@ticker")


def test_it_is_complete_when_the_new_connection_speaks_for_every_stream() -> None:
    rig = Rig("btcusdt@aggTrade")
    rig.before(1)
    handover = rig.begin()
    assert not handover.is_complete
    handover.new(rig.line, rig.payload(2), 0, now=0.0)

    assert handover.is_complete


def test_what_cannot_be_ordered_passes() -> None:
    rig = Rig("btcusdt@aggTrade")
    rig.before(1)
    handover = rig.begin()
    handover.new(rig.line, b'{"n":5}', 0, now=0.0)

    assert rig.out == [1, 5]
