"""A feed against the simulated exchange: what its strands carry together, and that they keep to every limit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from itertools import count

import pytest

from fsnats.binance.streams import Market, Stream, parse
from fsnats.clock import SystemClock
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import DIRECT, Exit
from fsnats.fleet.events import Journal, Kind
from fsnats.frames import Frame, decode
from tests.conftest import eventually
from workers.ingest.feed import Feed
from workers.ingest.line import Line, NoRepairs
from workers.ingest.record import Record
from workers.ingest.rotation import Rotation
from workers.ingest.router import Router
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

RARELY = Rotation(3600.0)


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

    async def admitted(self, avoid: Collection[str] = ()) -> Exit:
        self.admissions += 1
        return DIRECT

    async def other(self, avoid: Collection[str]) -> Exit | None:
        return None

    def failed(self, by: Exit, error: ExchangeUnavailable) -> None:
        self.failures.append(error)

    def worked(self, by: Exit) -> None:
        pass


class TwoExits(FreeWay):
    """Both lead straight to the simulator; `b` may be out of use."""

    def __init__(self) -> None:
        super().__init__()
        self.works = {"a": True, "b": True}

    async def admitted(self, avoid: Collection[str] = ()) -> Exit:
        self.admissions += 1
        return await self.other(avoid) or await self.other(()) or DIRECT

    async def other(self, avoid: Collection[str]) -> Exit | None:
        return next((Exit(name) for name, works in self.works.items() if works and name not in avoid), None)


class Rig(NoRepairs):
    """One feed on a simulator, with so many strands."""

    def __init__(
        self,
        url: str,
        market: Market = Market.SPOT,
        rotation: Rotation = RARELY,
        strands: int = 1,
        way: FreeWay | None = None,
        jitter: float = 1.0,
    ) -> None:
        self.carried = Carried()
        self.way = way or FreeWay()
        self.clock = HastyClock()
        self.resumptions: list[str] = []  # streams of which something may be missing after a loss
        self.router = Router(market, self.carried, 1, self)
        self.market = market
        ticks = count(1)  # of the journal's clock: no two things happen within a second of each other
        self.journal = Journal(lambda: next(ticks) * 1_000_000_000)
        ways = [self.way] * strands
        self.feed = Feed(
            "f", market, url, ways, self.router, self.clock, lambda: jitter, rotation, journal=self.journal
        )

    def resumed(self, line: Line, payload: bytes) -> None:
        if line.newest:
            self.resumptions.append(line.stream.name)

    @property
    def record(self) -> Record:
        """The connection of its first strand."""
        return self.feed.records[0]

    def want(self, *names: str) -> None:
        streams: dict[str, Stream] = {name: parse(self.market, name) for name in names}
        self.router.carry(streams)
        self.feed.want(set(streams))

    def assert_whole(self, simulator: Simulator) -> None:
        """What was carried of each stream is what the exchange produced, without a hole or a repetition."""
        for name in self.carried.names():
            # The same bytes twice within one instant are one message: nothing could tell them from a repetition.
            produced = list(dict.fromkeys(simulator.ledger.payloads(self.market, name)))
            carried = [frame.payload for frame in self.carried if frame.stream == name]
            if name.endswith("rade"):
                assert len(carried) == len(set(carried)), name
            carried = list(dict.fromkeys(carried))
            first = produced.index(carried[0])
            assert carried == produced[first : first + len(carried)], name
        assert self.router.holes == 0

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
    rotation: Rotation = RARELY,
    strands: int = 1,
    way: FreeWay | None = None,
    jitter: float = 1.0,
) -> Rig:
    return Rig(f"{simulator.ws_url(market)}{route}/stream", market, rotation, strands, way, jitter)


async def test_it_carries_what_is_wanted_byte_for_byte(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade", "ethusdt@kline_1m")
        await eventually(lambda: len(one.carried) > 50)

    for name in ("btcusdt@trade", "ethusdt@kline_1m"):
        produced = simulator.ledger.payloads(Market.SPOT, name)
        carried = [frame.payload for frame in one.carried if frame.stream == name]
        assert carried
        assert carried == produced[: len(carried)]
    assert one.record.live == 2
    assert simulator.ledger.violations == []


async def test_it_follows_what_is_wanted(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: simulator.ledger.subscribed(Market.SPOT) == ["btcusdt@trade"])
        one.want("ethusdt@trade")
        await eventually(lambda: simulator.ledger.subscribed(Market.SPOT) == ["ethusdt@trade"])

    assert simulator.ledger.violations == []


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
            await eventually(lambda: one.record.live == 800, within=60)

        assert simulator.ledger.violations == []


NAMES = ("btcusdt@aggTrade", "btcusdt@trade", "ethusdt@kline_1m", "bnbusdt@bookTicker")


async def both_carry(one: Rig) -> None:
    """Return when every connection has brought all streams, and more than once."""
    await eventually(lambda: all(record.live == len(NAMES) for record in one.feed.records))
    before = len(one.carried)
    await eventually(lambda: len(one.carried) > before + 100)


async def test_two_strands_carry_everything_and_each_message_is_published_once(simulator: Simulator) -> None:
    async with rig(simulator, strands=2).running() as one:
        one.want(*NAMES)
        await both_carry(one)

        assert [record.id for record in one.feed.records] == ["fa", "fb"]
        assert one.router.duplicates > 50
        assert len(simulator.connected()) == 2
    one.assert_whole(simulator)
    assert not any(line.resuming for line in one.router.lines(NAMES))
    assert simulator.ledger.violations == []


@pytest.mark.parametrize("place", [0, -1], ids=["the older one", "the newer one"])
async def test_either_connection_may_be_cut_again_and_again_without_a_trace(simulator: Simulator, place: int) -> None:
    async with rig(simulator, strands=2).running() as one:
        one.want(*NAMES)
        for dials in range(3, 6):
            await both_carry(one)
            simulator.faults.cut(sorted(simulator.connected())[place])
            await eventually(lambda dials=dials: sum(record.dials for record in one.feed.records) == dials)  # type: ignore[misc]
        await both_carry(one)

    one.assert_whole(simulator)
    assert one.resumptions == []
    assert {record.close_code for record in one.feed.records} >= {1006}
    assert simulator.ledger.violations == []


async def test_only_when_all_strands_are_gone_streams_are_resumed(simulator: Simulator) -> None:
    async with rig(simulator, strands=2).running() as one:
        one.want(*NAMES)
        await both_carry(one)
        simulator.faults.cut()
        await eventually(lambda: set(one.resumptions) == set(NAMES))

        assert sorted(one.resumptions) == sorted(NAMES)


async def test_a_strand_that_lags_is_late_by_so_much_and_delays_nothing(simulator: Simulator) -> None:
    async with rig(simulator, strands=2).running() as one:
        one.want(*NAMES)
        await both_carry(one)
        simulator.faults.lag(300, sorted(simulator.connected())[0])
        await eventually(lambda: any(record.late_max_ms >= 300 for record in one.feed.records))
        before = [record.first for record in one.feed.records]
        await eventually(lambda: sum(record.first for record in one.feed.records) > sum(before) + 100)

        late, prompt = sorted(one.feed.records, key=lambda record: -record.late_max_ms)
        assert late.late_mean_ms > prompt.late_mean_ms
        assert prompt.first > late.first
        assert late.first in before  # all this time the other one was first
    one.assert_whole(simulator)


async def test_strands_replace_their_connections_one_after_the_other(simulator: Simulator) -> None:
    one = rig(simulator, rotation=Rotation(0.5), strands=2)
    most = 0
    async with one.running():
        one.want(*NAMES)
        async with asyncio.timeout(30):
            while not all(record.rotations >= 2 for record in one.feed.records):
                most = max(most, sum(len(strand.carriers) for strand in one.feed.strands))
                await asyncio.sleep(0.002)

    assert most == 3
    one.assert_whole(simulator)
    assert one.resumptions == []


async def test_streams_come_and_go_on_both_strands(simulator: Simulator) -> None:
    async with rig(simulator, strands=2).running() as one:
        one.want(*NAMES[:2])
        await eventually(lambda: len(one.carried) > 50)
        one.want(*NAMES)
        await both_carry(one)
        one.want(*NAMES[2:])
        await eventually(lambda: simulator.ledger.subscribed(Market.SPOT) == sorted(NAMES[2:] * 2))

    one.assert_whole(simulator)


async def test_strands_go_by_different_exits_and_find_back_to_them(simulator: Simulator) -> None:
    way = TwoExits()
    async with rig(simulator, strands=2, way=way).running() as one:
        one.want(*NAMES)
        await both_carry(one)
        assert [record.exit for record in one.feed.records] == ["a", "b"]

        way.works["b"] = False
        simulator.faults.cut(sorted(simulator.connected())[1])
        await eventually(lambda: [record.exit for record in one.feed.records] == ["a", "a"])
        await both_carry(one)

        way.works["b"] = True
        await eventually(lambda: [record.exit for record in one.feed.records] == ["a", "b"])
        await eventually(lambda: one.feed.records[1].rotations == 1)
        assert one.feed.records[0].rotations == 0
    one.assert_whole(simulator)
    assert [(each.kind, each.exit) for each in one.journal.since(0, 0) if each.connection == "fb"] == [
        *((Kind.CONNECTED, "b"), (Kind.LOST, "b")),
        *((Kind.EXIT, "a"), (Kind.CONNECTED, "a")),
        *((Kind.EXIT, "b"), (Kind.ROTATED, "b")),
    ]
    assert one.resumptions == []
