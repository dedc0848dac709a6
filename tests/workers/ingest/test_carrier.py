"""What a carrier notices by itself; connecting and carrying are in test_feed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fsnats.binance.commands import Reply
from fsnats.binance.streams import Market, parse
from fsnats.clock import SystemClock
from tests.conftest import eventually
from tests.workers.ingest.test_feed import Carried
from workers.ingest.carrier import Carrier
from workers.ingest.lateness import Tally
from workers.ingest.router import Router, Shutdown
from workers.ingest.upstream import dial
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


class Rig:
    """A carrier on a simulator, without a feed."""

    def __init__(self) -> None:
        self.router = Router(Market.SPOT, Carried(), 1)
        self.router.carry({"btcusdt@trade": parse(Market.SPOT, "btcusdt@trade")})
        self.carrier = Carrier("c", Market.SPOT, SystemClock(), Tally(), self._received)
        self.carrier.want({"btcusdt@trade"})

    def _received(self, carrier: Carrier, data: bytes, received_ns: int) -> None:
        carrier.note(self.router.receive(data, received_ns))

    @contextlib.asynccontextmanager
    async def carrying(self, simulator: Simulator) -> AsyncIterator[Carrier]:
        connection = await dial(f"{simulator.ws_url(Market.SPOT)}/stream", None, None, self.carrier.received)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.carrier.carry(connection))
            yield self.carrier
            task.cancel()


async def test_a_stream_is_acknowledged_and_live_once_the_exchange_answered_and_spoke() -> None:
    async with Simulator(Settings(rate=100)) as simulator, Rig().carrying(simulator) as carrier:
        await eventually(
            lambda: carrier.subscriptions.acknowledged.keys() == carrier.subscriptions.live == {"btcusdt@trade"}
        )

        assert carrier.subscriptions.silent == set()


async def test_a_cut_ends_it_with_a_reason() -> None:
    async with Simulator(Settings(rate=100)) as simulator, Rig().carrying(simulator) as carrier:
        await eventually(lambda: carrier.last_data is not None)
        simulator.faults.cut()

        assert await carrier.ended == "the connection was cut"


async def test_the_exchanges_own_reason_is_kept() -> None:
    async with Simulator(Settings(rate=100, life=0.3)) as simulator, Rig().carrying(simulator) as carrier:
        assert (await carrier.ended).startswith("closed with ")


async def test_a_notice_of_the_end_makes_it_due() -> None:
    carrier = Rig().carrier
    assert not carrier.due.is_set()
    carrier.note(Shutdown())

    assert carrier.due.is_set()


async def test_a_ghost_is_given_up_by_what_its_connection_used_to_bring() -> None:
    async with Simulator(Settings(rate=400)) as simulator, Rig().carrying(simulator) as carrier:
        await eventually(lambda: carrier._data > 60)
        assert carrier.last_data is not None
        assert not carrier._is_ghost(carrier.last_data + 11.9)
        assert carrier._is_ghost(carrier.last_data + 12.1)


async def test_a_quiet_connection_is_no_ghost() -> None:
    async with Simulator(Settings(rate=20)) as simulator, Rig().carrying(simulator) as carrier:
        await eventually(lambda: carrier._data > 2)
        assert carrier.last_data is not None

        assert not carrier._is_ghost(carrier.last_data + 3600)


async def test_an_answer_to_nothing_is_no_harm() -> None:
    carrier = Rig().carrier
    carrier.note(Reply(error={"code": 3, "msg": "Invalid JSON"}))
    carrier.note(None)

    assert not carrier.ended.done()
