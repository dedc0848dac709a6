"""`fsnats backfill`: fetch what the store lacks."""

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats.binance.streams import Market
from fsnats.cli.settings import configured
from fsnats.errors import EXIT_USAGE, UNREADABLE, BusUnavailable, Unusable
from fsnats.moments import HELP, shown

if TYPE_CHECKING:
    from fsnats.backfill.continuity import Continuity
    from fsnats.backfill.filler import Filler, Outcome, Want
    from fsnats.bus.nats import NatsBus
    from fsnats.config import Config
    from fsnats.store import Series, Span, Store
    from fsnats.symbols import Listing

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_FEW = 20  # series that are all told of; of more, those of which there is something to tell
_SPANS = 10  # stretches of one series that are told of one by one
_LOOK = 0.5  # seconds between two looks at the progress

MARKET = Annotated[Market, typer.Argument(metavar="MARKET", help="spot, usdm or coinm.")]
SYMBOLS = Annotated[
    list[str], typer.Argument(metavar="SYMBOL...", help="Symbols, or ALL that trade; with --continuous: pairs.")
]
CONTINUOUS = Annotated[
    str, typer.Option("--continuous", metavar="TYPE", help="Continuous candles of this type of contract: PERPETUAL …")
]


def backfill(
    context: typer.Context,
    market: MARKET,
    symbols: SYMBOLS,
    from_: Annotated[str, typer.Option("--from", metavar="MOMENT", help=f"From then on: {HELP}.")],
    to: Annotated[str, typer.Option("--to", metavar="MOMENT", help="Before then.")] = "now",
    interval: Annotated[
        list[str] | None, typer.Option("--interval", metavar="I", help="Candles, such as 1m or 1m,1h; may be repeated.")
    ] = None,
    trades: Annotated[bool, typer.Option("--trades", help="Aggregated trades.")] = False,
    continuous: CONTINUOUS = "",
) -> None:
    """Fetch what the store lacks of candles and trades.

    Through the fleet's history workers, fifteen requests at once, within half of the exchange's weight.  What is there
    already is not fetched again; stopped with Ctrl-C and started again it goes on where it was.  Afterwards every row
    is looked at, and what the exchange itself does not have is told.

    Ends with status 0 when the store has all that the exchange has, 1 when it does not, 64 for words that mean nothing,
    69 when the fleet, the exchange or the store is not there, and 130 after Ctrl-C.
    """
    from fsnats.cli.bus import connected_bus, run, unique_name
    from fsnats.cli.series import contract_type, intervals, period, split

    try:
        contract = contract_type(continuous) if continuous else ""
        kinds = intervals(market, contract, split(interval or ()))
        first, last = period(from_, to, time.time_ns() // 1_000_000)
        if trades and contract:
            raise Unusable("--trades are of symbols and --continuous is of pairs; ask for one after the other")
        if not trades and not kinds:
            raise Unusable("say what to fetch: --interval 1m, say, or --trades")
    except Unusable as error:
        raise typer.BadParameter(str(error)) from error
    config = configured(context)
    job = _Job(config, first, last)

    async def work() -> None:
        async with connected_bus(config, unique_name("backfill")) as bus:
            await job.run(bus, market, split(symbols), kinds, trades=trades, contract=contract)

    raise typer.Exit(run(work, level="warning") or job.status)


class _Job:
    """One run of the command."""

    def __init__(self, config: "Config", from_ms: int, to_ms: int) -> None:
        self._config = config
        self._from_ms = from_ms
        self._to_ms = to_ms
        self.status = INTERRUPTED

    async def run(
        self, bus: "NatsBus", market: Market, names: list[str], intervals: list[str], *, trades: bool, contract: str
    ) -> None:
        """Do it all, and say how it ends in `status`."""
        from fsnats.backfill.asking import Asking
        from fsnats.backfill.filler import Filler
        from fsnats.cli import series as words
        from fsnats.clock import SystemClock
        from fsnats.store.opening import open_served

        listing = await listed(bus, market)
        try:
            chosen = words.series(listing, names, intervals, trades=trades, contract=contract)
        except Unusable as error:
            typer.echo(f"fsnats: {error}", err=True)
            self.status = EXIT_USAGE
            return
        store = await open_served(self._config, bus)
        try:
            asking = Asking(bus, SystemClock())
            now_ms = await asking.time(market)
            filler = Filler(store, asking, now_ms)
            wants, refused = await self._wants(filler, chosen, now_ms)
            outcomes = await _fill(filler, wants)
            nothing = len(chosen) - len(wants) - len(refused)
            self.status = max(await _report(store, outcomes, nothing, asking.asked), int(bool(refused)))
            for series, reason in refused.items():
                typer.echo(f"{name_of(series)}: {reason}")
        finally:
            await store.close()
            if self.status == INTERRUPTED:
                typer.echo("fsnats: stopped; what was written stays, and the same command goes on from there", err=True)

    async def _wants(
        self, filler: "Filler", chosen: "list[Series]", now_ms: int
    ) -> "tuple[list[Want], dict[Series, str]]":
        """What is wanted of each series, without those of which there is nothing in that time; and of which the
        exchange says nothing, and why."""
        from fsnats.backfill.asking import Refusal
        from fsnats.backfill.filler import Want, each
        from fsnats.backfill.keys import settled

        spans: dict[Series, Span | None] = {}

        async def find(series: "Series") -> None:
            if series.interval:
                spans[series] = settled(series, self._from_ms, self._to_ms, now_ms)
            else:
                try:
                    spans[series] = await filler.trades_between(series, self._from_ms, self._to_ms)
                except Refusal as refusal:
                    refused[series] = str(refusal)

        refused: dict[Series, str] = {}
        await each(chosen, find)
        return [Want(series, span) for series in chosen if (span := spans.get(series)) is not None], refused


async def listed(bus: "NatsBus", market: Market) -> "Listing":
    """What a market lists.  Raises BusUnavailable where no fleet knows."""
    import msgspec

    from fsnats.catalogue import LISTINGS, read
    from fsnats.cli.page import SIMULATED
    from fsnats.symbols import Listing

    try:
        listing = msgspec.json.decode(await read(bus, LISTINGS, market) or b"", type=Listing)
    except (BusUnavailable, *UNREADABLE):
        reason = f"nobody on this bus knows what {market} lists; does a fleet with that market run? `fsnats status`"
        raise BusUnavailable(reason) from None
    if listing.simulated:
        typer.echo(f"fsnats: {SIMULATED}", err=True)
    return listing


async def _fill(filler: "Filler", wants: "list[Want]") -> "list[Outcome]":
    """Fetch it, and show how far that is."""
    from fsnats.backfill.filler import each
    from fsnats.backfill.keys import count
    from fsnats.cli.progress import Progress

    total = 0

    async def size(want: "Want") -> None:
        nonlocal total
        holes = await filler.missing(want)  # not within the sum: others add to it meanwhile
        total += sum(count(want.series, hole) for hole in holes)

    await each(wants, size)
    outcomes: list[Outcome] = []
    with Progress(total, lambda: filler.waiting, time.monotonic) as progress:

        async def show() -> None:
            while True:
                progress.look()
                await asyncio.sleep(_LOOK)

        filler.told = lambda _series, keys: progress.advance(keys)
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(show())
            await filler.fill_all(wants, outcomes.append)
            showing.cancel()
    return outcomes


async def _report(store: "Store", outcomes: "list[Outcome]", nothing: int, asked: int) -> int:
    """Look at what is there now, tell it, and return the exit status."""
    from fsnats.backfill.continuity import look
    from fsnats.backfill.keys import count
    from fsnats.cli.progress import Progress

    status = 0
    rows = sum(count(outcome.want.series, outcome.want.span) for outcome in outcomes)
    looked: list[tuple[Outcome, Continuity]] = []
    with Progress(rows, lambda: 0.0, time.monotonic, "looked at") as progress:
        for outcome in sorted(outcomes, key=lambda outcome: outcome.want.series):
            looked.append((outcome, await look(store, outcome.want.series, outcome.want.span)))
            progress.advance(count(outcome.want.series, outcome.want.span))
            progress.look()
    for outcome, found in looked:
        lines = list(notes(outcome, found))
        incomplete = bool(outcome.refused) or any(
            outcome.nothing_from is None or hole.first < outcome.nothing_from for hole in found.unknown
        )
        status = 1 if incomplete else status
        if lines or len(outcomes) <= _FEW:
            typer.echo(
                f"{name_of(found.series)}: {outcome.rows:,} fetched, {found.rows:,} there"
                + ("" if lines else ", none missing")
            )
            for line in lines:
                typer.echo(f"  {line}")
    if nothing:
        typer.echo(f"{nothing} of the series have nothing in that time")
    rows = sum(outcome.rows for outcome in outcomes)
    typer.echo(
        f"{len(outcomes)} series: {rows:,} rows fetched by {asked:,} requests" + ("; NOT complete" if status else "")
    )
    return status


def name_of(series: "Series") -> str:
    """A series for people."""
    return " ".join(filter(None, (series.market, series.kind, series.name, series.interval)))


def notes(outcome: "Outcome", found: "Continuity") -> "Iterator[str]":
    """What is to be told of a series besides how many rows there are."""
    if outcome.refused:
        yield outcome.refused
    absent = list(found.absent)
    if absent and absent[0].first == found.span.first and found.first is not None:
        yield f"the first one that the exchange has: {_key(found.series, found.first)}"
        del absent[0]
    yield from _stretches(found.series, absent, "the exchange has none:")
    if outcome.nothing_from is not None:
        yield f"the exchange has none, or none yet, from {_key(found.series, outcome.nothing_from)} on"
    unknown = [one for one in found.unknown if outcome.nothing_from is None or one.first < outcome.nothing_from]
    yield from _stretches(found.series, unknown, "MISSING:")


def _stretches(series: "Series", spans: "list[Span]", what: str) -> "Iterator[str]":
    from fsnats.backfill.keys import count

    for span in spans[:_SPANS]:
        last = "" if span.first == span.last else f" to {_key(series, span.last)}"
        yield f"{what} {_key(series, span.first)}{last} ({count(series, span):,})"
    if len(spans) > _SPANS:
        keys = sum(count(series, span) for span in spans[_SPANS:])
        yield f"{what} {keys:,} more in {len(spans) - _SPANS} other places"


def _key(series: "Series", key: int) -> str:
    return shown(key) if series.interval else f"id {key}"
