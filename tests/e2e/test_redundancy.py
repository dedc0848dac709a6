"""Every stream over two connections and two real proxies, of which either may die.

The proxies leave from addresses of their own, and the exchange's ledger says from where everything came.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fsnats.chaos.processes import Fleet
from fsnats.chaos.report import Report
from fsnats.chaos.runner import watched
from fsnats.chaos.scenarios import Scenario, Stage
from fsnats.chaos.stage import Troubled
from tests.e2e.conftest import Measure
from tests.e2e.fleet import free_port
from tests.proxies import LOGIN, Tinyproxy, microsocks

SYMBOLS = ("btcusdt", "ethusdt")
SOCKS, CONNECT = "127.0.0.2", "127.0.0.3"  # where the exits leave
_PATIENCE, _HEALING = 3.0, 20.0  # seconds, as in test_chaos


class House:
    """A fleet, and its two exits."""

    def __init__(self, directory: Path) -> None:
        self._ports = {address: free_port() for address in (SOCKS, CONNECT)}
        self._tinyproxy = Tinyproxy(directory, self._ports[CONNECT])
        self._running: dict[str, AsyncExitStack] = {}
        self.stage: Troubled
        self.proxy = f"socks5h://{LOGIN}@127.0.0.1:{self._ports[SOCKS]},http://127.0.0.1:{self._ports[CONNECT]}"

    async def begin(self, address: str) -> None:
        """Start a proxy."""
        self._running[address] = AsyncExitStack()
        if address == SOCKS:
            proxy = microsocks(login=True, port=self._ports[SOCKS], leaving=SOCKS)
        else:
            proxy = self._tinyproxy.running(lines=(f"Bind {CONNECT}",))
        await self._running[address].enter_async_context(proxy)

    async def end(self, *addresses: str) -> None:
        """Kill proxies, and everything that runs through them."""
        for address in addresses:
            await self._running.pop(address).aclose()

    async def __aenter__(self) -> "House":
        for address in (SOCKS, CONNECT):
            await self.begin(address)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end(*list(self._running))

    async def carriers(self) -> dict[str, set[str]]:
        """From where each stream is subscribed; a stream that comes twice from one address counts as from none."""
        found: dict[str, Counter[str]] = {}
        for each in (await self.stage.exchange.ledger())["connections"]:
            for name in each["streams"]:
                found.setdefault(f"{each['market']}/{name}", Counter())[each["peer"].rpartition(":")[0]] += 1
        return {name: {address for address in counts if counts[address] == 1} for name, counts in found.items()}

    async def twofold(self) -> None:
        """Return when every stream comes by both exits, and either would suffice."""
        async with asyncio.timeout(60):
            while any(  # noqa: ASYNC110 # the exchange sets no events here
                addresses != {SOCKS, CONNECT} for addresses in (await self.carriers()).values()
            ):
                await asyncio.sleep(0.1)
        await self.stage.redundant(within=60)

    async def troubled(self, act: Callable[[], Awaitable[None]], *, seamless: bool) -> Report:
        """Let something happen, and expect that nothing is lost, or that nobody notices."""

        async def happen(stage: Stage, _seconds: float) -> None:
            await act()

        scenario = Scenario("redundancy", "", happen, seamless=seamless)
        report = await self.stage.run(scenario, 0.0, _PATIENCE, _HEALING)
        assert report.problems == []
        return report


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    for name in ("fleet", "proxies"):
        (tmp_path / name).mkdir()
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(House(tmp_path / "proxies"))
        fleet = Fleet(tmp_path / "fleet", (), {"proxy": house.proxy, "redundancy": 2})
        house.stage = await stack.enter_async_context(watched(fleet, SYMBOLS))
        assert await house.stage.flows(60)
        yield house


async def test_either_proxy_may_be_killed_and_nobody_notices(house: House, measure: Measure) -> None:
    for address in (SOCKS, CONNECT):
        await house.twofold()

        async def kill(address: str = address) -> None:
            dials = await house.stage.redundant(within=60)
            await house.end(address)
            # Every connection that went by it finds its way by the other one.
            await house.stage.redundant(within=60, dials=dials + 3)

        report = await house.troubled(kill, seamless=True)
        measure(f"redundancy: a proxy was killed, {report.verdict.produced} events: nothing missing, fetched or late")
        await house.begin(address)

    await house.twofold()  # each finds back to an exit of its own


async def test_only_when_both_are_gone_what_was_missed_is_fetched(house: House) -> None:
    await house.twofold()

    async def kill() -> None:
        await house.end(SOCKS, CONNECT)
        await house.begin(SOCKS)
        house.stage.mark()

    report = await house.troubled(kill, seamless=False)
    assert report.verdict.recovered > 0
