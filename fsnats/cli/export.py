"""`fsnats export`: candles and trades of the store as a file."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from fsnats.binance.streams import Market
from fsnats.cli.settings import configured
from fsnats.errors import EXIT_OUTPUT, OutputLost, Unusable
from fsnats.moments import HELP, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fsnats.config import Config
    from fsnats.formats import Format, Row, Title
    from fsnats.history import Missing
    from fsnats.store import Series, Store

NOTHING = 66  # sysexits.h EX_NOINPUT: the store has nothing of that
_TOLD = 10  # stretches that are missing and told one by one


def export(
    context: typer.Context,
    market: Annotated[Market, typer.Argument(metavar="MARKET", help="spot, usdm or coinm.")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol; with --continuous a pair.")],
    from_: Annotated[str, typer.Option("--from", metavar="MOMENT", help=f"From then on: {HELP}.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file to write; - is the output.")],
    to: Annotated[str, typer.Option("--to", metavar="MOMENT", help="Before then.")] = "now",
    interval: Annotated[str, typer.Option("--interval", metavar="I", help="Candles, such as 1m.")] = "",
    trades: Annotated[bool, typer.Option("--trades", help="Aggregated trades.")] = False,
    continuous: Annotated[
        str, typer.Option("--continuous", metavar="TYPE", help="Continuous candles of this type of contract.")
    ] = "",
    form: Annotated[
        str, typer.Option("--format", metavar="F", help="csv, json, arrow or parquet; by default what FILE ends with.")
    ] = "",
) -> None:
    """Write what is stored into a file.

    Nothing is fetched (`fsnats backfill` does that).  Candles of an interval that is not stored are made of stored 1m.
    The file is there when it is whole, and not before.  What is missing is told.

    Ends with status 0 when the store has all of the range, 1 when something is missing, 66 when the store has nothing
    of it (then no file is written), 64 for words that mean nothing, 69 when the store is not there, and 74 when the
    file cannot be written.
    """
    from fsnats.cli.bus import run
    from fsnats.cli.series import contract_type, intervals, period
    from fsnats.formats import Title, writer
    from fsnats.store import Series

    now_ms = time.time_ns() // 1_000_000
    try:
        contract = contract_type(continuous) if continuous else ""
        kinds = intervals(market, contract, [interval] if interval else [])
        if trades == bool(kinds) or (trades and contract):
            raise Unusable("say what to export: --interval 1m, say, or --trades")
        first, last = period(from_, to, now_ms)
        chosen = format_of(form, output)
        name = symbol.upper()
        title = Title(market, name, interval, contract.lower())
        if trades:
            series = Series(market, "aggTrade", name)
        elif contract:
            series = Series(market, "continuousKline", f"{name}_{contract}", interval)
        else:
            series = Series(market, "kline", name, interval)
        writer(chosen, title)
    except Unusable as error:
        raise typer.BadParameter(str(error)) from error
    job = _Job(configured(context), series, title, chosen, first, last - 1)

    async def work() -> None:
        await job.run(output, now_ms)

    raise typer.Exit(run(work, level="warning") or job.status)


def format_of(name: str, output: str) -> "Format":
    """The format that is named, or that a file's name ends with.  Raises Unusable."""
    from fsnats.formats import FORMATS

    wanted = name or Path(output).suffix.removeprefix(".")
    for each in FORMATS:
        if wanted == each:
            return each
    what = f"'{name}' is no format" if name else f"'{output}' does not say which format"
    raise Unusable(f"{what}; there are {', '.join(FORMATS)}")


class _Job:
    """One run of the command."""

    def __init__(
        self, config: "Config", series: "Series", title: "Title", form: "Format", from_ms: int, last_ms: int
    ) -> None:
        self._config = config
        self._series = series
        self._title = title
        self._form = form
        self._first = from_ms
        self._last = last_ms
        self.status = 130  # 128 + SIGINT, as shells have it

    async def run(self, output: str, now_ms: int) -> None:
        """Do it all, and say how it ends in `status`."""
        from fsnats.candles.calendar import preceding, span
        from fsnats.cli.page import SIMULATED
        from fsnats.rendezvous import store_url
        from fsnats.store.opening import open_store
        from fsnats.store.reading import unknown_candles, unknown_trades

        store = await open_store(store_url(self._config), self._config.state_dir)
        if await store.source() == "simulated":
            typer.echo(f"fsnats: {SIMULATED}", err=True)
        rows = 0
        try:
            last = min(self._last, now_ms)
            if self._series.interval:  # without the open one
                last = min(last, preceding(self._series.interval, span(self._series.interval, now_ms)[0]))
                missing = await unknown_candles(store, self._series, self._first, last)
            else:
                missing = await unknown_trades(store, self._series, self._first, last)
            with _whole_file(output) as file:
                rows = await self._write(store, file, missing, last)
                if not rows:
                    raise _NothingThere
        except _NothingThere:
            typer.echo("fsnats: the store has nothing of that; `fsnats backfill` fetches it", err=True)
            self.status = NOTHING
            return
        except OutputLost as error:
            typer.echo(f"fsnats: {error}", err=True)
            self.status = EXIT_OUTPUT
            return
        except OSError as error:
            typer.echo(f"fsnats: '{output}' cannot be written: {error.strerror or error}", err=True)
            self.status = EXIT_OUTPUT
            return
        finally:
            await store.close()
        what = "candles" if self._series.interval else "trades"
        typer.echo(f"{rows:,} {what} written to {output}", err=True)
        for line in lines(missing):
            typer.echo(line, err=True)
        self.status = 1 if missing else 0

    async def _write(self, store: "Store", file: IO[bytes], missing: "list[Missing]", last: int) -> int:
        from fsnats.formats import writer
        from fsnats.store.reading import pages_of_candles, pages_of_trades

        form, count = writer(self._form, self._title), 0
        pages: AsyncIterator[Sequence[Row]]
        if self._series.interval:
            pages = pages_of_candles(store, self._series, self._first, last)
        else:
            pages = pages_of_trades(store, self._series, self._first, last)
        async for rows in pages:
            if rows and not count:  # of nothing at all not even the head is written
                file.write(form.begin(missing))
            count += len(rows)
            if rows:
                file.write(form.add(rows))
        if count:
            file.write(form.end(missing))
        return count


class _NothingThere(Exception):
    """There are no rows to write."""


@contextlib.contextmanager
def _whole_file(output: str) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole; - is the standard output.  Raises OSError."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def lines(missing: "list[Missing]") -> list[str]:
    """What is missing, for people."""
    told = [f"  {_shown(one)}" for one in missing[:_TOLD]]
    if len(missing) > _TOLD:
        told.append(f"  and {len(missing) - _TOLD:,} more stretches")
    return ["not known to be complete, and perhaps missing:", *told] if told else []


def _shown(one: "Missing") -> str:
    if one.unit == "a":
        return f"trades {one.first} to {one.last}"
    return f"{shown(one.first)} to {shown(one.last)}"
