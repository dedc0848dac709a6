"""The troubles by name: what each does, and what is expected of the fleet besides the zeros that always hold."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec


class Stage(Protocol):
    """What a scenario acts on."""

    async def fault(self, name: str, **options: object) -> None:
        """Have the simulated exchange do something, by the name that `POST /sim/faults/<name>` knows."""

    async def control(self, path: str, **options: object) -> None:
        """Control the simulated exchange, e.g. `list`."""

    async def connections(self) -> list[int]:
        """The ids of all open connections to the exchange, by market and route: spot first."""

    async def sleep(self, seconds: float) -> None: ...

    def mark(self) -> None:
        """The exchange accepts again: the time until data flows is counted from here."""

    def kill(self, program: str) -> None:
        """End a program with SIGKILL; its supervisor starts it again."""

    def read(self, market: str, stream: str) -> None:
        """Read one more stream."""

    async def arrives(self, market: str, stream: str, within: float) -> None:
        """Wait for a frame of a stream; that none comes is a problem."""

    async def proxy_dies(self, seconds: float, number: int = 0) -> None:
        """End a proxy and everything through it, for so long."""

    async def redundant(self, within: float, dials: int = 0) -> int:
        """Wait until so many dials were made, and each stream would go on without a break whichever connection is lost.

        Returns the number of dials.
        """


class Scenario(msgspec.Struct, frozen=True):
    """One trouble.  `seconds` is how long it lasts unless told otherwise, `short` in tests."""

    name: str
    does: str
    act: Callable[[Stage, float], Awaitable[None]]
    seconds: float = 5.0
    short: float = 2.0
    prompt: bool = False  # data flows within two seconds at the 95th percentile
    served: bool = True  # REST answers, so that every aggregate trade arrives in the end
    seamless: bool = False  # nothing may be missing, fetched afterwards, told as lost or late
    fleet: str = "plain"  # or proxy: behind one that can die; crowd: twenty feeds; redundant: two connections and exits
    soaks: bool = False  # may strike at random, also while another one has not healed


async def _cut(stage: Stage, seconds: float) -> None:
    await stage.fault("cut", connection=(await stage.connections())[0])
    stage.mark()


async def _cut_all(stage: Stage, seconds: float) -> None:
    await stage.fault("cut")
    stage.mark()


async def _half_open(stage: Stage, seconds: float) -> None:
    await stage.fault("half_open", connection=(await stage.connections())[0])
    await stage.sleep(seconds)


async def _ghost(stage: Stage, seconds: float) -> None:
    for connection in await stage.connections():
        await stage.fault("ghost", connection=connection)
    await stage.sleep(seconds)


async def _stall(stage: Stage, seconds: float) -> None:
    await stage.fault("stall", seconds=seconds)
    await stage.sleep(seconds)


async def _day(stage: Stage, seconds: float) -> None:
    # Whatever is older than this moment ends, what is dialled now lives its day.
    await stage.fault("life", seconds=0.5)
    await stage.sleep(0.2)
    await stage.fault("life", seconds=86_400)
    stage.mark()


async def _shutdown(stage: Stage, seconds: float) -> None:
    await stage.fault("shutdown", seconds=seconds)
    await stage.sleep(seconds)
    stage.mark()


async def _overlap(stage: Stage, seconds: float) -> None:
    first, *others = await stage.connections()
    await stage.fault("lag", connection=first, milliseconds=400)  # the old one is behind the new one
    await stage.fault("shutdown", connection=first, seconds=seconds)
    await stage.sleep(seconds)
    if others:
        await stage.fault("lag", coming=True, milliseconds=400)  # the new one is behind the old one
        await stage.fault("shutdown", connection=others[-1], seconds=seconds)
        await stage.sleep(seconds + 0.5)
        await stage.fault("lag", coming=True, milliseconds=0)
    await stage.fault("lag", milliseconds=0)


async def _proxy(stage: Stage, seconds: float) -> None:
    await stage.proxy_dies(seconds)
    stage.mark()


async def _legal(stage: Stage, seconds: float) -> None:
    await stage.fault("legal", on=True)
    await stage.fault("cut")
    await stage.sleep(seconds)
    await stage.fault("legal", on=False)
    stage.mark()


async def _limit(stage: Stage, seconds: float) -> None:
    await stage.fault("limit_rest", seconds=seconds, status=429)
    await stage.fault("cut")
    await stage.sleep(seconds / 2)
    await stage.fault("limit_rest", seconds=seconds / 2, status=418)
    await stage.sleep(seconds / 2)
    stage.mark()


async def _route(stage: Stage, seconds: float) -> None:
    # What a stream looks like that was asked for on the wrong route: acknowledged, and silent for ever.
    await stage.fault("silence", stream="btcusdt@aggTrade", coming=True)
    await stage.sleep(seconds)
    await stage.fault("silence", stream="btcusdt@aggTrade", on=False)
    stage.mark()


async def _refused(stage: Stage, seconds: float) -> None:
    await stage.fault("refuse", seconds=seconds)
    await stage.fault("cut")
    await stage.sleep(seconds)
    stage.mark()


async def _worker(stage: Stage, seconds: float) -> None:
    stage.kill("ingest-spot-0")
    stage.mark()


async def _nats(stage: Stage, seconds: float) -> None:
    stage.kill("nats-server")
    stage.mark()


async def _listing(stage: Stage, seconds: float) -> None:
    for market in ("spot", "usdm"):
        stage.read(market, "chaosusdt@aggTrade")
        await stage.control("list", market=market, symbol="CHAOSUSDT")
    for market in ("spot", "usdm"):
        await stage.arrives(market, "chaosusdt@aggTrade", within=seconds + 8)
        await stage.control("delist", market=market, symbol="CHAOSUSDT")
    await stage.sleep(seconds)


async def _skew(stage: Stage, seconds: float) -> None:
    for milliseconds in (60_000, -60_000, 0):
        await stage.fault("skew", milliseconds=milliseconds)
        await stage.sleep(seconds / 2)


async def _garbage(stage: Stage, seconds: float) -> None:
    for kind in ("json", "html", "binary", "large", "event", "age"):
        await stage.fault("garbage", kind=kind)
    await stage.sleep(seconds)


async def _storm(stage: Stage, seconds: float) -> None:
    for _ in range(2):
        await stage.fault("cut")
        await stage.sleep(seconds / 2)
    stage.mark()


async def _either_dies(stage: Stage, seconds: float) -> None:
    dials = await stage.redundant(within=30)
    for place in (0, 1):
        await stage.fault("cut", connection=(await stage.connections())[place])
        dials = await stage.redundant(within=30, dials=dials + 1)
    await stage.proxy_dies(seconds)


async def _either_lags(stage: Stage, seconds: float) -> None:
    dials = await stage.redundant(within=30)
    one, other, *_ = await stage.connections()
    await stage.fault("stall", connection=one, seconds=seconds)
    await stage.sleep(seconds + 0.5)
    await stage.fault("lag", connection=other, milliseconds=800)
    await stage.sleep(seconds)
    await stage.fault("shutdown", connection=one, seconds=seconds)
    await stage.sleep(seconds + 0.5)
    await stage.redundant(within=30, dials=dials + 1)
    await stage.fault("half_open", connection=other)
    await stage.sleep(seconds)


_TWO = "redundant"
SCENARIOS = (
    Scenario("cut", "aborts one connection", _cut, short=0, prompt=True, soaks=True),
    Scenario("cut-all", "aborts every connection at once", _cut_all, short=0, prompt=True, soaks=True),
    Scenario("half-open", "keeps a connection that reads and sends nothing", _half_open, 30, 4, soaks=True),
    Scenario("ghost", "keeps connections that answer pings and send no data", _ghost, 30, 4, soaks=True),
    Scenario("stall", "holds everything back, then sends it in one burst", _stall, 5, 2, soaks=True),
    Scenario("day", "ends connections as at the end of their 24 hours", _day, short=0, prompt=True, soaks=True),
    Scenario("shutdown", "announces serverShutdown and closes", _shutdown, 5, 2, prompt=True, soaks=True),
    Scenario("overlap", "shuts down connections of which one is behind the other", _overlap, 4, 1.5, soaks=True),
    Scenario("proxy-death", "ends the proxy and everything through it", _proxy, 10, 1.5, fleet="proxy"),
    Scenario("legal", "answers handshakes and REST with 451", _legal, 20, 1.5),
    Scenario("limits", "answers REST with 429, then 418, after a cut", _limit, 20, 2, served=False),
    Scenario("wrong-route", "keeps streams acknowledged and silent", _route, 20, 3, soaks=True),
    Scenario("refused", "cuts everything and refuses connections", _refused, 60, 2, soaks=True),
    Scenario("kill-worker", "kills a worker", _worker, short=0, soaks=True),
    Scenario("kill-nats", "kills the NATS server", _nats, short=0, soaks=True),
    Scenario("listing", "lists a symbol and a contract, and delists them", _listing, 5, 1),
    Scenario("skew", "puts the exchange's clock ahead and behind", _skew, 10, 1.5, soaks=True),
    Scenario("garbage", "sends broken, foreign, huge and untimely messages", _garbage, 5, 1, soaks=True),
    Scenario("either-dies", "ends one connection of two, or an exit", _either_dies, 10, 1.5, seamless=True, fleet=_TWO),
    Scenario("either-lags", "holds back one of two connections", _either_lags, 4, 1.5, seamless=True, fleet=_TWO),
    Scenario("storm", "cuts twenty feeds, and again", _storm, 10, 2, fleet="crowd"),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
