import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsnats.bus import wire
from fsnats.bus.sent import RECENT, Sent
from workers.ingest import backlog as module
from workers.ingest.backlog import Backlog


class Bus:
    """Takes frames while it is up; time is moved by hand."""

    def __init__(self) -> None:
        self.up = True
        self.most: int | None = None  # frames that it takes before it goes
        self.now = 0.0
        self.taken: list[int] = []
        self.backlog = Backlog(self._publish, lambda: self.up, lambda: self.now)

    def _publish(self, _subject: str, frame: bytes) -> bool:
        if self.most == 0:
            self.up, self.most = False, None
        if not self.up or frame == b"666":
            return False
        if self.most is not None:
            self.most -= 1
        self.taken.append(int(frame))
        return True

    def say(self, number: int) -> None:
        assert self.backlog.publish("s", b"%d" % number)

    def drain(self) -> None:
        while self.backlog.drain():
            pass


@given(st.lists(st.sampled_from(["up", "down", "drain", "say"]), max_size=60))
def test_whatever_the_bus_does_frames_go_out_once_and_in_order(steps: list[str]) -> None:
    bus = Bus()
    said = 0
    for step in steps:
        match step:
            case "say":
                bus.say(said)
                said += 1
            case "drain":
                bus.drain()
            case _:
                bus.up = step == "up"
    bus.up = True
    bus.drain()

    assert bus.taken == list(range(said))
    assert (len(bus.backlog), bus.backlog.bytes, bus.backlog.dropped) == (0, 0, 0)


class Dying:
    """A server that may die with what it has not brought to its reader; the reader passes over what it has."""

    def __init__(self) -> None:
        self.now = 0.0
        self.up = True
        self.sent = Sent()
        self.inside: list[tuple[float, int]] = []  # when a frame came, and which
        self.marks: list[int] = []
        self.read: list[int] = []
        self.backlog = Backlog(self._publish, lambda: self.up, lambda: self.now)

    def _publish(self, subject: str, frame: bytes) -> bool:
        if self.up:
            self.sent.note(wire.publish(subject, "", frame))
            self.inside.append((self.now, int(frame)))
        return self.up

    def deliver(self, until: float) -> None:
        while self.inside and self.inside[0][0] <= until:
            number = self.inside.pop(0)[1]
            if not self.read or number > self.read[-1]:
                self.read.append(number)

    def drain(self) -> None:
        while self.backlog.drain():
            pass

    def die(self) -> None:
        self.inside.clear()
        self.marks.clear()
        self.up = False
        self.backlog.lost(self.sent.take("s"))


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["say", "say", "mark", "confirm", "die", "back"]),
            st.floats(0.1, 2.0).map(lambda seconds: round(seconds, 1)),
        ),
        max_size=80,
    )
)
@example(["say", "mark", "confirm", "die"])
@example(["say", "die", "back", "die"])
def test_whenever_the_server_dies_its_reader_gets_everything_once_and_in_order(steps: list[str | float]) -> None:
    server = Dying()
    said = 0
    for step in steps:
        match step:
            case "say":
                server.backlog.publish("s", b"%d" % said)
                said += 1
            case "mark":
                server.marks.append(server.sent.mark())
            case "confirm" if server.marks:
                server.sent.confirm(server.marks.pop(0), server.now)
            case "die":
                server.die()
            case "back":
                server.up = True
                server.drain()
            case float():
                server.now += step
                # What came RECENT ago is on its way no more, and nothing lies inside for longer.
                server.deliver(server.now - RECENT)
    server.up = True
    server.drain()
    server.deliver(server.now)

    assert server.read == list(range(said))
    assert server.backlog.dropped == 0


def test_what_is_too_old_is_dropped() -> None:
    bus = Bus()
    bus.up = False
    bus.say(1)
    bus.now = 20.0
    bus.say(2)
    bus.now = 31.0
    bus.say(3)
    bus.now = 51.0
    bus.up = True
    bus.drain()

    assert bus.taken == [3]
    assert bus.backlog.dropped == 2


def test_beyond_its_bytes_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARCEL_BYTES", 1)
    monkeypatch.setattr(module, "BYTES_MOST", 3 * len(wire.publish("s", "", b"0")))
    bus = Bus()
    bus.up = False
    for number in range(5):
        bus.say(number)
    bus.up = True
    bus.drain()

    assert bus.taken == [2, 3, 4]
    assert bus.backlog.dropped == 2


def test_what_the_bus_refuses_does_not_stop_the_rest() -> None:
    bus = Bus()
    assert not bus.backlog.publish("s", b"666")
    bus.up = False
    for number in (1, 666, 2):
        bus.say(number)
    bus.up = True
    bus.drain()

    assert bus.taken == [1, 2]
    assert bus.backlog.dropped == 1


def test_what_waits_goes_out_in_parcels_and_in_order_also_when_the_bus_goes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PARCEL_BYTES", 3 * len(wire.publish("s", "", b"0")))
    bus = Bus()
    bus.up = False
    for number in range(8):
        bus.say(number)
    bus.up = True

    assert bus.backlog.drain()
    assert (bus.taken, len(bus.backlog)) == ([0, 1, 2], 5)
    bus.most = 1
    assert not bus.backlog.drain()
    assert (bus.taken, len(bus.backlog)) == ([0, 1, 2, 3], 4)
    bus.up = True
    bus.drain()
    assert bus.taken == list(range(8))


def test_what_waits_is_few_objects_however_many_frames_it_is() -> None:
    bus = Bus()
    bus.up = False
    blocks = sys.getallocatedblocks()
    for _ in range(20_000):
        bus.backlog.publish("fsnats.usdm.btcusdt.aggTrade", b"%0300d" % 0)
    assert len(bus.backlog) == 20_000
    assert sys.getallocatedblocks() - blocks < 1000
