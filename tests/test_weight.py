"""Whatever is asked of the gateways, the exchange's limits are kept, and what it says in anger is heeded by all.

Everything between a client's HTTP request and the exchange's HTTP port runs here in one process, on one clock that is
moved by hand: the gateway's facade, history workers for clients and for ingest workers, the desk, the simulator.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from fsnats.binance.endpoints import path
from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.history import RowsReply, RowsRequest
from fsnats.subjects import ROWS
from fsnats.symbols import Listing, Symbol
from gateway.admission.door import Door, Rules
from gateway.admission.pace import Paces
from gateway.fanout.hub import Hub
from gateway.fanout.tally import Tally
from gateway.rest.facade import Facade
from tests.clock import HandClock
from tests.simulated import rests_at
from workers.history.relay import Relay
from workers.history.rows import Rows
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

REQUESTS = 1000
OTHERS = {Market.SPOT: 500, Market.USDM: 200}  # weight that somebody else uses by our address in a minute, at most


class House:
    """A gateway, the history workers behind it, and the exchange behind those."""

    def __init__(self, simulator: Simulator, bus: MemoryBus, clock: HandClock) -> None:
        self.simulator, self.bus, self.clock = simulator, bus, clock
        self.config = Config(gateway_requests=1e6, markets=tuple(Market))
        self.door = Door(Rules(), lambda: None)
        self.tally = Tally()
        self.hub = Hub(lambda _: None, lambda _: None, self.tally)
        self.listings = {
            market: Listing(
                market,
                0,
                True,
                [Symbol(one.symbol, one.pair, one.contract, one.status) for one in simulator.exchange.all(market)],
            )
            for market in Market
        }
        facade = Facade(self, bus, clock, lambda _seconds, _call: None, Paces())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(facade), base_url="http://gateway")

    def unready(self) -> str | None:
        return None

    async def rows(self) -> RowsReply:
        """What an ingest worker asks for that missed something."""
        request = RowsRequest(Market.USDM, "aggTrades", {"symbol": "BTCUSDT", "limit": 1000})
        return msgspec.json.decode(await self.bus.request(ROWS, msgspec.json.encode(request), 20), type=RowsReply)

    @property
    def arrived(self) -> int:
        """Requests that the exchange saw."""
        return sum(self.simulator.ledger.callers.values())


@pytest.fixture
async def house(clock: HandClock) -> AsyncIterator[House]:
    bus, settings = MemoryBus(), Settings(spot_symbols=5, usdm_symbols=5)
    async with (
        Simulator(settings, clock) as simulator,
        asyncio.TaskGroup() as tasks,
        rests_at(simulator, bus, clock, Market, patience=0.0) as rests,
    ):
        workers = (Relay(bus, rests, tasks, clock), Rows(bus, rests, tasks, clock))
        for worker in workers:
            worker.answers.start()
        house = House(simulator, bus, clock)
        async with house.http:
            yield house
        for worker in workers:
            worker.answers.stop()


def anything(dice: random.Random, simulator: Simulator) -> str:
    """Some request that a client may make."""
    market = dice.choice(list(Market))
    method = dice.choice(list(METHODS[market]))
    needs, takes = METHODS[market][method]
    one = dice.choice(simulator.exchange.trading(market))
    values = {
        "symbol": one.symbol, "pair": one.pair, "interval": dice.choice(("1m", "1h", "1d")), "period": "1h",
        "contractType": one.contract, "limit": str(dice.choice((1, 5, 20, 100, 500, 1000, 1000, 1000))),
        "symbols": json.dumps([each.symbol for each in simulator.exchange.trading(market)], separators=(",", ":")),
    }  # fmt: skip
    wanted = [*needs, *(name for name in takes if name in ("symbol", "limit") and dice.random() < 0.7)]
    if "symbols" in takes and "symbol" not in wanted and dice.random() < 0.5:
        wanted.append("symbols")
    query = "&".join(f"{name}={values[name]}" for name in wanted)
    return f"/{market}{path(market, method)}?{query}"


@pytest.mark.parametrize("seed", range(2))
async def test_a_thousand_random_requests_never_exceed_a_limit(house: House, seed: int) -> None:
    dice, statuses = random.Random(seed), Counter[int]()
    simulator, others = house.simulator, Counter[tuple[Market, int]]()
    for _ in range(REQUESTS):
        # In crowds and alone, with others at the same address who do not ask us, over some minutes.
        await house.clock.advance(dice.choice((0.0, 0.0, 0.01, 0.1, 0.3)))
        if dice.random() < 0.1:
            market, weight = dice.choice(list(OTHERS)), dice.choice((1, 20, 100))
            minute = simulator.now() // 60_000
            if others[market, minute] + weight <= OTHERS[market]:
                others[market, minute] += weight
                simulator.weights.charge("127.0.0.1", market, weight, simulator.now())
        reply = await house.http.get(anything(dice, simulator))
        statuses[reply.status_code] += 1
        if reply.status_code == 429:
            assert 1 <= int(reply.headers["Retry-After"]) <= 300
        if dice.random() < 0.05:
            await house.rows()
    assert simulator.ledger.violations == []
    assert statuses.keys() <= {200, 400, 429}
    assert statuses[200] > REQUESTS / 4
    assert statuses[429] > 0


@pytest.mark.parametrize("seed", range(2))
async def test_a_crowd_that_asks_at_once_never_exceeds_a_limit(house: House, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(10):
        async with asyncio.TaskGroup() as tasks:
            for _ in range(40):
                tasks.create_task(house.http.get(anything(dice, house.simulator)))
        await house.clock.advance(dice.choice((0.0, 5.0, 30.0)))
    assert house.simulator.ledger.violations == []


@pytest.mark.parametrize(("status", "seconds"), [(429, 7), (418, 120)])
async def test_when_the_exchange_says_stop_all_stop_for_as_long_as_it_says(
    house: House, status: int, seconds: int
) -> None:
    paths = [f"/usdm/fapi/v1/{what}" for what in ("time", "depth?symbol=BTCUSDT", "ticker/24hr")]
    house.simulator.faults.limit_rest(seconds, status)
    first = await house.http.get(paths[0])
    assert (first.status_code, first.headers["Retry-After"]) == (429, str(seconds))
    assert house.arrived == 1

    while house.clock.monotonic() < 1000 + seconds - 1:
        for each in paths:
            reply = await house.http.get(each)
            assert reply.status_code == 429
            assert 1 <= int(reply.headers["Retry-After"]) <= seconds
        missed = await house.rows()
        assert missed.again is not None
        await house.clock.advance(1.5)
    assert house.arrived == 1, "nobody asked meanwhile"

    await house.clock.advance(3)
    assert [(await house.http.get(each)).status_code for each in paths] == [200] * 3
    assert (await house.rows()).rows


async def test_what_is_counted_one_by_one_is_not_asked_too_often_either(house: House) -> None:
    replies = [await house.http.get("/fapi/v1/fundingRate?symbol=BTCUSDT&limit=1") for _ in range(550)]
    statuses = Counter(reply.status_code for reply in replies)
    assert statuses == {200: 375, 429: 175}
    assert int(replies[-1].headers["Retry-After"]) == 300
    assert house.simulator.ledger.violations == []
