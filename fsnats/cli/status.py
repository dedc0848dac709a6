"""`fsnats status`: how the fleet is, asked of everyone over NATS."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats.cli.settings import configured

if TYPE_CHECKING:
    from rich.table import Table

    from fsnats.cli.looks import Look, Lookout, Streams
    from fsnats.cli.page import Page

INTERVAL = 1.0  # seconds between two looks


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with everyone's own answer.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all that is known of each connection.")] = False,
    wait: Annotated[float, typer.Option(min=0.05, max=60, help="Seconds that programs have to answer.")] = 1.0,
    watch: Annotated[bool, typer.Option("--watch", help="Show it live, until q or Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks.")] = INTERVAL,
) -> None:
    """Show how the fleet is.

    Programs, markets, connections to Binance and gateways, asked of everyone over NATS.  With --watch live, with --json
    besides one line each interval.  Ends with status 69 when NATS or the supervisor does not answer.
    """
    from fsnats.cli.bus import connected_bus, run, unique_name
    from fsnats.cli.looks import Lookout
    from fsnats.cli.screen import console_of

    config = configured(context)

    async def look() -> None:
        name = unique_name("status")
        async with connected_bus(config, name) as bus:
            lookout = Lookout(bus, name)
            if watch:
                await _watch(lookout, wait, interval, verbose=verbose, as_json=as_json)
                return
            seen = await lookout.fleet(wait)
        if as_json:
            sys.stdout.write(encoded(seen) + "\n")
        else:
            page(seen, verbose=verbose).print(console_of(320 if verbose else 160))
        if not seen.fleet.supervisors:
            _complain(len(seen.answers))

    raise typer.Exit(run(look))


async def _watch(lookout: "Lookout", wait: float, interval: float, *, verbose: bool, as_json: bool) -> None:
    import asyncio

    from fsnats.cli.screen import print_lines, watch
    from fsnats.cli.tables import of_events

    async def line() -> str:
        return encoded(await lookout.fleet(wait))

    async def shown() -> "Page":
        seen, events = await asyncio.gather(lookout.fleet(wait), lookout.events())
        return page(seen, of_events(events), verbose=verbose)

    await (print_lines(line, interval) if as_json else watch(shown, interval))


def _complain(others: int) -> None:
    from fsnats.errors import BusUnavailable

    also = f"({others} other programs do)" if others else "(nor does anybody else)"
    raise BusUnavailable(f"no supervisor answers {also}; is `fsnats supervise` or `fsnats up` running?")


def encoded(seen: "Look | Streams") -> str:
    """What was seen as one JSON object, in a line."""
    import msgspec

    return msgspec.json.encode(seen.fields).decode()


def page(seen: "Look", lately: "Table | None" = None, *, verbose: bool = False) -> "Page":
    """The same for people; with what happened `lately`, where anything did."""
    from fsnats.cli.page import Page, told
    from fsnats.cli.tables import of_fleet

    tables = of_fleet(seen.fleet, seen.troubles, verbose=verbose)
    events = [lately] if lately is not None and lately.row_count else []
    return Page(seen.fleet.simulated, [], tables, [*events, *told(seen.troubles)])
