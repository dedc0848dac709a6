from fsnats.binance.streams import Market
from fsnats.metrics.histogram import Spread
from fsnats.offset import Offset
from workers.ingest.delays import Delays

MS = 1_000_000


def test_the_way_from_the_exchange_is_measured_by_its_own_clock() -> None:
    # Ours is 200 ms behind: what came after 30 ms seems to come before it happened.
    delays = Delays(Market.SPOT, {Market.SPOT: Offset(Market.SPOT, 200.0, 10.0, 0)})
    delays.note(10_000, (10_030 - 200) * MS, (10_032 - 200) * MS)
    recent = delays.hops.recent()["spot"]
    assert recent == {"exchange": Spread(37.5, 49.75, 1), "worker": Spread(1.75, 2.485, 1)}


def test_while_nobody_knows_the_exchanges_clock_its_hop_is_not_measured() -> None:
    delays = Delays(Market.SPOT, {Market.USDM: Offset(Market.USDM, 0.0, 1.0, 0)})
    delays.note(10_000, 10_030 * MS, 10_032 * MS)
    assert delays.hops.recent()["spot"] == {"exchange": Spread(None, None, 0), "worker": Spread(1.75, 2.485, 1)}


def test_a_message_without_event_time_tells_only_of_the_worker() -> None:
    delays = Delays(Market.SPOT, {Market.SPOT: Offset(Market.SPOT, 0.0, 1.0, 0)})
    delays.note(None, 10_030 * MS, 10_032 * MS)
    assert delays.hops.recent()["spot"] == {"exchange": Spread(None, None, 0), "worker": Spread(1.75, 2.485, 1)}
