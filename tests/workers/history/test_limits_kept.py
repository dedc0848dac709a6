"""Two whole history workers, all that they do at once, and the exchange's limits: none is ever broken, and who is told
to stay away stays away, whoever of them was told."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import httpx
import msgspec
import pytest

from fsnats import history
from fsnats.backfill.asking import Asking
from fsnats.backfill.filler import Filler, Want
from fsnats.binance.limits import WEIGHT_PER_MINUTE
from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.candles.calendar import HOUR
from fsnats.errors import StoreUnavailable
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.store import Series, Span, Store
from fsnats.subjects import KLINES, REST, ROWS
from fsnats.supervisor.dials import Dials
from tests.clock import HandClock
from tests.fsnats.backfill.exchange import Kept
from tests.simulated import config_for
from workers.history.candles import Candles
from workers.history.clocks import Clocks
from workers.history.relay import Relay
from workers.history.rows import Rows
from workers.history.service import Service
from workers.history.shelf import Shelf
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

SYMBOLS = {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD_PERP"}
PAIRS = {Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD"}
VALUES = {"interval": "1h", "period": "1h", "contractType": "PERPETUAL"}
AT_ONCE = 20


class House:
    """A simulated exchange and two history workers, in one time that the test moves."""

    def __init__(self, simulator: Simulator, bus: MemoryBus, clock: HandClock) -> None:
        self.simulator = simulator
        self.bus = bus
        self.clock = clock
        self.used: Counter[str] = Counter()  # the most that the exchange ever counted in a minute

    @property
    def requests(self) -> int:
        return sum(self.simulator.ledger.callers.values())

    async def rest(self, market: Market, method: str, query: dict[str, str], background: bool = False) -> str:
        request = msgspec.json.encode(history.RestRequest(market, method, query, background))
        reply = msgspec.msgpack.decode(await self.bus.request(REST, request, 60), type=history.RestReply)
        scope = "spot" if market is Market.SPOT else "futures"
        self.used[scope] = max(self.used[scope], reply.used or 0)
        assert reply.status in (200, 400, 429), reply  # some make no sense: they cost the exchange's weight, too
        assert reply.status != 429 or (reply.retry_after or 0) > 0
        return str(reply.status)

    async def rows(self, market: Market) -> str:
        request = history.RowsRequest(market, "aggTrades", {"symbol": SYMBOLS[market], "limit": 1000})
        reply = msgspec.json.decode(
            await self.bus.request(ROWS, msgspec.json.encode(request), 60), type=history.RowsReply
        )
        assert reply.rows or (reply.again or 0) > 0, reply
        return "rows" if reply.rows else "again"

    async def klines(self, market: Market, limit: int) -> str:
        request = history.KlinesRequest(market, SYMBOLS[market], "1h", limit)
        reply = msgspec.json.decode(
            await self.bus.request(KLINES, msgspec.json.encode(request), 60), type=history.HistoryReply
        )
        return reply.code or "candles"

    async def something(self, dice: random.Random, *markets: Market) -> str:
        """One random request of one of those who ask history workers."""
        market = dice.choice(markets or list(Market))
        kind = dice.random()
        if kind < 0.1:
            return await self.rows(market)
        if kind < 0.2:
            return await self.klines(market, dice.choice((2, 100, 500, 1000)))
        method = dice.choice([name for name in METHODS[market] if name != "historicalTrades"])
        needs, takes = METHODS[market][method]
        values = {**VALUES, "symbol": SYMBOLS[market], "pair": PAIRS.get(market, "")}
        query = {name: values[name] for name in needs}
        if "limit" in takes:
            query["limit"] = dice.choice(("5", "50", "100", "500", "1000"))
        if "symbol" in takes and dice.random() < 0.3:
            query["symbol"] = SYMBOLS[market]
        return await self.rest(market, method, query, dice.random() < 0.3)

    async def all_of(self, things: Sequence[Callable[[], Awaitable[str]]], hurry: float) -> Counter[str]:
        """Do all of them, some at once, while time passes: up to `hurry` seconds each time that something can go on."""
        left, said = iter(things), Counter[str]()
        dice = random.Random(7)

        async def some() -> None:
            for thing in left:
                said[await thing()] += 1

        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(some()) for _ in range(AT_ONCE)]
            while not all(task.done() for task in working):
                await self.clock.advance(dice.random() * hurry)
                await asyncio.sleep(0.001)  # not for a state: sockets need real time, and the clock is ours
        return said


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock, bus = HandClock(1_795_000_000.0), MemoryBus()
    settings = Settings(tick=30.0, spot_symbols=8, usdm_symbols=8, history_days=40)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator(settings, clock))
        config = config_for(simulator, markets=tuple(Market))
        Dials(bus, clock).serve()
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        for name in ("history-0", "history-1"):
            exits = Exits(config, bus, name, clock)
            patient, hasty = [
                {market: await stack.enter_async_context(PooledRest(market, config, exits, limit)) for market in Market}
                for limit in (5.0, 0.0)
            ]
            clocks = Clocks(bus, hasty, clock)
            parts = (
                Rows(bus, patient, tasks, clock),
                Relay(bus, hasty, tasks, clock),
                Service(bus, Candles(Shelf(_no_store, clock), clocks), patient, tasks, clock),
            )
            for part in parts:
                part.answers.start()
                stack.callback(part.answers.stop)
        yield House(simulator, bus, clock)


async def _no_store() -> Store:
    raise StoreUnavailable("there is none here")


async def test_a_thousand_random_requests_of_all_kinds_never_exceed_the_limits(house: House) -> None:
    dice = random.Random(1)
    said = await house.all_of([lambda: house.something(dice)] * 1000, hurry=0.3)
    ledger = house.simulator.ledger
    assert ledger.violations == []
    assert house.used["spot"] <= WEIGHT_PER_MINUTE[Market.SPOT]
    assert house.used["futures"] <= WEIGHT_PER_MINUTE[Market.USDM]
    assert house.used["futures"] > WEIGHT_PER_MINUTE[Market.USDM] // 3  # much was asked for all the same
    assert said["200"] > 100
    assert said["429"] > 50
    assert said["rows"] > 5


@pytest.mark.parametrize("status", [429, 418])
async def test_who_is_told_to_stay_away_makes_all_others_stay_away_for_so_long(house: House, status: int) -> None:
    assert await house.all_of([lambda: house.klines(Market.SPOT, 2)] * 3, hurry=0.1) == {"candles": 3}
    house.simulator.faults.limit_rest(90, status)
    before = house.requests
    await house.all_of([lambda: house.rest(Market.SPOT, "time", {})], hurry=0.1)
    assert house.requests == before + 1

    began = house.clock.monotonic()
    dice = random.Random(1)
    said: Counter[str] = Counter()
    while house.clock.monotonic() < began + 80:
        said += await house.all_of([lambda: house.something(dice, Market.SPOT)] * AT_ONCE, hurry=1.0)
    assert house.requests == before + 1
    assert said.keys() <= {"400", "429", "again", "HISTORY_UNAVAILABLE"}
    assert said.total() > 50

    await house.clock.advance(began + 91 - house.clock.monotonic())
    assert await house.all_of([lambda: house.klines(Market.SPOT, 2)] * 3, hurry=0.1) == {"candles": 3}
    assert await house.all_of([lambda: house.rest(Market.USDM, "time", {})], hurry=0.1) == {"200": 1}
    assert house.simulator.ledger.violations == []


async def test_what_a_stranger_behind_the_same_address_uses_up_is_not_asked_for_again(house: House) -> None:
    await house.clock.advance(61 - house.clock.time_ns() / 1e9 % 60)  # a minute has begun a second ago
    url = f"{house.simulator.rest_url(Market.USDM)}/fapi/v1/aggTrades?symbol=BTCUSDT&limit=1"
    async with httpx.AsyncClient(trust_env=False) as stranger:
        while (await stranger.get(url)).status_code == 200:
            pass
    before = house.requests
    weights = {"200": 0}
    dice = random.Random(2)
    for _ in range(3):
        futures = [lambda: house.rest(dice.choice((Market.USDM, Market.COINM)), "ping", {})] * 20
        weights["200"] += (await house.all_of(futures, hurry=0.05))["200"]
    assert weights["200"] == 0
    # The first ones leave together; nobody goes after them, and nobody is banned.
    assert house.requests - before <= AT_ONCE
    assert await house.all_of([lambda: house.rest(Market.SPOT, "ping", {})], hurry=0.05) == {"200": 1}
    await house.clock.advance(61)
    assert await house.all_of([lambda: house.rest(Market.USDM, "ping", {})] * 5, hurry=0.05) == {"200": 5}


async def test_back_filling_takes_its_part_waits_and_ends_while_others_are_served(house: House) -> None:
    store, series = Kept(), Series(Market.USDM, "aggTrade", "BTCUSDT")
    filler = Filler(store, Asking(house.bus, house.clock), house.simulator.now())
    span = await _moving(house, filler.trades_between(series, house.simulator.now() - 10 * HOUR, house.simulator.now()))
    assert span is not None
    began = house.clock.monotonic()
    async with asyncio.TaskGroup() as tasks:
        filling = tasks.create_task(filler.fill(Want(series, span)))
        others: Counter[str] = Counter()
        while not filling.done():
            others += await house.all_of([lambda: house.rest(Market.USDM, "depth", {"symbol": "BTCUSDT"})], hurry=2.0)
            await house.clock.advance(1.0)
    # 144 pages of weight 20 are 2,880: more than what can wait may use in one minute.
    assert filling.result().rows == len(store.ids[series]) == span.last - span.first + 1 == 10 * 60 * 240
    assert 20 <= house.clock.monotonic() - began <= 200
    assert others.keys() == {"200"}
    assert others.total() > 5
    assert house.simulator.ledger.violations == []


async def _moving(house: House, work: Awaitable[Span | None]) -> Span | None:
    async def done() -> str:
        found.append(await work)
        return ""

    found: list[Span | None] = []
    await house.all_of([done], hurry=0.1)
    return found[0]
