"""`fsnats verify`: compare the store's candles with the exchange's own."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats.cli.backfill import CONTINUOUS, INTERRUPTED, MARKET, SYMBOLS, listed, name_of
from fsnats.cli.settings import configured
from fsnats.errors import EXIT_USAGE, Unusable
from fsnats.moments import HELP, shown

if TYPE_CHECKING:
    from fsnats.backfill.verification import Verdict
    from fsnats.binance.streams import Market
    from fsnats.bus.nats import NatsBus
    from fsnats.config import Config
    from fsnats.store import Series, Span, Store

NOTHING = 66  # sysexits.h EX_NOINPUT: the store has nothing of that
_DIFFERENCES = 20  # of one series that are told one by one
_LOOK = 0.5  # seconds between two looks at the progress
_WAYS = {"stored": "as stored", "1m": "made of 1m", "trades": "made of trades"}


def verify(
    context: typer.Context,
    market: MARKET,
    symbols: SYMBOLS,
    interval: Annotated[list[str], typer.Option("--interval", metavar="I", help="Candles, such as 1h or 1h,1d.")],
    from_: Annotated[str, typer.Option("--from", metavar="MOMENT", help=f"From then on: {HELP}.")],
    to: Annotated[str, typer.Option("--to", metavar="MOMENT", help="Before then.")] = "now",
    continuous: CONTINUOUS = "",
) -> None:
    """Compare the store's candles with the exchange's own.

    Those of the interval that are stored, and those made of stored 1m and of stored trades, field by field.  What the
    store does not have whole is counted and not compared.

    Ends with status 0 when all are the same, 1 when any differs, 66 when there is nothing to compare, 64 for words that
    mean nothing, 69 when the fleet, the exchange or the store is not there, and 130 after Ctrl-C.
    """
    from fsnats.cli.bus import connected_bus, run, unique_name
    from fsnats.cli.series import contract_type, intervals, period, split

    try:
        contract = contract_type(continuous) if continuous else ""
        kinds = intervals(market, contract, split(interval))
        if not kinds:
            raise Unusable("say what to compare: --interval 1h")
        first, last = period(from_, to, time.time_ns() // 1_000_000)
    except Unusable as error:
        raise typer.BadParameter(str(error)) from error
    job = _Job(configured(context), first, last)

    async def work() -> None:
        async with connected_bus(job.config, unique_name("verify")) as bus:
            await job.run(bus, market, split(symbols), kinds, contract)

    raise typer.Exit(run(work, level="warning") or job.status)


class _Job:
    """One run of the command."""

    def __init__(self, config: "Config", from_ms: int, to_ms: int) -> None:
        self.config = config
        self._from_ms = from_ms
        self._to_ms = to_ms
        self.status = INTERRUPTED

    async def run(
        self, bus: "NatsBus", market: "Market", names: list[str], intervals: list[str], contract: str
    ) -> None:
        """Do it all, and say how it ends in `status`."""
        from fsnats.cli import series as words
        from fsnats.store.opening import open_served

        listing = await listed(bus, market)
        try:
            chosen = words.series(listing, names, intervals, trades=False, contract=contract)
        except Unusable as error:
            typer.echo(f"fsnats: {error}", err=True)
            self.status = EXIT_USAGE
            return
        store = await open_served(self.config, bus)
        try:
            verdicts = await self._compare(bus, chosen, store)
        finally:
            await store.close()
        for verdict in sorted(verdicts, key=lambda one: (one.series, one.way)):
            for line in lines(verdict):
                typer.echo(line)
        compared = sum(verdict.compared for verdict in verdicts)
        different = any(verdict.differences or verdict.refused for verdict in verdicts)
        typer.echo(f"{compared:,} candles compared" + ("" if compared else ": the store has none of them whole"))
        self.status = 1 if different else 0 if compared else NOTHING

    async def _compare(self, bus: "NatsBus", chosen: "list[Series]", store: "Store") -> "list[Verdict]":
        from fsnats.backfill.asking import Asking
        from fsnats.backfill.filler import each
        from fsnats.backfill.keys import count, settled
        from fsnats.backfill.verification import verify
        from fsnats.cli.progress import Progress
        from fsnats.clock import SystemClock

        asking = Asking(bus, SystemClock())
        now_ms = await asking.time(chosen[0].market)
        spans = [(one, span) for one in chosen if (span := settled(one, self._from_ms, self._to_ms, now_ms))]
        total = sum(count(series, span) for series, span in spans)
        verdicts: list[Verdict] = []
        with Progress(total, lambda: asking.waiting, time.monotonic) as progress:

            async def show() -> None:
                while True:
                    progress.look()
                    await asyncio.sleep(_LOOK)

            async def compare(one: "tuple[Series, Span]") -> None:
                verdicts.extend(await verify(store, asking, *one, progress.advance))

            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(show())
                await each(spans, compare)
                showing.cancel()
        return verdicts


def lines(verdict: "Verdict") -> list[str]:
    """A verdict for people."""
    different = len({one.open_ms for one in verdict.differences})
    same = "all the same" if verdict.compared else "which says nothing"
    said = f"{different:,} DIFFER" if different else same
    unknown = f"; {verdict.unknown:,} more are not stored whole" if verdict.unknown else ""
    told = [f"{name_of(verdict.series)}, {_WAYS[verdict.way]}: {verdict.compared:,} compared, {said}{unknown}"]
    if verdict.refused:
        told.append(f"  it ends there: {verdict.refused}")
    for one in verdict.differences[:_DIFFERENCES]:
        told.append(f"  {shown(one.open_ms)} {one.field}: {one.ours} here, {one.theirs} at the exchange")
    if len(verdict.differences) > _DIFFERENCES:
        told.append(f"  and {len(verdict.differences) - _DIFFERENCES:,} more")
    return told
