"""Whatever is killed comes back by itself, and only what it carried is interrupted."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import msgspec
import pytest

from fsnats import catalogue, frames
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.frames import Frame
from fsnats.groups import Group
from fsnats.subjects import subject_of
from gateway import closing
from tests.e2e.client import Client, until
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet, free_port, get

HEALED = 20.0  # seconds in which killed workers' data flows again, whatever else the machine does; about one is usual
STOPPED = 10.0  # seconds that an orderly stop may take
# Streams here deliver ten times a second.  A silence of this many seconds is an interruption, even on a busy machine;
# a shorter one shows as another life of the worker, or as frames that are missing.
INTERRUPTED = 5.0


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet of several small workers and two gateways that share a port; its tests kill, and leave it healed."""
    with Fleet(tmp_path_factory.mktemp("kill"), symbols_per_worker=20) as fleet:
        yield fleet


class Watch:
    """A reader of the bus that notes when which frame came, by subject."""

    def __init__(self) -> None:
        self.arrivals: dict[str, list[tuple[float, Frame]]] = {}

    def note(self, subject: str, _reply: str, data: bytes) -> None:
        self.arrivals.setdefault(subject, []).append((time.monotonic(), frames.decode(data)))

    def epoch(self, subject: str) -> int:
        """The life of the worker that sent the newest frame; 0 before there is one."""
        arrivals = self.arrivals.get(subject)
        return arrivals[-1][1].epoch if arrivals else 0

    def breaks(self, subject: str) -> list[str]:
        """Where frames are missing or late, in words."""
        return [
            f"{before.seq} of {before.epoch} is followed by {after.seq} of {after.epoch} after {then - since:.1f} s"
            for (since, before), (then, after) in pairwise(self.arrivals[subject])
            if after.epoch != before.epoch or after.seq != before.seq + 1 or then - since > INTERRUPTED
        ]


@contextlib.asynccontextmanager
async def watching(fleet: Fleet) -> AsyncIterator[Watch]:
    """Read the depth streams of all symbols from the bus."""
    watch = Watch()
    async with NatsBus([fleet.nats_url], "e2e-watch", lambda: 1.0) as bus:
        await bus.connected()
        bus.subscribe("fsnats.*.*.depth.100ms", watch.note)
        await bus.flush()
        yield watch


async def one_stream_of_each_worker(fleet: Fleet) -> dict[str, tuple[Market, str]]:
    """By the worker's name: its market, and the depth stream of one of its symbols."""
    streams = {}
    async with NatsBus([fleet.nats_url], "e2e-groups", lambda: 1.0) as bus:
        await bus.connected()
        for worker in fleet.pids():
            kind, _, place = worker.partition("-")
            if kind == "ingest":
                market, _, number = place.partition("-")
                value = await catalogue.read(bus, catalogue.GROUPS, catalogue.group_key(Market(market), int(number)))
                assert value is not None
                symbol = msgspec.json.decode(value, type=Group).symbols[0]
                streams[worker] = (Market(market), f"{symbol.lower()}@depth@100ms")
    return streams


@contextlib.asynccontextmanager
async def reading(fleet: Fleet, streams: dict[str, tuple[Market, str]]) -> AsyncIterator[dict[Market, Client]]:
    """A client of each market that reads these streams, all of which flow."""
    async with contextlib.AsyncExitStack() as stack:
        clients = {}
        for market in (Market.SPOT, Market.USDM):
            names = [name for where, name in streams.values() if where is market]
            url = f"{fleet.ws}/{market}/stream?streams={'/'.join(names)}"
            clients[market] = await stack.enter_async_context(Client(url))
        await all_flow(clients, streams)
        yield clients


async def all_flow(clients: dict[Market, Client], streams: dict[str, tuple[Market, str]], within: float = 20) -> None:
    """Return when every stream has delivered something new."""
    async with asyncio.TaskGroup() as tasks:
        for market, name in streams.values():
            tasks.create_task(clients[market].delivered(name, more=3, within=within))


async def test_killed_worker_comes_back_and_no_other_stream_notices(fleet: Fleet, measure: Measure) -> None:
    streams = await one_stream_of_each_worker(fleet)
    assert len(streams) >= 4, "several workers are wanted"
    async with watching(fleet) as watch, reading(fleet, streams) as clients:
        victim = "ingest-spot-1"
        market, cut = streams[victim]
        subject = subject_of(market, cut)
        old = watch.epoch(subject)
        begun = time.monotonic()
        pid = fleet.kill(victim)
        await until(lambda: watch.epoch(subject) != old, "it flows again on the bus", HEALED)
        await clients[market].delivered(cut, within=HEALED)
        took = time.monotonic() - begun
        measure(f"killed worker's stream flows again after {took:.2f} s")
        assert took < HEALED
        assert fleet.pid(victim) != pid
        await all_flow(clients, streams)
        others = [stream for worker, stream in streams.items() if worker != victim]
        assert {name: watch.breaks(subject_of(where, name)) for where, name in others} == {
            name: [] for _, name in others
        }
        # Clients saw what the bus carried: on spot each event continues the one before.
        for where, name in others:
            if where is Market.SPOT:
                follow = pairwise(clients[where].payloads(name))
                assert all(after["U"] == before["u"] + 1 for before, after in follow), name
    assert fleet.ledger()["violations"] == []


async def test_clients_miss_no_trade_when_worker_or_nats_is_killed(fleet: Fleet) -> None:
    victim = "ingest-spot-1"
    market, depth = (await one_stream_of_each_worker(fleet))[victim]
    trades = depth.partition("@")[0] + "@aggTrade"
    async with Client(f"{fleet.ws}/{market}") as client:
        await client.ask({"type": "subscribe", "rawStreams": [trades]}, "subscribed")
        await client.delivered(trades, more=3)
        for program in (victim, "nats-server"):
            pid = fleet.kill(program)
            await until(lambda: fleet.pids().get(program, pid) != pid, f"{program} runs again")  # noqa: B023
            await client.delivered(trades, more=10)

        def are_whole() -> bool:
            # On a busy machine some may come late, out of order, and with a notice that says so.
            numbers = sorted(payload["a"] for payload in client.payloads(trades))
            return numbers == list(range(numbers[0], numbers[0] + len(numbers)))

        await until(are_whole, "every trade arrived once")
        notices = [each["data"]["reason"] for each in client.messages if each.get("type") == "gap"]
    assert set(notices) <= {"late"}


async def test_killed_nats_comes_back_and_every_stream_with_it(fleet: Fleet, measure: Measure) -> None:
    streams = await one_stream_of_each_worker(fleet)
    async with reading(fleet, streams) as clients:
        begun = time.monotonic()
        pid = fleet.kill("nats-server")
        await until(lambda: fleet.pids().get("nats-server", pid) != pid, "NATS runs again")
        await all_flow(clients, streams)
        measure(f"all streams flow again {time.monotonic() - begun:.2f} s after NATS was killed")
        await until(lambda: get(f"{fleet.http}/readyz")[0] == 200, "the gateway is ready again")
        assert all(client.is_open for client in clients.values())
    assert fleet.ledger()["violations"] == []


async def test_client_of_a_killed_gateway_goes_on_at_another_that_shares_the_port(
    fleet: Fleet, measure: Measure
) -> None:
    stream, port = "btcusdt@depth@100ms", free_port()
    url = f"ws://127.0.0.1:{port}/stream?streams={stream}"
    first = fleet.serve_gateway(port)
    async with Client(url) as client:
        await client.delivered(stream)
        second = fleet.start_gateway(port)
        await until(lambda: '"message":"ready"' in second.said(), "the second serves")
        begun = time.monotonic()
        first.kill()
        await client.closed()
        async with Client(url) as again:
            await again.delivered(stream)
            measure(f"client of a killed gateway reads again after {time.monotonic() - begun:.2f} s")
    second.signal(signal.SIGTERM)
    assert await until(lambda: second.status is not None, "the second stops")


async def test_supervised_gateway_that_is_killed_comes_back(fleet: Fleet) -> None:
    stream = "btcusdt@depth@100ms"
    async with Client(f"{fleet.ws}/stream?streams={stream}") as client:
        await client.delivered(stream)
        fleet.kill("gateway")
        await client.closed()
    await until(lambda: get(f"{fleet.http}/readyz")[0] == 200, "it serves again")
    async with Client(f"{fleet.ws}/stream?streams={stream}") as client:
        await client.delivered(stream)


async def test_cut_connection_to_the_exchange_is_dialled_again(fleet: Fleet, measure: Measure) -> None:
    streams = await one_stream_of_each_worker(fleet)
    async with watching(fleet) as watch, reading(fleet, streams) as clients:
        epochs = {subject: watch.epoch(subject) for subject in watch.arrivals}
        begun = time.monotonic()
        fleet.tell_simulator("faults/cut")
        await all_flow(clients, streams)
        measure(f"all streams flow again {time.monotonic() - begun:.2f} s after every upstream connection was cut")
        # The same processes went on counting.
        assert {subject: watch.epoch(subject) for subject in watch.arrivals} == epochs
    assert fleet.ledger()["violations"] == []


async def test_nothing_survives_a_killed_supervisor(start_fleet: StartFleet, measure: Measure) -> None:
    fleet = start_fleet()
    outside = {"simulator"}  # not the supervisor's: the test started it
    assert {"supervisor", "nats-server", "gateway", "history", "ingest-spot-0"} <= fleet.pids().keys()
    begun = time.monotonic()
    os.kill(fleet.supervisor.pid, signal.SIGKILL)
    await until(lambda: fleet.pids().keys() == outside, "all its children are gone", within=5)
    measure(f"a killed supervisor's children are gone after {time.monotonic() - begun:.2f} s")
    # And another may take its place at once, on the same state directory and ports.
    fleet.start_supervisor()
    async with Client(f"{fleet.ws}/stream?streams=btcusdt@depth@100ms") as client:
        await client.delivered("btcusdt@depth@100ms")


async def test_fleet_that_is_asked_to_stop_is_gone_in_time(start_fleet: StartFleet, measure: Measure) -> None:
    fleet = start_fleet()
    async with Client(f"{fleet.ws}/stream?streams=btcusdt@depth@100ms") as client:
        await client.delivered("btcusdt@depth@100ms")
        begun = time.monotonic()
        fleet.supervisor.signal(signal.SIGTERM)
        assert (await client.closed(within=STOPPED))[0] == closing.RESTARTING.code
        await until(lambda: fleet.pids().keys() == {"simulator"}, "everything is gone", within=STOPPED)
        # Its pid is out of sight a moment before its exit status can be read.
        await until(lambda: fleet.supervisor.status is not None, "the supervisor ended", within=STOPPED)
        took = time.monotonic() - begun
    measure(f"a fleet that is asked to stop is gone after {took:.2f} s")
    assert took < STOPPED
    assert fleet.supervisor.status == 0
