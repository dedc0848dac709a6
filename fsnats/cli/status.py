"""`fsnats status`: how the fleet is, asked of everyone over NATS."""

import sys
from typing import Annotated

import typer

from fsnats.cli.settings import configured

COLOURS = {"error": "red", "warning": "yellow"}
SIMULATED = "SIMULATED DATA: this is not Binance's market now; every price is made up, or replayed."


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with everyone's own answer.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all that is known of each connection.")] = False,
    wait: Annotated[float, typer.Option(min=0.05, max=60, help="Seconds that programs have to answer.")] = 1.0,
) -> None:
    """Show how the fleet is.

    Programs, markets, connections to Binance and gateways, asked of everyone over NATS.  Ends with status
    69 when NATS or the supervisor does not answer.
    """
    from fsnats.cli.bus import connected_bus, run, unique_name
    from fsnats.errors import BusUnavailable
    from fsnats.fleet.statuses import read
    from fsnats.rollcall import RollCall

    config = configured(context)

    async def look() -> None:
        name = unique_name("status")
        async with connected_bus(config, name) as bus:
            answers = await RollCall(bus, f"_INBOX.{name}").call(wait=wait)
        print_json(answers) if as_json else print_tables(answers, verbose)
        if not read(answers).supervisors:
            others = f"({len(answers)} other programs do)" if answers else "(nor does anybody else)"
            raise BusUnavailable(f"no supervisor answers {others}; is `fsnats supervise` or `fsnats up` running?")

    raise typer.Exit(run(look))


def print_json(answers: list[bytes]) -> None:
    """One object: `simulated` and every program's own answer."""
    import msgspec

    from fsnats.fleet.statuses import read

    told = {"simulated": read(answers).simulated, "programs": [msgspec.Raw(answer) for answer in answers]}
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")


def print_tables(answers: list[bytes], verbose: bool = False) -> None:
    """The same for people."""
    from rich.console import Console

    from fsnats.cli.tables import of_fleet
    from fsnats.fleet.statuses import read
    from fsnats.fleet.troubles import troubles

    fleet = read(answers)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 320 if verbose else 160  # nobody's terminal: lines may be as long as they are
    if fleet.simulated:
        console.print(SIMULATED, style="bold white on red")
    for table in of_fleet(fleet, verbose=verbose):
        console.print(table)
    for trouble in troubles(fleet):
        # Text, not markup: errors may hold square brackets.
        console.print(f"! {trouble.what}", style=COLOURS[trouble.severity], markup=False)
        console.print(f"  {trouble.do}", markup=False)
