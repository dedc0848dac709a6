"""`fsnats top`: the streams with the most of something, live."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats.binance.streams import Market
from fsnats.cli.settings import configured
from fsnats.cli.status import INTERVAL, encoded
from fsnats.fleet.streams import LIMIT_DEFAULT, LIMIT_MOST, Sort, StreamsRequest

if TYPE_CHECKING:
    from fsnats.cli.looks import Streams
    from fsnats.cli.page import Page

_KEYS = {sort.value[0]: sort for sort in Sort}
_WIDE = 240  # columns of nobody's terminal
_AROUND = 12  # lines of a screen that are no streams


def top(
    context: typer.Context,
    sort: Annotated[Sort, typer.Option(help="What the first ones have the most of.")] = Sort.RATE,
    market: Annotated[Market | None, typer.Option(help="Only streams of this market.")] = None,
    match: Annotated[str, typer.Option(metavar="TEXT", help="Only streams with this in their name.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, max=LIMIT_MOST, help="So many; else what fits.")] = None,
    interval: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks.")] = INTERVAL,
    once: Annotated[bool, typer.Option("--once", help="Look once.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a look.")] = False,
) -> None:
    """Show the busiest streams, live.

    By messages or bytes a second, by lag, age or name, until q or Ctrl-C; the keys r, b, l, a and n sort anew.  Ends
    with status 69 when NATS does not answer, with --once also when no worker does.
    """
    from fsnats.cli.bus import connected_bus, run, unique_name
    from fsnats.cli.looks import Lookout
    from fsnats.cli.screen import console_of, print_lines, watch
    from fsnats.errors import BusUnavailable

    config = configured(context)
    request = StreamsRequest((market,) if market else (), match, sort, limit or LIMIT_DEFAULT)

    async def look() -> None:
        nonlocal request
        name = unique_name("top")
        async with connected_bus(config, name) as bus:
            lookout = Lookout(bus, name)

            async def line() -> str:
                return encoded(await lookout.streams(request))

            async def shown() -> "Page":
                now = _with(request, limit=limit or max(1, console_of().height - _AROUND))
                return page(await lookout.streams(now), now)

            def pressed(key: str) -> None:
                nonlocal request
                request = _with(request, sort=_KEYS.get(key.lower(), request.sort))

            if not once:
                await (print_lines(line, interval) if as_json else watch(shown, interval, pressed))
                return
            found = await lookout.streams(request)
        if as_json:
            sys.stdout.write(encoded(found) + "\n")
        else:
            page(found, request).print(console_of(_WIDE))
        if not found.found.workers:
            raise BusUnavailable("no worker answers; is `fsnats supervise` or `fsnats up` running?")

    raise typer.Exit(run(look))


def page(shown: "Streams", request: StreamsRequest) -> "Page":
    """Streams for people."""
    from rich.text import Text

    from fsnats.cli.page import Page, told
    from fsnats.cli.tables import of_streams

    found = shown.found
    head = f"{found.total:,} of {found.carried:,} streams, carried by {found.workers} workers, by {request.sort}"
    absent = [Text(f"! not shown, for they do not answer: {', '.join(found.absent)}", "red")] if found.absent else []
    foot = [*absent, *told(shown.seen.troubles)]
    return Page(shown.seen.fleet.simulated, [Text(head, "bold")], [of_streams(found.streams)], foot)


def _with(request: StreamsRequest, *, sort: Sort | None = None, limit: int | None = None) -> StreamsRequest:
    import msgspec

    changed = {name: value for name, value in (("sort", sort), ("limit", limit)) if value is not None}
    return msgspec.structs.replace(request, **changed)
