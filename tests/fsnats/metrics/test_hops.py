from fsnats.metrics.histogram import Spread
from fsnats.metrics.hops import BUS, GATEWAY, HOP, Hops


def test_hops_are_counted_by_market() -> None:
    hops = Hops()
    hops.of(BUS, "spot").observe(0.003)
    hops.of(BUS, "spot").observe(0.003)
    hops.of(GATEWAY, "usdm").observe(0.0002)
    counts = {
        (sample.labels["hop"], sample.labels["market"]): sample.value
        for sample in hops.family().samples
        if sample.suffix == "_count"
    }
    assert counts == {("bus", "spot"): 2, ("gateway", "usdm"): 1}
    assert hops.family().name == HOP.name


def test_the_status_has_what_is_recent() -> None:
    hops = Hops()
    hops.of(BUS, "spot").observe(0.003)
    assert hops.recent() == {"spot": {"bus": Spread(3.75, 4.975, 1)}}
    hops.turn()
    hops.turn()
    assert hops.recent() == {"spot": {"bus": Spread(None, None, 0)}}
