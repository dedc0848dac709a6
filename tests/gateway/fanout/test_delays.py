from fsnats.binance.streams import Market
from fsnats.frames import VERSION, Frame
from fsnats.metrics.histogram import Spread
from gateway.fanout.delays import Delays

MS = 1_000_000


def frame(published_ms: int) -> Frame:
    return Frame(VERSION, "btcusdt@trade", 1, 1, 1, 0, b"{}", published_ms * MS)


def test_both_hops_are_measured() -> None:
    now = 1500
    delays = Delays(lambda: 1100 * MS, lambda: now * MS)
    delays.note(frame(1000), Market.SPOT)
    delays.written()
    assert delays.hops.recent() == {"spot": {"bus": Spread(75.0, 99.5, 1), "gateway": Spread(375.0, 497.5, 1)}}


def test_a_write_of_frames_that_nobody_looked_at_is_not_measured() -> None:
    delays = Delays(lambda: 1, lambda: 2)
    delays.written()
    delays.note(frame(0), Market.SPOT)  # of a worker that does not tell when
    delays.written()
    assert delays.hops.recent() == {}
