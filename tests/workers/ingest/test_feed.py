"""A feed against the simulated exchange: what it carries, how it comes back, and that it keeps to every limit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from fsnats.binance.streams import Market, Stream, parse
from fsnats.clock import SystemClock
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import DIRECT, Exit
from fsnats.frames import Frame, decode
from tests.conftest import eventually, free_port
from workers.ingest import feed
from workers.ingest.feed import Feed, State
from workers.ingest.router import Router
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


class Carried(list[Frame]):
    def __call__(self, _subject: str, data: bytes) -> bool:
        self.append(decode(data))
        return True

    def names(self) -> set[str]:
        return {frame.stream for frame in self}


class HastyClock(SystemClock):
    """Real time, with pauses between dials cut short."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(min(seconds, 0.05) if seconds <= 60 else seconds)


class FreeWay:
    """One exit, always open."""

    tls = None

    def __init__(self) -> None:
        self.admissions = 0
        self.failures: list[ExchangeUnavailable] = []

    async def admitted(self) -> Exit:
        self.admissions += 1
        return DIRECT

    def failed(self, by: Exit, error: ExchangeUnavailable) -> None:
        self.failures.append(error)

    def worked(self, by: Exit) -> None:
        pass


class Rig:
    """One feed on a simulator."""

    def __init__(
        self, url: str, market: Market = Market.SPOT, rotate_after: float = 3600.0, jitter: float = 1.0
    ) -> None:
        self.carried = Carried()
        self.way = FreeWay()
        self.clock = HastyClock()
        self.router = Router(market, self.carried, 1)
        self.market = market
        self.feed = Feed("f", market, url, self.way, self.router, self.clock, lambda: jitter, rotate_after)

    def want(self, *names: str) -> None:
        streams: dict[str, Stream] = {name: parse(self.market, name) for name in names}
        self.router.carry(streams)
        self.feed.want(set(streams))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.feed.run())
            yield self
            task.cancel()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(Settings(rate=500, record=True)) as simulator:
        yield simulator


def rig(
    simulator: Simulator,
    market: Market = Market.SPOT,
    route: str = "",
    rotate_after: float = 3600.0,
    jitter: float = 1.0,
) -> Rig:
    return Rig(f"{simulator.ws_url(market)}{route}/stream", market, rotate_after, jitter)


async def test_it_carries_what_is_wanted_byte_for_byte(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade", "ethusdt@kline_1m")
        await eventually(lambda: len(one.carried) > 50)

    for name in ("btcusdt@trade", "ethusdt@kline_1m"):
        produced = simulator.ledger.payloads(Market.SPOT, name)
        carried = [frame.payload for frame in one.carried if frame.stream == name]
        assert carried
        assert carried == produced[: len(carried)]
    assert one.feed.record.live == 2
    assert simulator.ledger.violations == []


async def test_it_follows_what_is_wanted(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: simulator.ledger.subscribed(Market.SPOT) == ["btcusdt@trade"])
        one.want("ethusdt@trade")
        await eventually(lambda: simulator.ledger.subscribed(Market.SPOT) == ["ethusdt@trade"])

    assert simulator.ledger.violations == []


async def test_after_a_cut_it_comes_back_and_asks_for_everything_again(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade", "ethusdt@trade")
        await eventually(lambda: one.carried.names() == {"btcusdt@trade", "ethusdt@trade"})
        simulator.faults.cut()
        await eventually(lambda: one.feed.record.status is not State.CONNECTED)
        one.carried.clear()
        await eventually(lambda: one.carried.names() == {"btcusdt@trade", "ethusdt@trade"})

        assert one.feed.record.dials == one.way.admissions == 2
    assert simulator.ledger.violations == []


async def test_sequences_go_on_over_a_reconnect(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: len(one.carried) > 5)
        simulator.faults.cut()
        await eventually(lambda: one.feed.record.dials == 2 and one.feed.record.live == 1)

    assert [frame.seq for frame in one.carried] == list(range(1, len(one.carried) + 1))


async def test_delays_grow_while_nobody_answers() -> None:
    one = Rig(f"ws://127.0.0.1:{free_port()}/stream")
    async with one.running():
        one.want("btcusdt@trade")
        await eventually(lambda: len(one.clock.pauses) >= 8)

    assert one.clock.pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert one.feed.record.last_error is not None
    assert one.feed.record.last_error.startswith("tcp:")


async def test_a_connection_that_is_closed_at_once_counts_as_a_failure() -> None:
    # A server that accepts and closes must not be dialled hundreds of times a second.
    async with Simulator(Settings(life=0.01)) as simulator:
        one = rig(simulator)
        async with one.running():
            one.want("btcusdt@trade")
            await eventually(lambda: one.feed.record.dials >= 5)

    # (The pauses of one second are those of the watch over a connection.)
    between = [pause for pause in one.clock.pauses if pause in (2, 4, 8)]
    assert between[:3] == [2, 4, 8]


async def test_a_thousand_streams_are_asked_for_within_the_exchanges_limits() -> None:
    async with Simulator(Settings(usdm_symbols=800, rate=2000)) as simulator:
        one = rig(simulator, Market.USDM, "/market")
        one.clock.sleep = SystemClock().sleep  # type: ignore[method-assign]  # the pacing must be real here
        names = [
            f"{symbol.lower()}@kline_1m"
            for symbol in sorted(row.symbol for row in simulator.exchange.trading(Market.USDM))
        ][:800]
        async with one.running():
            one.want(*names)
            await eventually(lambda: one.feed.record.live == 800, within=60)

        assert simulator.ledger.violations == []


async def test_a_silent_connection_is_given_up(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.ingest.carrier.SILENCE", 0.3)
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: one.carried)
        simulator.faults.ghost()
        await eventually(lambda: one.feed.record.dials == 2)


async def test_a_connection_that_grows_old_is_replaced_without_losing_or_repeating_anything(
    simulator: Simulator,
) -> None:
    one = rig(simulator, Market.SPOT, rotate_after=1.0)
    names = ("btcusdt@aggTrade", "btcusdt@trade", "ethusdt@kline_1m", "bnbusdt@bookTicker")
    async with one.running():
        one.want(*names)
        await eventually(lambda: one.feed.record.rotations >= 2)

    for name in names:
        # The same bytes twice within one instant are one message: nothing could tell them from a repetition.
        produced = list(dict.fromkeys(simulator.ledger.payloads(Market.SPOT, name)))
        carried = list(dict.fromkeys(frame.payload for frame in one.carried if frame.stream == name))
        first = produced.index(carried[0])
        assert carried == produced[first : first + len(carried)]
    for name in names[:2]:
        trades = [frame.payload for frame in one.carried if frame.stream == name]
        assert len(trades) == len(set(trades))
    assert one.router.holes == 0
    assert simulator.ledger.violations == []


@pytest.mark.parametrize(("jitter", "part"), [(0.0, 1.0), (0.5, 0.95), (1.0, 0.9)])
async def test_connections_do_not_age_together(simulator: Simulator, jitter: float, part: float) -> None:
    one = rig(simulator, rotate_after=23 * 3600.0, jitter=jitter)
    async with one.running():
        one.want("btcusdt@trade")
        await eventually(lambda: max(one.clock.pauses, default=0) > 3600)

    assert max(one.clock.pauses) == 23 * 3600 * part


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_on_spot_where_pings_count_as_messages_none_is_sent(
    simulator: Simulator, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(feed.PING_INTERVAL, Market.USDM, 0.05)
    one = rig(simulator, market, "/market" if market is Market.USDM else "")
    async with one.running():
        one.want("btcusdt@aggTrade")
        await eventually(lambda: len(one.carried) > 100)
        (connection,) = simulator.ledger.connections.values()
        if market is Market.SPOT:
            assert connection.received == connection.requests == 1
        else:
            await eventually(lambda: connection.received > connection.requests)


async def test_while_the_exchange_refuses_the_successor_the_old_connection_goes_on(simulator: Simulator) -> None:
    one = rig(simulator, Market.SPOT, rotate_after=0.5)
    async with one.running():
        one.want("btcusdt@aggTrade")
        await eventually(lambda: one.carried)
        simulator.faults.refuse(2.0)
        await eventually(lambda: one.feed.record.dials >= 3)
        before = len(one.carried)
        await eventually(lambda: len(one.carried) > before and one.feed.record.rotations >= 1)

    ids = [frame.seq for frame in one.carried]
    assert ids == list(range(1, len(ids) + 1))
    assert one.router.holes == 0
