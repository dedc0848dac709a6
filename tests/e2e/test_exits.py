"""A whole fleet behind a pool of real proxies, each of which leaves from an address of its own, over TLS.

The exchange tells clients apart by these addresses, as Binance does; its ledger says by which exit everything came.
"""

import asyncio
import base64
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from fsnats import history
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.chaos.processes import Fleet
from fsnats.chaos.report import Report
from fsnats.chaos.runner import watched
from fsnats.chaos.scenarios import Scenario, Stage
from fsnats.chaos.stage import Troubled
from fsnats.errors import BusUnavailable
from fsnats.rendezvous import METRICS_FILE
from fsnats.subjects import KLINES
from tests.e2e.client import until
from tests.e2e.conftest import Measure
from tests.e2e.fleet import free_port, get
from tests.fsnats.cli.conftest import environment, fsnats, running
from tests.proxies import LOGIN, PLAIN_LOGIN, Relay, Tinyproxy, make_authority, microsocks
from workers.ingest.carrier import HEALTH

SYMBOLS = ("btcusdt", "ethusdt", "bnbusdt", "solusdt")
SECRETS = ("s3cr3t", base64.b64encode(b"me:s3cr3t:@/").decode(), base64.b64encode(b"me:s3cr3t").decode())
_PATIENCE, _HEALING = 3.0, 20.0  # seconds, as in test_chaos

PLAIN, CONNECT, LOCKED, LOCKED_CONNECT = (f"127.0.0.{number}" for number in (2, 3, 4, 5))  # where exits leave


class Pool:
    """Four proxies: SOCKS5 and HTTP, without a password and with one."""

    def __init__(self, directory: Path) -> None:
        self._ports = {address: free_port() for address in (PLAIN, CONNECT, LOCKED, LOCKED_CONNECT)}
        self._tinyproxies = {
            address: Tinyproxy(directory, self._ports[address]) for address in (CONNECT, LOCKED_CONNECT)
        }
        self._running: dict[str, AsyncExitStack] = {}

    async def __aenter__(self) -> "Pool":
        for address, port in self._ports.items():
            login = address in (LOCKED, LOCKED_CONNECT)
            if address in self._tinyproxies:
                proxy = self._tinyproxies[address].running(login=login, lines=(f"Bind {address}",))
            else:
                proxy = microsocks(login=login, port=port, leaving=address)
            self._running[address] = AsyncExitStack()
            await self._running[address].enter_async_context(proxy)
        return self

    async def __aexit__(self, *_: object) -> None:
        for address in list(self._running):
            await self.end(address)

    @property
    def setting(self) -> str:
        """FSNATS_PROXY."""
        port = self._ports
        return (
            f"socks5h://127.0.0.1:{port[PLAIN]},http://127.0.0.1:{port[CONNECT]},"
            f"socks5://{LOGIN}@127.0.0.1:{port[LOCKED]},http://{PLAIN_LOGIN}@127.0.0.1:{port[LOCKED_CONNECT]}"
        )

    def name(self, address: str) -> str:
        """The exit's name, as everybody may see it."""
        scheme = {PLAIN: "socks5h", LOCKED: "socks5"}.get(address, "http")
        return f"{scheme}://127.0.0.1:{self._ports[address]}"

    async def change(self, address: str, *, login: bool = False, lines: tuple[str, ...] = ()) -> None:
        """Let an HTTP proxy go by other rules."""
        await self._tinyproxies[address].change(login=login, lines=(f"Bind {address}", *lines))

    async def end(self, address: str) -> None:
        """Kill it, and everything that runs through it."""
        await self._running.pop(address).aclose()


class House:
    """What a test looks at."""

    def __init__(self, directory: Path, pool: Pool, stage: Troubled, settings: dict[str, object]) -> None:
        self.directory = directory
        self.pool = pool
        self.stage = stage
        self.settings: dict[str, str | int] = {name: str(value) for name, value in settings.items()}
        self.candles: list[history.HistoryReply] = []

    async def feeds(self) -> Counter[str]:
        """How many connections come from which address."""
        ledger = await self.stage.exchange.ledger()
        return Counter(each["peer"].rpartition(":")[0] for each in ledger["connections"])

    async def cut(self, *addresses: str) -> None:
        """Cut all connections that come from there."""
        for each in (await self.stage.exchange.ledger())["connections"]:
            if each["peer"].rpartition(":")[0] in addresses:
                await self.stage.fault("cut", connection=each["id"])

    async def settled(self) -> None:
        """Return when all connections are so old that their end is not thought to be their exit's fault."""
        while True:
            ledger = await self.stage.exchange.ledger()
            youngest = max(each["opened"] for each in ledger["connections"])
            if ledger["now"] - youngest > (HEALTH + 2) * 1000:
                return
            await asyncio.sleep(0.1)

    async def callers(self) -> Counter[str]:
        """How many REST requests came from which address."""
        return Counter((await self.stage.exchange.ledger())["callers"])

    async def troubled(self, act: Callable[[], Awaitable[None]], *, served: bool = True) -> Report:
        """Let something happen, and expect that nothing is lost without a notice, and that all streams come back."""

        async def happen(stage: Stage, _seconds: float) -> None:
            await act()
            stage.mark()

        report = await self.stage.run(Scenario("exits", "", happen, served=served), 0.0, _PATIENCE, _HEALING)
        assert report.problems == []
        return report

    async def history_answers(self) -> None:
        """Return when candles come that were asked for from now on: the next ones may have been on their way."""
        before = len(self.candles) + 1
        await until(lambda: any(not each.code for each in self.candles[before:]), "history answers")

    async def exit(self, address: str) -> dict[str, str]:
        """What the desk says is wrong with an exit: verdicts by area."""
        for answer in msgspec.json.decode(await self.says("status", "--json"))["programs"]:
            for one in answer.get("exits", []):
                if one["name"] == self.pool.name(address):
                    return {each["area"]: each["verdict"] for each in one["troubles"] if each["verdict"]}
        raise AssertionError(f"nobody knows {self.pool.name(address)}")

    async def says(self, *command: str) -> str:
        """What one of our commands prints."""
        ended = await fsnats(*command, settings={**self.settings, "nats_url": self.stage.fleet.nats_url})
        return ended.out + ended.err


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    for name in ("fleet", "proxies"):
        (tmp_path / name).mkdir()
    ca, server_context = await make_authority(tmp_path / "proxies", "localhost")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(Pool(tmp_path / "proxies"))
        front = await stack.enter_async_context(Relay(0, server_context()))
        settings: dict[str, object] = {
            "proxy": pool.setting,
            "ca_file": ca,
            "log_level": "debug",
            "markets": "spot",
            "symbols": ",".join(SYMBOLS).upper(),
            "symbols_per_worker": 1,
        }
        settings["spot_ws_url"] = f"wss://localhost:{front.port}/spot"
        settings["spot_rest_url"] = f"https://localhost:{front.port}/spot"
        fleet = Fleet(tmp_path / "fleet", (), settings)
        front.target = fleet.port
        stage = await stack.enter_async_context(watched(fleet, SYMBOLS, markets=(Market.SPOT,)))
        house = House(tmp_path / "fleet", pool, stage, settings)
        asking = await stack.enter_async_context(asyncio.TaskGroup())
        task = asking.create_task(_ask(house))
        stack.callback(task.cancel)
        assert await stage.flows(60)
        yield house


async def _ask(house: House) -> None:
    """Ask the history worker for the newest candle, all the time: an open one has to be asked of the exchange."""
    request = msgspec.json.encode(history.KlinesRequest(Market.SPOT, "BTCUSDT", "1m", limit=1, newest=True))
    async with NatsBus([house.stage.fleet.nats_url], "e2e-history", lambda: 1.0) as bus:
        await bus.connected()
        while True:
            with contextlib.suppress(BusUnavailable):  # the worker has not started yet
                answer = await bus.request(KLINES, request, history.TIMEOUT)
                house.candles.append(msgspec.json.decode(answer, type=history.HistoryReply))
            await asyncio.sleep(0.1)


async def test_feeds_leave_what_refuses_or_dies_and_no_password_is_shown(house: House, measure: Measure) -> None:
    pool = house.pool
    assert set(await house.feeds()) == {PLAIN, CONNECT, LOCKED, LOCKED_CONNECT}
    await house.history_answers()
    await house.settled()

    async def refuse() -> None:
        await pool.change(CONNECT, login=True)
        await pool.change(LOCKED_CONNECT, login=True, lines=("ConnectPort 1",))
        await house.cut(CONNECT, LOCKED_CONNECT)

    report = await house.troubled(refuse)
    measure(f"exits: two of four proxies began to refuse, data after {report.back_p95} s")
    assert set(await house.feeds()) == {PLAIN, LOCKED}
    assert await house.exit(CONNECT) == {"anything": "login"}
    assert await house.exit(LOCKED_CONNECT) == {"localhost": "barred"}
    await house.history_answers()

    report = await house.troubled(lambda: pool.end(PLAIN))
    measure(f"exits: the third died, data after {report.back_p95} s")
    assert set(await house.feeds()) == {LOCKED}
    before = await house.callers()
    await house.history_answers()
    assert set(await house.callers() - before) == {LOCKED}
    assert set(await house.callers()) <= {PLAIN, CONNECT, LOCKED, LOCKED_CONNECT}
    assert (await house.stage.exchange.ledger())["violations"] == []

    await assert_nothing_shows_a_password(house)


async def test_what_the_exchange_refuses_one_exit_is_not_asked_of_it_again(house: House, measure: Measure) -> None:
    assert set(await house.feeds()) == {PLAIN, CONNECT, LOCKED, LOCKED_CONNECT}
    await house.history_answers()
    await house.settled()

    async def refuse() -> None:
        for address in (PLAIN, CONNECT, LOCKED):
            await house.stage.fault("limit_rest", seconds=300, status=418, ip=address)
        await house.stage.fault("legal", ip=CONNECT)
        await house.stage.fault("limit_dials", seconds=300, status=418, ip=LOCKED)
        await house.cut(PLAIN, CONNECT, LOCKED)

    report = await house.troubled(refuse)
    measure(f"exits: the exchange refused two of four, data after {report.back_p95} s")
    # A ban from REST is none from WebSocket: PLAIN's feeds came back to it.
    assert set(await house.feeds()) == {PLAIN, LOCKED_CONNECT}
    assert await house.exit(CONNECT) == {"localhost": "unserved"}
    assert (await house.exit(LOCKED))["anything"] == "banned"
    name = house.pool.name(LOCKED)
    assert f'exit="{name}",area="anything",verdict="banned"}} 1\n' in metrics(house)
    assert f'fsnats_exit_failures_total{{program="supervisor",exit="{name}",verdict="banned"}} ' in metrics(house)
    assert not {"localhost", "anything", "WebSocket handshakes"} & (await house.exit(PLAIN)).keys()

    before = await house.callers()
    for _ in range(10):
        await house.history_answers()
    asked = await house.callers() - before
    assert asked[LOCKED_CONNECT] >= 10
    assert max(asked[address] for address in (PLAIN, CONNECT, LOCKED)) <= 1  # it may not have been asked before
    assert (await house.stage.exchange.ledger())["violations"] == []


async def assert_nothing_shows_a_password(house: House) -> None:
    shown = {name: await house.says(*name.split()) for name in ("status", "status --json", "config", "doctor")}
    shown["metrics"], shown["the gateway's log"] = await served(house)
    shown["the fleet's metrics"] = metrics(house)
    assert f'exit="{house.pool.name(LOCKED)}"' in shown["the fleet's metrics"]
    shown |= written(house)
    assert house.pool.name(LOCKED) in shown["status"]
    assert house.pool.name(LOCKED_CONNECT) in shown[str(house.directory / "supervisor.log")]
    assert [name for name, text in shown.items() if any(secret in text for secret in SECRETS)] == []


def metrics(house: House) -> str:
    """What the supervisor tells Prometheus."""
    (url,) = house.directory.rglob(METRICS_FILE)
    status, text = get(url.read_text().strip())
    assert status == 200, text
    return text


def written(house: House) -> dict[str, str]:
    """All that the fleet wrote, and how it was started."""
    shown = {str(file): file.read_text(errors="replace") for file in house.directory.rglob("*") if file.is_file()}
    for name, pid in house.stage.fleet.pids().items():
        shown[f"the command line of {name}"] = Path(f"/proc/{pid}/cmdline").read_text()
    return shown


async def served(house: House) -> tuple[str, str]:
    """What a gateway of the same settings tells of itself, and its log."""
    port = free_port()
    more: dict[str, str | int] = {"nats_url": house.stage.fleet.nats_url, "gateway_port": port}
    more["state_dir"] = str(house.directory / "gateway")
    environ = environment(**{**house.settings, **more})
    async with running(sys.executable, "-P", "-m", "gateway", env=environ) as gateway:
        await until(lambda: get(f"http://127.0.0.1:{port}/metrics")[0] == 200, "the gateway serves")
        metrics = get(f"http://127.0.0.1:{port}/metrics")[1]
        gateway.terminate()
        out, err = await gateway.communicate()
    return metrics, (out + err).decode()
