"""One strand against the simulated exchange: how it comes back, and how it replaces what grows old."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection

import pytest

from fsnats.binance.streams import Market
from fsnats.exits.address import Exit
from tests.conftest import eventually, free_port
from tests.workers.ingest.test_feed import FreeWay, Rig, rig
from workers.ingest import strand
from workers.ingest.record import State
from workers.ingest.rotation import Rotation
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(Settings(rate=500, record=True)) as simulator:
        yield simulator


async def test_after_a_cut_it_comes_back_and_asks_for_everything_again(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade", "ethusdt@trade")
        await eventually(lambda: one.carried.names() == {"btcusdt@trade", "ethusdt@trade"})
        simulator.faults.cut()
        await eventually(lambda: one.record.status is not State.CONNECTED)
        one.carried.clear()
        await eventually(lambda: one.carried.names() == {"btcusdt@trade", "ethusdt@trade"})

        assert one.record.dials == one.way.admissions == 2
    assert simulator.ledger.violations == []


async def test_sequences_go_on_over_a_reconnect(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: len(one.carried) > 5)
        simulator.faults.cut()
        await eventually(lambda: one.record.dials == 2 and one.record.live == 1)

    assert [frame.seq for frame in one.carried] == list(range(1, len(one.carried) + 1))


async def test_delays_grow_while_nobody_answers() -> None:
    one = Rig(f"ws://127.0.0.1:{free_port()}/stream")
    async with one.running():
        one.want("btcusdt@trade")
        await eventually(lambda: len(one.clock.pauses) >= 8)

    assert one.clock.pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert one.record.last_error is not None
    assert one.record.last_error.startswith("tcp:")


async def test_a_connection_that_is_closed_at_once_counts_as_a_failure() -> None:
    # A server that accepts and closes must not be dialled hundreds of times a second.
    async with Simulator(Settings(life=0.01)) as simulator:
        one = rig(simulator)
        async with one.running():
            one.want("btcusdt@trade")
            await eventually(lambda: one.record.dials >= 5)

    # (The pauses of one second are those of the watch over a connection.)
    between = [pause for pause in one.clock.pauses if pause in (2, 4, 8)]
    assert between[:3] == [2, 4, 8]


async def test_a_silent_connection_is_given_up(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.ingest.carrier.SILENCE", 0.3)
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: one.carried)
        simulator.faults.ghost()
        await eventually(lambda: one.record.dials == 2)


async def test_a_connection_that_grows_old_is_replaced_without_losing_or_repeating_anything(
    simulator: Simulator,
) -> None:
    one = rig(simulator, Market.SPOT, rotation=Rotation(1.0))
    names = ("btcusdt@aggTrade", "btcusdt@trade", "ethusdt@kline_1m", "bnbusdt@bookTicker")
    async with one.running():
        one.want(*names)
        await eventually(lambda: one.record.rotations >= 2)

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


async def test_while_the_exchange_refuses_the_successor_the_old_connection_goes_on(simulator: Simulator) -> None:
    one = rig(simulator, Market.SPOT, rotation=Rotation(0.5))
    async with one.running():
        one.want("btcusdt@aggTrade")
        await eventually(lambda: one.carried)
        simulator.faults.refuse(2.0)
        await eventually(lambda: one.record.dials >= 3)
        before = len(one.carried)
        await eventually(lambda: len(one.carried) > before and one.record.rotations >= 1)

    ids = [frame.seq for frame in one.carried]
    assert ids == list(range(1, len(ids) + 1))
    assert one.router.holes == 0


async def test_a_connection_is_replaced_at_the_chosen_time_of_day(simulator: Simulator) -> None:
    soon = (time.time() + 30) % 86_400  # this clock takes half a minute for a twentieth of a second
    one = rig(simulator, rotation=Rotation(80_000.0, (soon,)), jitter=0.0)
    async with one.running():
        one.want("btcusdt@aggTrade")
        await eventually(lambda: one.record.rotations >= 1)

    one.assert_whole(simulator)


async def test_a_successor_that_does_not_get_ready_is_given_up_and_tried_again(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.ingest.strand.SETTLE_MOST", 0.5)
    one = rig(simulator, rotation=Rotation(0.1))
    async with one.running():
        one.want("btcusdt@aggTrade")
        await eventually(lambda: one.carried)
        simulator.faults.ghost(on=True)
        (old,) = simulator.connected().values()
        old.muted = False
        await eventually(lambda: one.record.dials >= 3)
        assert one.record.rotations == 0
        simulator.faults.ghost(on=False)
        await eventually(lambda: one.record.rotations >= 1)

    one.assert_whole(simulator)
    assert one.resumptions == []


async def test_what_ended_a_connection_is_remembered(simulator: Simulator) -> None:
    async with rig(simulator).running() as one:
        one.want("btcusdt@trade")
        await eventually(lambda: one.carried)
        assert (one.record.close_code, one.record.last_error) == (None, None)
        simulator.faults.cut()
        await eventually(lambda: one.record.dials == 2)

        assert (one.record.close_code, one.record.last_error) == (1006, "the connection was cut")
        assert one.record.exit == "direct"
        assert one.record.buffered == 0


@pytest.mark.parametrize(("jitter", "part"), [(0.0, 1.0), (0.5, 0.95), (1.0, 0.9)])
async def test_connections_do_not_age_together(simulator: Simulator, jitter: float, part: float) -> None:
    one = rig(simulator, rotation=Rotation(23 * 3600.0), jitter=jitter)
    async with one.running():
        one.want("btcusdt@trade")
        await eventually(lambda: max(one.clock.pauses, default=0) > 3600)

    assert max(one.clock.pauses) == 23 * 3600 * part


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_on_spot_where_pings_count_as_messages_none_is_sent(
    simulator: Simulator, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(strand.PING_INTERVAL, Market.USDM, 0.05)
    one = rig(simulator, market, "/market" if market is Market.USDM else "")
    async with one.running():
        one.want("btcusdt@aggTrade")
        await eventually(lambda: len(one.carried) > 100)
        (connection,) = simulator.ledger.connections.values()
        if market is Market.SPOT:
            assert connection.received == connection.requests == 1
        else:
            await eventually(lambda: connection.received > connection.requests)


class Gate(FreeWay):
    """Lets the first dial through, and the others when it opens."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()

    async def admitted(self, avoid: Collection[str] = ()) -> Exit:
        by = await super().admitted(avoid)
        if self.admissions > 1:
            await self.open.wait()
        return by


async def test_a_connection_that_is_lost_while_its_successor_waits_for_an_exit_is_known_to_be_lost(
    simulator: Simulator,
) -> None:
    gate = Gate()
    one = rig(simulator, rotation=Rotation(0.5), way=gate)
    async with one.running():
        one.want("btcusdt@ticker")
        await eventually(lambda: one.carried and gate.admissions == 2)
        simulator.faults.cut()
        await eventually(lambda: one.record.status is State.RECONNECTING)
        gate.open.set()
        await eventually(lambda: one.resumptions)
