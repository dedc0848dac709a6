"""`fsnats tail`: live frames as they are on the bus, without a gateway in between."""

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats import colours
from fsnats.binance.streams import Market, Stream, parse
from fsnats.cli.settings import configured
from fsnats.errors import UNREADABLE, BusUnavailable, StreamNameError

if TYPE_CHECKING:
    from fsnats.bus.nats import NatsBus
    from fsnats.cli.listener import Listener
    from fsnats.frames import Frame


def tail(
    context: typer.Context,
    market: Annotated[Market, typer.Argument(metavar="MARKET", help="Whose streams: spot, usdm or coinm.")],
    streams: Annotated[
        list[str], typer.Argument(metavar="STREAM...", help="Binance's stream names, such as btcusdt@kline_1m.")
    ],
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after so many frames.")] = None,
    as_json: Annotated[
        bool | None, typer.Option("--json/--pretty", help="Instead of: pretty on a terminal, JSON lines in a pipe.")
    ] = None,
) -> None:
    """Print live data from the bus.

    Until Ctrl-C, or so many frames.  Reads NATS directly and asks workers for the streams like a gateway does.
    """
    try:
        # One of each: a name given twice is one stream.
        wanted = list(dict.fromkeys(parse(market, name) for name in streams))
    except StreamNameError as error:
        raise typer.BadParameter(str(error), param_hint="STREAMS") from error
    config = configured(context)
    pretty = sys.stdout.isatty() if as_json is None else not as_json

    from fsnats.cli.bus import connected_bus, run, unique_name

    async def follow() -> None:
        name = unique_name("tail")
        async with connected_bus(config, name) as bus:
            await _follow(bus, name, wanted, count, pretty=pretty)

    raise typer.Exit(run(follow, level="warning"))


async def _follow(bus: "NatsBus", name: str, streams: list[Stream], count: int | None, *, pretty: bool) -> None:
    from fsnats.cli.listener import Listener

    await _warn(bus, streams)
    listener = Listener(bus, name, streams)
    try:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listener.run())
            await _print(listener, streams[0].market, count, pretty=pretty)
            listening.cancel()
    finally:
        listener.withdraw()
        with contextlib.suppress(BusUnavailable):  # then workers forget us by themselves
            await bus.flush()


async def _warn(bus: "NatsBus", streams: list[Stream]) -> None:
    """Say what the catalogue knows about these streams that their reader should know too."""
    import msgspec

    from fsnats.catalogue import LISTINGS, read
    from fsnats.cli.page import SIMULATED
    from fsnats.symbols import Listing

    market = streams[0].market
    try:
        listing = msgspec.json.decode(await read(bus, LISTINGS, market) or b"", type=Listing)
    except (BusUnavailable, *UNREADABLE):
        typer.echo(f"fsnats: no list of symbols of {market} on this bus yet; waiting for data", err=True)
        return
    if listing.simulated:
        typer.echo(f"fsnats: {SIMULATED}", err=True)
    for reason in filter(None, map(listing.why_not, streams)):
        typer.echo(f"fsnats: {reason}; nothing will come of it until it is", err=True)


async def _print(listener: "Listener", market: Market, count: int | None, *, pretty: bool) -> None:
    """Print frames until `count`, for ever without one, or until nobody reads them."""
    left = count
    reported = (0, 0, 0)
    while left is None or left > 0:
        batch = [await listener.frames.get()]
        while not listener.frames.empty() and (left is None or len(batch) < left):
            batch.append(listener.frames.get_nowait())
        text = "".join((for_people if pretty else as_line)(market, frame) for frame in batch)
        # In a thread: a reader who stands still must not keep us from telling workers that we are here.
        await asyncio.to_thread(_write, text)
        left = None if left is None else left - len(batch)
        troubles = (listener.lost, listener.skipped, listener.unreadable)
        if troubles != reported:
            reported = troubles
            lost, skipped, unreadable = troubles
            typer.echo(
                f"fsnats: so far {lost} frames lost on the way, {skipped} skipped because they are read too slowly, "
                f"{unreadable} unreadable",
                err=True,
            )


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def as_line(market: Market, frame: "Frame") -> str:
    """A frame as one line of JSON; the payload stands in it byte for byte."""
    import msgspec

    fields = {
        "market": market,
        "stream": frame.stream,
        "received_ns": frame.received_ns,
        "seq": frame.seq,
        "flags": frame.flags,
        "data": msgspec.Raw(frame.payload),
    }
    return msgspec.json.encode(fields).decode() + "\n"


def for_people(market: Market, frame: "Frame") -> str:
    """A frame as one line that reads well."""
    from fsnats import frames
    from fsnats.cli.pretty import clock, summary
    from fsnats.logs.entries import printable

    marks = {frames.RECOVERED: "recovered", frames.SNAPSHOT: "snapshot", frames.GAP: "GAP", frames.LATE: "late"}
    flags = "".join(f" [{mark}]" for bit, mark in marks.items() if frame.flags & bit)
    when = clock(frame.received_ns / 1e6)
    stream = typer.style(frame.stream, fg="cyan") if colours.are_shown(sys.stdout, os.environ) else frame.stream
    return f"{when} {stream}{flags}  {printable(summary(frame.payload))}\n"
