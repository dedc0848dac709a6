"""Whatever crowds do, nothing is left of them: no task, socket, subscription, wish or memory, nor a word in the log."""

import asyncio
import contextlib
import json
import os
import random
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fsnats.bus.nats import NatsBus
from fsnats.descriptors import raise_limit
from fsnats.status import Status, ask
from tests.e2e.conftest import Measure
from tests.e2e.fleet import Fleet, get
from tests.e2e.storm import Crowd, Guest, ask_binance, ask_native, guest, handshake

_WAIT = 0.3  # seconds for all programs to tell their status
_SETTLED = 60.0  # seconds within which nothing is left, on a busy machine
_LEFT = ("clients", "sockets", "tasks", "subscriptions", "channels", "listeners", "slow_clients", "outbox_bytes")
_STREAM = "btcusdt@depth@100ms"
_PATHS = ("/", "/usdm", "/ws", "/stream", f"/ws/{_STREAM}", f"/stream?streams={_STREAM}/ethusdt@trade/bnbusdt@kline_1m")
_KINDS = ("aggTrade", "trade", "ticker", "miniTicker", "bookTicker", "depth@100ms", "kline_1m", "kline_5m")
_WARM, _ROUNDS = 2, 3  # rounds until memory is what it will be, and then

Left = dict[str, int]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("storms")
    with Fleet(directory, markets="spot,usdm", linger=0.3, gateway_handshake_timeout=1) as fleet:
        yield fleet


class House:
    """A gateway, and everything of its clients that could stay."""

    def __init__(self, fleet: Fleet, bus: NatsBus) -> None:
        self.fleet = fleet
        self._bus = bus
        self._pid = fleet.pid("gateway")
        self.port = fleet.gateway_port

    async def left(self) -> Left:
        """What there is now."""
        statuses = await ask(self._bus, "_INBOX.storms", _WAIT)
        gateway = next((each for each in statuses if each["kind"] == "gateway"), {})  # a busy one answers late
        return {
            **{name: int(str(gateway.get(name, -1))) for name in _LEFT},
            "files": len(os.listdir(f"/proc/{self._pid}/fd")),
            "wanted": sum(map(_wishes, statuses)),
        }

    async def idles(self) -> None:
        """Return when nobody is there and nothing is wanted any more of who was."""
        async with asyncio.timeout(_SETTLED):
            left: Left = {}
            while left != (left := await self.left()) or any(left[name] for name in ("clients", "channels", "wanted")):
                pass

    async def settles(self, wanted: Left) -> None:
        """Return when this is what is left."""
        left: Left = {}
        try:
            async with asyncio.timeout(_SETTLED):
                while left != wanted:
                    left = await self.left()
        except TimeoutError:
            assert left == wanted  # says which ones differ

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds."""
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def troubles(self) -> list[str]:
        """What it and all others said that is no news."""
        lines = [line for log in self.fleet.directory.glob("*.log") for line in log.read_text().splitlines()]
        return [line for line in lines if '"level":"info"' not in line]


def _wishes(status: Status) -> int:
    """How many streams gateways want of a worker."""
    gateways = status.get("gateways", {})
    assert isinstance(gateways, dict)
    return sum(gateways.values())


def _names(fleet: Fleet) -> list[str]:
    """Some hundred streams that exist."""
    listed = json.loads(get(f"http://127.0.0.1:{fleet.simulator_port}/spot/api/v3/exchangeInfo")[1])["symbols"]
    symbols = [each["symbol"].lower() for each in listed if each["status"] == "TRADING"]
    return [f"{symbol}@{kind}" for symbol in symbols for kind in _KINDS]


@pytest.fixture
async def house(fleet: Fleet) -> AsyncIterator[House]:
    async with NatsBus([fleet.nats_url], "storms", lambda: 0.0) as bus:
        await bus.connected()
        house = House(fleet, bus)
        await house.idles()
        troubles = house.troubles()
        yield house
        assert house.troubles() == troubles


async def _hold_memory(house: House, a_round: Callable[[], Awaitable[None]], grown_max: int) -> int:
    """Run rounds; nothing may be left of any, nor may memory grow with them.  Returns by how many bytes it did."""
    before = await house.left()
    for _ in range(_WARM):
        await a_round()
    await house.settles(before)
    resident = house.resident
    for _ in range(_ROUNDS):
        await a_round()
    await house.settles(before)
    grown = house.resident - resident
    assert grown < grown_max
    return grown


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may have a socket for each of some thousand clients."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_limit()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_files")
async def test_thousands_of_idle_clients_take_little_and_all_are_served(house: House, measure: Measure) -> None:
    # The first test of its fleet: what crowds have given back to the allocator would hide what these take.
    before, count = await house.left(), 1000
    paths = {"native": "/", "Binance's": "/ws/btcusdt@kline_1m"}
    async with contextlib.AsyncExitStack() as stack:

        async def enter(path: str, count: int) -> list[Guest]:
            guests = []
            for _ in range(count):  # one after the other: a handshake has a second
                guests.append(await stack.enter_async_context(guest(house.port)))
                await guests[-1].enter(path)
            return guests

        for path in paths.values():
            await enter(path, 100)  # what the first ones make Python import and cache is not theirs
        for dialect, path in paths.items():
            resident = house.resident
            guests = await enter(path, count)
            each = (house.resident - resident) / count
            measure(f"an idle client, {dialect} dialect: {each / 1024:.1f} KiB")
            assert each <= 8 * 1024
        async with asyncio.timeout(_SETTLED):
            for somebody in guests:
                assert b'"e":"kline"' in await somebody.until(b'"e":"kline"')
    await house.settles(before)


async def test_crowds_that_come_and_go_leave_nothing(house: House, measure: Measure) -> None:
    visits, seeds, made = 700, iter(range(100)), 0.0
    start = asyncio.get_running_loop().time()

    async def a_round() -> None:
        nonlocal made
        made += sum((await Crowd(house.port, _PATHS, next(seeds)).visit(visits, 64)).values())

    # A leak would be more than so much of each, beyond what the allocator does.
    grown = await _hold_memory(house, a_round, _ROUNDS * visits * 256 + 3 * 512 * 1024)
    rate = made / (asyncio.get_running_loop().time() - start)
    measure(f"storm: {made:.0f} visits, {rate:.0f}/s with pauses; memory grew by {grown / 1024:.0f} KiB")


async def test_streams_that_are_joined_and_left_again_leave_nothing(house: House, measure: Measure) -> None:
    each_dialect, turns, at_once = 20, 5, 100
    names = _names(house.fleet)
    before = await house.left()
    chance = random.Random(1)

    async def back_and_forth(somebody: Guest, path: str, turn: Callable[..., Awaitable[None]]) -> None:
        await somebody.enter(path)
        for number in range(turns):
            some = chance.sample(names, at_once)
            await turn(somebody, 2 * number, some, join=True)
            await turn(somebody, 2 * number + 1, some, join=False)

    async def a_round() -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.TaskGroup() as tasks:
                for path, turn in (("/", ask_native), ("/stream", ask_binance)) * each_dialect:
                    somebody = await stack.enter_async_context(guest(house.port))
                    tasks.create_task(back_and_forth(somebody, path, turn))
            inside = 2 * each_dialect
            here = {"clients": inside, "sockets": inside, "files": before["files"] + inside}
            await house.settles(before | here)  # they left every stream, and are still there

    grown = await _hold_memory(house, a_round, 4 * 1024**2)
    measure(f"storm: {len(names)} streams joined and left by {2 * each_dialect}; memory grew by {grown / 1024:.0f} KiB")


async def test_crowds_that_never_finish_their_handshake_are_sent_away(house: House) -> None:
    before, crowd = await house.left(), 500
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(_SETTLED):
        guests = [await stack.enter_async_context(guest(house.port)) for _ in range(crowd)]
        for number, somebody in enumerate(guests):
            await somebody.say(handshake()[: number % 100])
        for somebody in guests:
            assert b"408 Request Timeout" in await somebody.until(b"408 Request Timeout")
            await somebody.end()
        await house.settles(before)


async def test_clients_that_ask_for_the_past_and_leave_before_it_comes_leave_nothing(house: House) -> None:
    before, names, inside = await house.left(), _names(house.fleet), 20
    chance = random.Random(2)

    async def in_a_hurry(somebody: Guest) -> None:
        await somebody.enter("/")
        for number in range(10):
            some = chance.sample(names, 50)
            resume = {name: {"epoch": 1, "seq": 1} for name in some}
            await ask_native(somebody, 2 * number, some, join=True, resume=resume)
            await ask_native(somebody, 2 * number + 1, some, join=False)

    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(inside):
                tasks.create_task(in_a_hurry(await stack.enter_async_context(guest(house.port))))
        here = {"clients": inside, "sockets": inside, "files": before["files"] + inside}
        assert (await house.left())["tasks"] <= before["tasks"] + inside
        await house.settles(before | here)
    await house.settles(before)
