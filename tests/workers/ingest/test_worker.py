"""A worker between the simulated exchange and a real NATS server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from websockets.asyncio.client import connect

from fsnats import catalogue, demand
from fsnats.binance.streams import CONTRACT_INFO, Market
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.demand import Announcement
from fsnats.fleet.events import Chronicle
from fsnats.fleet.streams import KnownBy, Sort, State, Streams, StreamsRequest, encode
from fsnats.frames import CONTINUES, GAP, Frame, decode
from fsnats.history import RowsReply, RowsRequest
from fsnats.rollcall import RollCall
from fsnats.status import ask
from fsnats.subjects import DEMAND_REQUEST, EVENTS_REQUEST, ROWS, STREAMS_REQUEST
from fsnats.subjects import demand as demand_subject
from tests.buckets import list_symbols, make_bucket
from tests.conftest import NatsServer, eventually
from tests.simulated import config_for
from tests.windows import open_window
from workers.ingest import succession
from workers.ingest.worker import Worker
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")


class Rig:
    """One worker, the exchange above it and a reader of the bus below it."""

    def __init__(self, nats: NatsServer, bus: NatsBus, simulator: Simulator) -> None:
        self.nats = nats
        self.bus = bus
        self.simulator = simulator
        self.frames: list[Frame] = []
        bus.subscribe("fsnats.usdm.*.>", lambda _s, _r, data: self.frames.append(decode(data)))

    def announce(self, kind: str, *streams: str) -> None:
        announcement = Announcement("g", Market.USDM, kind, list(streams))  # type: ignore[arg-type]
        self.bus.publish(demand_subject(Market.USDM), demand.encode(announcement))

    def subscribed(self) -> list[str]:
        """What is carried besides what the lead of a futures market always carries."""
        return [name for name in self.simulator.ledger.subscribed(Market.USDM) if name != CONTRACT_INFO]

    @contextlib.asynccontextmanager
    async def worker(self, group: int = 0, ahead: float = 0.0, **settings: object) -> AsyncIterator[Worker]:
        """One whose clock is so many seconds ahead."""
        config = config_for(self.simulator, **({"linger": 0.0} | settings))
        worker: Worker | None = None

        def changed(connected: bool) -> None:
            if worker is not None:
                worker.bus_changed(connected)

        async with NatsBus([self.nats.url], "worker", lambda: 0.0, on_change=changed, keep_sent=True) as bus:
            worker = Worker(config, Market.USDM, group, bus, AheadClock(ahead), lambda: 0.0)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(worker.run())
                async with asyncio.timeout(20):
                    await worker.ready()
                # What is published before the worker subscribed does not reach it: it asks when it is there.
                await bus.flush()
                yield worker
                running.cancel()


class AheadClock(SystemClock):
    """The time of day, so many seconds early."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time_ns(self) -> int:
        return super().time_ns() + int(self._seconds * 1e9)


class Rows:
    """Hears what the worker asks REST for, and has nothing."""

    def __init__(self, rig: Rig) -> None:
        self.asked: list[RowsRequest] = []
        self._bus = rig.bus
        rig.bus.subscribe(ROWS, self._ask)

    def _ask(self, _subject: str, reply: str, payload: bytes) -> None:
        self.asked.append(msgspec.json.decode(payload, type=RowsRequest))
        self._bus.publish(reply, msgspec.json.encode(RowsReply()))


@pytest.fixture
async def rig(nats: NatsServer, bus: NatsBus) -> AsyncIterator[Rig]:
    await make_bucket(bus, catalogue.LISTINGS)
    await make_bucket(bus, catalogue.GROUPS)
    await list_symbols(bus, Market.USDM, *SYMBOLS, size=2)
    async with Simulator(Settings(rate=300, record=True)) as simulator:
        yield Rig(nats, bus, simulator)


async def test_it_carries_what_a_gateway_wants_of_its_group_on_the_right_routes(rig: Rig) -> None:
    async with rig.worker():
        rig.announce("add", "btcusdt@kline_1m", "ethusdt@bookTicker", "bnbusdt@kline_1m")
        await eventually(lambda: {frame.stream for frame in rig.frames} == {"btcusdt@kline_1m", "ethusdt@bookTicker"})

        assert rig.subscribed() == ["btcusdt@kline_1m", "ethusdt@bookTicker"]
    assert rig.simulator.ledger.violations == []
    for frame in rig.frames:
        assert frame.payload in rig.simulator.ledger.payloads(Market.USDM, frame.stream)


async def test_streams_are_asked_for_by_messages_and_never_in_a_url(rig: Rig) -> None:
    async with rig.worker():
        rig.announce("add", "btcusdt@kline_1m", "ethusdt@bookTicker")
        await eventually(lambda: {frame.stream for frame in rig.frames} == {"btcusdt@kline_1m", "ethusdt@bookTicker"})
        connections = list(rig.simulator.ledger.connections.values())

    assert {connection.route for connection in connections} == {"public", "market"}
    assert all(connection.requests for connection in connections)


async def test_it_asks_who_wants_what_when_it_starts(rig: Rig) -> None:
    rig.bus.subscribe(DEMAND_REQUEST, lambda _s, _r, _d: rig.announce("whole", "btcusdt@trade"))
    await rig.bus.flush()
    async with rig.worker():
        await eventually(lambda: rig.frames)


async def test_a_stream_that_nobody_wants_any_more_is_left_upstream(rig: Rig) -> None:
    async with rig.worker():
        rig.announce("add", "btcusdt@trade", "ethusdt@trade")
        await eventually(lambda: rig.subscribed() == ["btcusdt@trade", "ethusdt@trade"])
        rig.announce("drop", "btcusdt@trade")
        await eventually(lambda: rig.subscribed() == ["ethusdt@trade"])


async def test_what_is_always_wanted_needs_no_gateway(rig: Rig) -> None:
    async with rig.worker(always=("usdm:*@kline_5m", "spot:btcusdt@trade")):
        await eventually(lambda: rig.subscribed() == ["btcusdt@kline_5m", "ethusdt@kline_5m"])


async def test_the_lead_hears_of_new_contracts_whether_or_not_somebody_wants_to(rig: Rig) -> None:
    async with rig.worker() as lead, rig.worker(group=1):
        await eventually(lambda: rig.simulator.ledger.subscribers(Market.USDM, CONTRACT_INFO) == 1)
        rig.announce("add", "btcusdt@trade", "bnbusdt@trade")
        await eventually(lambda: {frame.stream for frame in rig.frames} == {"btcusdt@trade", "bnbusdt@trade"})

        assert rig.simulator.ledger.subscribers(Market.USDM, CONTRACT_INFO) == 1
        feeds = lead.status()["connections"]
        assert isinstance(feeds, list)
        assert [feed["live"] for feed in feeds] == [len(feed["streams"]) for feed in feeds]  # its silence is no trouble


async def test_only_the_lead_carries_all_market_streams(rig: Rig) -> None:
    async with rig.worker(), rig.worker(group=1):
        rig.announce("add", "!miniTicker@arr", "bnbusdt@trade")
        await eventually(lambda: {frame.stream for frame in rig.frames} == {"!miniTicker@arr", "bnbusdt@trade"})

        assert rig.simulator.ledger.subscribers(Market.USDM, "!miniTicker@arr") == 1


async def test_a_symbol_that_joins_the_group_is_carried_without_a_restart(rig: Rig) -> None:
    asked: list[bytes] = []
    async with rig.worker():
        rig.announce("add", "btcusdt@trade", "solusdt@trade")
        await eventually(lambda: rig.subscribed() == ["btcusdt@trade"])
        rig.bus.subscribe(DEMAND_REQUEST, lambda _subject, _reply, payload: asked.append(payload))
        await list_symbols(rig.bus, Market.USDM, "BTCUSDT", "SOLUSDT", size=2)
        await eventually(lambda: asked)  # what a gateway answers with all that it wants
        rig.announce("whole", "btcusdt@trade", "solusdt@trade")
        await eventually(lambda: rig.subscribed() == ["btcusdt@trade", "solusdt@trade"])


async def test_names_that_no_exchange_has_never_go_upstream(rig: Rig) -> None:
    async with rig.worker():
        rig.announce("add", "btcusdt@kline_7m", "BTCUSDT@trade", "rubbish", "btcusdt@trade")
        await eventually(lambda: rig.subscribed() == ["btcusdt@trade"])


async def test_while_nats_is_gone_the_feeds_stay_and_data_flows_again_when_it_is_back(rig: Rig) -> None:
    async with rig.worker() as worker:
        rig.announce("add", "btcusdt@trade")
        await eventually(lambda: rig.frames)
        rig.nats.stop()
        await eventually(lambda: not rig.bus.is_connected)
        rig.nats.start()
        await rig.bus.connected()
        await rig.bus.flush()
        rig.frames.clear()
        rig.announce("whole", "btcusdt@trade")
        await eventually(lambda: rig.frames)

        feeds = worker.status()["connections"]
        assert isinstance(feeds, list)
        assert [feed["dials"] for feed in feeds] == [1, 1]  # one for the trades, one for new contracts
    assert rig.simulator.ledger.violations == []


async def test_what_came_while_nats_was_gone_is_sent_when_the_gateway_is_back(rig: Rig) -> None:
    async with rig.worker() as worker:
        rig.announce("add", "btcusdt@aggTrade")
        await eventually(lambda: len(rig.frames) > 5)
        rig.nats.stop()
        await eventually(lambda: worker.status()["waiting_for_nats"])
        rig.nats.start()
        await rig.bus.connected()
        await rig.bus.flush()
        rig.announce("whole", "btcusdt@aggTrade")
        await eventually(lambda: worker.status()["waiting_for_nats"] == 0)
        before = len(rig.frames)
        await eventually(lambda: len(rig.frames) > before)

    # What was on its way through the server when it died was sent again; of those frames some come twice.
    sequence: list[int] = []
    for frame in rig.frames:
        if not sequence or frame.seq > sequence[-1]:
            sequence.append(frame.seq)
    assert sequence == list(range(1, len(sequence) + 1))
    assert worker.status()["sent_again"]


async def test_its_status_shows_its_feeds(rig: Rig) -> None:
    async with rig.worker():
        rig.announce("add", "btcusdt@trade", "btcusdt@kline_1m")
        await eventually(lambda: {frame.stream for frame in rig.frames} == {"btcusdt@trade", "btcusdt@kline_1m"})
        (status,) = await ask(rig.bus, "_INBOX.test", 0.5)

    assert status["program"] == "ingest-usdm-0"
    assert status["gateways"] == {"g": 2}
    feeds = status["connections"]
    assert isinstance(feeds, list)
    assert {(feed["id"], feed["status"], len(feed["streams"]), feed["live"]) for feed in feeds} == {
        ("ingest-usdm-0-public-0", "connected", 1, 1),
        ("ingest-usdm-0-market-0", "connected", 2, 2),  # the other one is !contractInfo
    }


async def test_it_tells_how_its_streams_are(rig: Rig) -> None:
    streams = RollCall(rig.bus, "_INBOX.test", STREAMS_REQUEST)
    async with rig.worker():
        rig.announce("add", "btcusdt@trade", "ethusdt@markPrice@1s")
        await eventually(lambda: len({frame.stream for frame in rig.frames}) == 2)
        async with asyncio.timeout(20):
            while True:
                (answer,) = await streams.call(encode(StreamsRequest(sort=Sort.NAME)), 0.3)
                told = msgspec.json.decode(answer, type=Streams)
                contracts, trade, mark = told.streams  # !contractInfo comes first
                if mark.expected_by is not KnownBy.UNKNOWN:  # every second somebody looks at the streams
                    break

    assert (told.program, told.carried, told.total) == ("ingest-usdm-0", 3, 3)
    assert (trade.stream, trade.connections, trade.state) == ("btcusdt@trade", ["ingest-usdm-0-public-0"], State.FLOWS)
    assert trade.messages > 0
    assert trade.bytes > trade.messages * 50
    assert trade.lag_ms is not None
    assert (mark.expected, mark.expected_by) == (1.0, KnownBy.TYPE)
    assert contracts.expected_by is KnownBy.AT_WILL


async def test_it_tells_what_happened_to_its_connections(rig: Rig) -> None:
    events, chronicle, kinds = RollCall(rig.bus, "_INBOX.test", EVENTS_REQUEST), Chronicle(), list[str]()

    async def until(kind: str) -> None:
        async with asyncio.timeout(20):
            while kind not in kinds:
                chronicle.take(await events.call(chronicle.question, 0.3))
                kinds[:] = [event.event.kind for event in chronicle.since("").events]

    async with rig.worker():
        rig.announce("add", "btcusdt@trade")
        await until("connected")
        rig.simulator.faults.cut()
        await until("lost")


async def test_with_redundancy_each_stream_comes_twice_and_goes_out_once(rig: Rig) -> None:
    async with rig.worker(redundancy=2) as worker:
        rig.announce("add", "btcusdt@aggTrade", "ethusdt@aggTrade")
        await eventually(lambda: int(str(worker.status()["duplicates"])) > 50)
        (status,) = await ask(rig.bus, "_INBOX.test", 0.5)

    names = ["btcusdt@aggTrade", "ethusdt@aggTrade"]
    assert isinstance(status["connections"], list)
    of_market = [each for each in status["connections"] if "market" in each["id"]]
    assert [(each["id"], each["exit"], each["status"]) for each in of_market] == [
        (f"ingest-usdm-0-market-0{letter}", "direct", "connected") for letter in "ab"
    ]
    assert all(set(names) <= set(each["streams"]) and each["buffered"] == 0 for each in of_market)
    assert sum(each["first"] for each in of_market) > 50
    for name in names:
        ids = [json.loads(frame.payload)["a"] for frame in rig.frames if frame.stream == name]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert rig.simulator.ledger.violations == []


@pytest.mark.parametrize("ahead", [0.0, 3600.0])  # and then the clock is put right
async def test_a_new_worker_goes_on_where_the_one_before_it_stopped(
    rig: Rig, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(succession, "PATIENCE", 60.0)  # this machine may be slow; that is not what is tested
    await open_window(rig.bus, Market.USDM)
    names = ("btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@markPrice@1s")
    history = Rows(rig)
    streams = "/".join(names[:2])
    base = rig.simulator.ws_url(Market.USDM)
    async with contextlib.AsyncExitStack() as others:
        for route in ("market", "public"):  # somebody else reads on: an exchange without readers makes nothing
            # A full queue would stop its reading, and keep the closing handshake waiting for ten seconds.
            reader = connect(f"{base}/{route}/stream?streams={streams}", proxy=None, max_queue=None)
            await others.enter_async_context(reader)
        async with rig.worker(ahead=ahead):
            rig.announce("add", *names)
            await eventually(lambda: {frame.stream for frame in rig.frames} == set(names))
        produced = {name: len(rig.simulator.ledger.payloads(Market.USDM, name)) for name in names[:2]}
        await eventually(
            lambda: all(
                len(rig.simulator.ledger.payloads(Market.USDM, name)) > count + 3 for name, count in produced.items()
            )
        )
        async with rig.worker():
            rig.announce("add", *names)
            old = rig.frames[0].epoch
            await eventually(lambda: {frame.stream for frame in rig.frames if frame.epoch != old} == set(names))
            await eventually(lambda: history.asked)
    before = {frame.stream: frame for frame in rig.frames if frame.epoch == old}
    after = {frame.stream: frame for frame in reversed(rig.frames) if frame.epoch != old}

    assert min(frame.epoch for frame in after.values()) > old
    assert {name: (frame.seq, frame.flags & CONTINUES) for name, frame in after.items()} == {
        name: (frame.seq + 1, CONTINUES) for name, frame in before.items()
    }
    # What was missed meanwhile is told where REST does not have it, and asked for where it does.
    assert after["btcusdt@bookTicker"].flags & GAP
    assert history.asked[0].parameters["fromId"] == json.loads(before["btcusdt@aggTrade"].payload)["a"] + 1


async def test_whatever_the_exchange_sends_is_counted_by_kind_and_streams_go_on(rig: Rig) -> None:
    async with rig.worker() as worker:
        rig.announce("add", "btcusdt@trade")
        await eventually(lambda: rig.frames)
        for kind in ("json", "html", "binary", "large", "event"):
            rig.simulator.faults.garbage(kind)
        rig.simulator.faults.skew(60_000)
        seen = {"broken", "html", "binary", "large", "stream", "future"}
        await eventually(lambda: seen <= worker.status()["odd"].keys())  # type: ignore[attr-defined]
        rig.frames.clear()
        await eventually(lambda: rig.frames)

        feeds = worker.status()["connections"]
        assert isinstance(feeds, list)
        assert {feed["dials"] for feed in feeds} == {1}
