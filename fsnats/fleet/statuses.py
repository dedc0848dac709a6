"""What the programs of a fleet answered to a status request, put in order.  Pure.

Programs of other versions may answer too: what is missing has a default, what is unknown is passed over.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fsnats.fleet.answers import sorted_out
from fsnats.offset import Offset

T = TypeVar("T")


class Program(msgspec.Struct, frozen=True):
    """One process as its supervisor sees it.  Ages in seconds, sizes in bytes."""

    name: str
    state: str = "?"
    pid: int | None = None
    restarts: int = 0
    uptime: float | None = None
    rss: int | None = None
    said: str = ""
    last_exit: int | None = None


class MarketView(msgspec.Struct, frozen=True):
    """One market as the supervisor knows it; `trouble` says why it could not be asked, or not be `kept`."""

    symbols: int = 0
    groups: int = 0
    simulated: bool | None = None
    taken_ms: int | None = None
    trouble: str | None = None
    kept: bool = True


class Connection(msgspec.Struct, frozen=True):
    """One connection to the exchange."""

    id: str
    status: str = "?"
    exit: str | None = None
    streams: list[str] = []
    live: int = 0
    joined: int = 0
    message_count: int = 0
    buffered: int = 0
    dials: int = 0
    rotations: int = 0
    age: float | None = None
    last_message_age: float | None = None
    last_error: str | None = None
    close_code: int | None = None
    first: int = 0
    late_mean_ms: float = 0.0
    late_max_ms: float = 0.0


class SilentStream(msgspec.Struct, frozen=True):
    """A stream that says nothing although it should.  Seconds."""

    stream: str
    seconds: float = 0.0
    cadence: float | None = None
    reason: str = ""
    trying: str = ""


class Silent(msgspec.Struct, frozen=True):
    """How many streams are silent, and the first of them; and how many one of several connections does not bring."""

    count: int = 0
    one_sided: int = 0
    streams: list[SilentStream] = []


class Worker(msgspec.Struct, frozen=True):
    """One ingest worker."""

    program: str
    pid: int = 0
    market: str = "?"
    symbols: int = 0
    messages: int = 0
    silent: Silent = Silent()
    odd: dict[str, int] = {}
    connections: list[Connection] = []


class Shelf(msgspec.Struct, frozen=True):
    """The store as a history worker has it; `state` is "ok" or why it is left out."""

    state: str = "ok"


class History(msgspec.Struct, frozen=True):
    """One history worker; it knows the exchange's clocks, by market."""

    program: str
    pid: int = 0
    clocks: dict[str, Offset] = {}
    store: Shelf = Shelf()


class Gateway(msgspec.Struct, frozen=True):
    """One gateway process."""

    program: str
    pid: int = 0
    ready: str = "?"
    simulated: bool = False
    uptime: float | None = None
    clients: int = 0
    channels: int = 0
    listeners: int = 0
    slow_clients: int = 0
    outbox_bytes: int = 0
    counted: dict[str, object] = {}
    unknown_names: list[str] = []


class Recorder(msgspec.Struct, frozen=True):
    """One recorder: what it wrote since it started, what waits for the store, and in the replay window."""

    program: str
    pid: int = 0
    streams: dict[str, int] = {}
    klines: int = 0
    trades: int = 0
    frames: int = 0
    backlog: int = 0
    backlog_seconds: float = 0.0
    in_window: int = 0
    last_commit_age: float | None = None
    holes: int = 0
    holes_left: int = 0
    fetched: int = 0
    fetch_trouble: str = ""
    store_trouble: str = ""
    window_trouble: dict[str, str] = {}
    refused: int = 0
    met: dict[str, int] = {}
    sample: str = ""


class Capture(msgspec.Struct, frozen=True):
    """One capture: what it has written, and what waits for the disk."""

    program: str
    streams: int = 0
    written: int = 0
    files: int = 0
    waiting: int = 0
    gaps: int = 0
    refused: int = 0
    trouble: str = ""


class ExitTrouble(msgspec.Struct, frozen=True):
    """What an exit is not good for, for `wait` more seconds; without a `verdict` it was not good for it lately."""

    area: str
    score: float = 1.0
    verdict: str | None = None
    reason: str = ""
    wait: float = 0.0
    is_probed: bool = False


class Used(msgspec.Struct, frozen=True):
    """How much of a minute's REST weight is used."""

    used: int = 0
    limit: int = 0


class Exit(msgspec.Struct, frozen=True):
    """One way to Binance."""

    name: str
    score: float = 1.0
    dials_free: int = 0
    weight: dict[str, Used] = {}
    troubles: list[ExitTrouble] = []


class Supervisor(msgspec.Struct, frozen=True):
    """The supervisor of a fleet."""

    version: str = "?"
    pid: int = 0
    uptime: float = 0.0
    programs: list[Program] = []
    markets: dict[str, MarketView] = {}
    exits: list[Exit] = []
    replay_trouble: str = ""


class Fleet(msgspec.Struct, frozen=True):
    """Everyone who answered, by what they are."""

    supervisors: list[Supervisor]
    workers: list[Worker]
    gateways: list[Gateway]
    histories: list[History]
    recorders: list[Recorder] = []
    captures: list[Capture] = []

    @property
    def clocks(self) -> dict[str, Offset]:
        """How far each market's clock is from ours, as the history worker says that knows best."""
        known = [(market, offset) for history in self.histories for market, offset in history.clocks.items()]
        return dict(sorted(known, key=lambda each: -each[1].rtt_ms))

    @property
    def simulated(self) -> bool:
        """Whether any of the data is made up."""
        markets = [market for supervisor in self.supervisors for market in supervisor.markets.values()]
        return any(market.simulated for market in markets) or any(gateway.simulated for gateway in self.gateways)

    @property
    def connections(self) -> list[Connection]:
        """Every worker's connections to the exchange."""
        return [each for worker in self.workers for each in worker.connections]


class _Head(msgspec.Struct):
    """What tells the answers apart."""

    kind: str = ""
    program: str = ""


_head = msgspec.json.Decoder(_Head).decode


def read(answers: Iterable[bytes]) -> Fleet:
    """Put answers, in JSON, in order.  One that makes no sense is left out: whoever shows them all shows it too."""
    by_kind: dict[str, list[bytes]] = {}
    for answer in answers:
        for head in sorted_out([answer], _head)[0]:
            by_kind.setdefault(head.kind or head.program, []).append(answer)

    def of(kind: str, shape: type[T]) -> list[T]:
        return sorted_out(by_kind.get(kind, ()), msgspec.json.Decoder(shape).decode)[0]

    return Fleet(
        of("supervisor", Supervisor),
        of("ingest", Worker),
        of("gateway", Gateway),
        of("history", History),
        of("recorder", Recorder),
        of("capture", Capture),
    )
