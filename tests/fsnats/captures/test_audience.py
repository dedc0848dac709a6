from fsnats.binance.streams import Market
from fsnats.captures.audience import Audience
from fsnats.demand import FORGET_AFTER, Announcement

SPOT, USDM = Market.SPOT, Market.USDM


def test_a_stream_that_several_gateways_have_listeners_of_is_one() -> None:
    audience = Audience()
    audience.hear(Announcement("a", SPOT, "add", ["x@trade", "y@trade"]), 0.0)
    audience.hear(Announcement("b", SPOT, "add", ["y@trade", "z@trade"]), 0.0)
    audience.hear(Announcement("b", USDM, "add", ["y@trade"]), 0.0)
    assert audience.streams(0.0) == 4
    audience.hear(Announcement("b", SPOT, "drop", ["z@trade"]), 0.0)
    assert audience.streams(0.0) == 3


def test_a_whole_set_replaces_that_of_its_market_when_all_of_its_pages_are_there() -> None:
    audience = Audience()
    audience.hear(Announcement("a", SPOT, "add", ["x@trade"]), 0.0)
    audience.hear(Announcement("a", USDM, "whole", ["u@trade"]), 0.0)
    audience.hear(Announcement("a", SPOT, "whole", ["y@trade"], 1, 0, 2), 0.0)
    assert audience.streams(0.0) == 2
    audience.hear(Announcement("a", SPOT, "whole", ["z@trade"], 1, 1, 2), 0.0)
    assert audience.streams(0.0) == 3
    audience.hear(Announcement("a", SPOT, "whole", []), 0.0)
    assert audience.streams(0.0) == 1


def test_a_gateway_that_is_gone_has_no_listeners() -> None:
    audience = Audience()
    audience.hear(Announcement("a", SPOT, "add", ["x@trade"]), 0.0)
    assert audience.streams(FORGET_AFTER) == 1
    assert audience.streams(FORGET_AFTER + 1) == 0
