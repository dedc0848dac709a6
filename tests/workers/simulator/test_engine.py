import json

import pytest

from fsnats.binance.streams import Market, parse
from tests.workers.simulator.test_hub import Ear
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.engine import Engine
from workers.simulator.hub import Hub
from workers.simulator.instruments import instrument
from workers.simulator.ledger import Ledger
from workers.simulator.world import World


class Venue:
    """An engine whose time is moved by hand."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.ledger = Ledger()
        self.hub = Hub(self.ledger, record=True, stamp=False)
        self.engine = Engine(self.world, self.hub)
        self.hub.watcher = self.engine
        self.now = NOW
        self.engine.turn(self.now)

    def listen(self, market: Market, name: str) -> Ear:
        ear = Ear()
        self.hub.join(ear, market, parse(market, name))
        return ear

    def run(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 50):
            self.now += 50
            self.engine.turn(self.now)

    def count(self, market: Market, name: str) -> int:
        return self.ledger.of(market, name).produced


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_streams_speak_while_somebody_listens(venue: Venue) -> None:
    ear = venue.listen(Market.USDM, "btcusdt@markPrice@1s")
    venue.run(5000)
    venue.hub.leave(ear, Market.USDM, "btcusdt@markPrice@1s")
    venue.run(5000)
    assert venue.count(Market.USDM, "btcusdt@markPrice@1s") == 5


def test_a_stream_that_is_left_and_joined_again_speaks_once(venue: Venue) -> None:
    name = "btcusdt@markPrice@1s"
    ear = venue.listen(Market.USDM, name)
    venue.hub.leave(ear, Market.USDM, name)
    venue.listen(Market.USDM, name)
    venue.run(5000)
    assert venue.count(Market.USDM, name) == 5


def test_a_listing_is_announced_on_both_futures_hosts(venue: Venue) -> None:
    for market in (Market.USDM, Market.COINM):
        venue.listen(market, "!contractInfo")
    made = instrument(Market.USDM, "NEWUSDT", seed=1, listed=NOW)
    venue.world.exchange.put(made)
    venue.engine.changed(made, venue.now)
    for market in (Market.USDM, Market.COINM):
        (event,) = map(json.loads, venue.ledger.payloads(market, "!contractInfo"))
        assert (event["s"], event["cs"], event["ot"]) == ("NEWUSDT", "TRADING", NOW)


def test_who_subscribed_before_the_listing_hears_it_trade(venue: Venue) -> None:
    venue.listen(Market.SPOT, "newusdt@trade")
    venue.run(1000)
    made = instrument(Market.SPOT, "NEWUSDT", seed=1, listed=NOW // 60_000 * 60_000)
    venue.world.exchange.put(made)
    venue.engine.changed(made, venue.now)
    venue.run(10_000)
    assert venue.count(Market.SPOT, "newusdt@trade") > 0


def test_a_delisted_symbol_falls_silent_and_the_others_go_on(venue: Venue) -> None:
    venue.listen(Market.USDM, "btcusdt@markPrice@1s")
    venue.listen(Market.USDM, "ethusdt@markPrice@1s")
    venue.run(3000)
    resting = venue.world.exchange.rest(Market.USDM, "BTCUSDT", venue.now)
    assert resting is not None
    venue.engine.changed(resting, venue.now)
    venue.run(3000)
    assert venue.count(Market.USDM, "btcusdt@markPrice@1s") == 3
    assert venue.count(Market.USDM, "ethusdt@markPrice@1s") == 6
