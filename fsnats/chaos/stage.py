"""A fleet that runs: lets one scenario happen to it, reads the bus like anybody, and judges."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence

import msgspec

from fsnats.binance.streams import Market, parse
from fsnats.bus.nats import NatsBus
from fsnats.chaos.client import Client
from fsnats.chaos.exchange import Exchange
from fsnats.chaos.judge import Verdict
from fsnats.chaos.processes import Fleet
from fsnats.chaos.proxy import Proxy
from fsnats.chaos.reader import Reader, Reading
from fsnats.chaos.report import Report, problems
from fsnats.chaos.scenarios import Scenario
from fsnats.errors import ExchangeUnavailable
from fsnats.status import Status, ask

CALM = 0.5  # seconds of ordinary life before a trouble
PATIENCE = 5.0  # seconds after it in which the last losses may be made good or noticed
HEALING = 15.0  # seconds in which every stream must flow again
_WAIT_MOST = 400_000  # milliseconds: longer than a worker tries to fill a hole
_ANSWER = 0.3  # seconds that workers have to tell their status
_FRESH = 1.5  # seconds; a steady stream that was silent for longer does not flow


class _Connection(msgspec.Struct):
    streams: list[str]
    joined: int
    dials: int


class Troubled:
    """A fleet that runs, and everything that scenarios do to it."""

    def __init__(
        self, fleet: Fleet, exchange: Exchange, reader: Reader, bus: NatsBus, proxies: Sequence[Proxy] = ()
    ) -> None:
        self.fleet = fleet
        self.exchange = exchange
        self.reader = reader
        self.client: Client | None = None  # of the gateway, where there is one
        self._bus = bus
        self._proxies = proxies
        self._said: list[str] = []
        self._kills: list[str] = []
        self._begun = _now()
        self._settled: dict[Reading, int] = {}  # until when what was produced is judged

    # What scenarios use.

    async def fault(self, name: str, **options: object) -> None:
        await self.exchange.control(f"faults/{name}", options)

    async def control(self, path: str, **options: object) -> None:
        await self.exchange.control(path, options)

    async def connections(self) -> list[int]:
        open_ = (await self.exchange.ledger())["connections"]
        return [each["id"] for each in sorted(open_, key=lambda each: (each["market"], each["route"], each["id"]))]

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def mark(self) -> None:
        self.reader.mark()

    def kill(self, program: str) -> None:
        self.fleet.kill(program)
        self._kills.append(program)

    def read(self, market: str, stream: str) -> None:
        self.reader.read(parse(Market(market), stream), steady=False)

    async def arrives(self, market: str, stream: str, within: float) -> None:
        reading = self.reader.readings[Market(market), stream]
        if not await _until(lambda: bool(reading.live), within):
            self._said.append(f"{stream} did not arrive within {within:g} s")

    async def proxy_dies(self, seconds: float, number: int = 0) -> None:
        await self._proxies[number].die(seconds)

    async def redundant(self, within: float, dials: int = 0) -> int:
        deadline = time.monotonic() + within
        while True:
            connections = _connections(await ask(self._bus, f"_INBOX.{secrets.token_hex(4)}", _ANSWER))
            dialled = sum(each.dials for each in connections)
            if dialled >= max(1, dials) and all(
                each.streams and each.joined >= len(each.streams) for each in connections
            ):
                return dialled
            if time.monotonic() > deadline:
                self._said.append(f"not every connection carried everything within {within:g} s")
                return dialled

    # What the runner does.

    @property
    def cut_off(self) -> int:
        """How often we were cut off from NATS without anybody's doing: it has no patience with slow readers."""
        return self._bus.reconnects - self._kills.count("nats-server")

    async def run(
        self, scenario: Scenario, seconds: float, patience: float = PATIENCE, healing: float = HEALING
    ) -> Report:
        """Let one scenario happen to a fleet that is well, and judge."""
        self._said = []
        if not await self.flows(HEALING * 2):
            raise ExchangeUnavailable("data", "streams do not flow, so there is nothing to trouble")
        before = await self.exchange.ledger()
        unreadable, notices, since = self.reader.unreadable, self.reader.notices, _now()
        self.reader.marked = 0.0
        await asyncio.sleep(CALM)
        await scenario.act(self, seconds)
        await self.flows(healing)
        back = self._back()
        until = _now()
        deadline = time.monotonic() + patience
        while True:
            await self.learn()
            report = Report(scenario.name, Verdict(), self.judge(since, until), back, said=self._said)
            for verdict in report.by_kind.values():
                report.verdict.add(verdict)
            lost = report.verdict.unnoticed or (scenario.served and report.by_kind["aggTrade"].missing)
            if not lost or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
        after = await self.exchange.ledger()
        newest = after["violations"][len(before["violations"]) :]
        report.dials = after["dials"] - before["dials"]
        report.violations = [f"{each['limit']} on {each['market']}: {each['detail']}" for each in newest]
        report.unreadable = self.reader.unreadable - unreadable
        report.notices = self.reader.notices - notices
        report.problems = problems(report, scenario)
        return report

    async def learn(self) -> None:
        """Tell the judges what was produced."""
        for reading in list(self.reader.readings.values()):
            await self.exchange.tell(reading)

    def judge(self, since: int, until: int) -> dict[str, Verdict]:
        """The verdicts on what was produced then, by stream type."""
        verdicts: dict[str, Verdict] = {}
        for reading in self.reader.readings.values():
            verdicts.setdefault(reading.stream.kind, Verdict()).add(reading.judge.verdict(since, until))
        return verdicts

    def settle(self, until: int) -> dict[str, Verdict]:
        """The verdicts on what was produced since the last time and until then, which is final and forgotten.

        A stream that waits for what is late is left for the next time.
        """
        verdicts: dict[str, Verdict] = {}
        for reading in self.reader.readings.values():
            since = self._settled.get(reading, self._begun)
            if reading.judge.waits and until - since < _WAIT_MOST:
                continue
            self._settled[reading] = until
            verdicts.setdefault(reading.stream.kind, Verdict()).add(reading.judge.verdict(since + 1, until))
            reading.judge.forget(until)
        return verdicts

    async def completes(self, within: float) -> bool:
        """Whether everything that was said to come late has come, or was lost, in time."""
        return await _until(lambda: not any(each.judge.waits for each in self.reader.readings.values()), within)

    async def flows(self, within: float) -> bool:
        """Whether every steady stream flows in time, after the mark if there is one."""

        def all_flow() -> bool:
            now, marked = time.monotonic(), self.reader.marked
            steady = [each for each in self.reader.readings.values() if each.steady]
            return all(now - each.live < _FRESH and (not marked or each.back is not None) for each in steady)

        return await _until(all_flow, within)

    def _back(self) -> dict[str, float | None]:
        def took(reading: Reading) -> float | None:
            return None if reading.back is None else round(reading.back - self.reader.marked, 3)

        if not self.reader.marked:
            now = time.monotonic()
            return {
                f"{market}/{name}": None
                for (market, name), each in self.reader.readings.items()
                if each.steady and now - each.live >= _FRESH
            }
        return {f"{market}/{name}": took(each) for (market, name), each in self.reader.readings.items() if each.steady}


def _connections(answers: list[Status]) -> list[_Connection]:
    """Every worker's connections to the exchange."""
    workers = [answer for answer in answers if answer["kind"] == "ingest"]
    return [each for worker in workers for each in msgspec.convert(worker["connections"], list[_Connection])]


async def _until(condition: Callable[[], bool], within: float) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def _now() -> int:
    return time.time_ns() // 1_000_000
