"""`fsnats chaos`: named troubles against a simulated exchange, and a verdict on what arrived."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fsnats.chaos.report import Report
    from fsnats.chaos.soak import Soak

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Troubles on purpose, and a verdict.")

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")]


@app.command(name="list")
def list_() -> None:
    """List the scenarios."""
    from fsnats.chaos.scenarios import SCENARIOS

    for scenario in SCENARIOS:
        typer.echo(f"{scenario.name:<12} {scenario.does}")


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A scenario, or all.")],
    seconds: Annotated[
        float | None, typer.Option(min=0, help="How long the trouble lasts, instead of its own length.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a scenario against a fleet of its own.

    Starts a simulated exchange, NATS and workers on free ports in a directory of their own, and touches nothing else.
    Ends with status 1 when a promise was broken, and 130 after Ctrl-C.
    """
    from fsnats.chaos.runner import run_all
    from fsnats.chaos.scenarios import BY_NAME, SCENARIOS
    from fsnats.cli.bus import run as run_to_end

    if name != "all" and name not in BY_NAME:
        raise typer.BadParameter(f"no scenario '{name}'; `fsnats chaos list` shows them", param_hint="NAME")
    chosen = SCENARIOS if name == "all" else (BY_NAME[name],)
    reports: list[Report] = []

    def told(report: "Report") -> None:
        reports.append(report)
        if as_json:
            typer.echo(_line(report))
        else:
            typer.echo(f"{report.scenario}: {'; '.join(report.problems) or 'good'}", err=True)

    async def scenarios() -> None:
        await run_all(chosen, told, seconds)

    status = run_to_end(scenarios, level="critical")
    if reports and not as_json:
        _show(reports)
    if any(report.problems for report in reports):
        status = status or 1
    raise typer.Exit(status or (_INTERRUPTED if len(reports) < len(chosen) else 0))


@app.command()
def soak(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 30,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second over all streams.")] = 10_000,
    fault_every: Annotated[float, typer.Option(min=1, help="Seconds between two random troubles.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed makes the same troubles.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Trouble a loaded fleet for long, and look at its memory.

    Ends with status 1 when a promise was broken, and 130 after Ctrl-C.
    """
    from random import Random

    from fsnats.chaos.soak import soak as run_soak
    from fsnats.cli.bus import run as run_to_end

    results: list[Soak] = []

    async def soaking() -> None:
        results.append(
            await run_soak(minutes * 60, rate, fault_every, Random(seed), lambda line: typer.echo(line, err=True))
        )

    status = run_to_end(soaking, level="critical")
    for result in results:
        if as_json:
            typer.echo(_line(result))
        else:
            _tell(result)
    raise typer.Exit(status or (int(bool(results[0].problems)) if results else _INTERRUPTED))


def _line(result: "Report | Soak") -> str:
    import msgspec

    return msgspec.json.encode({**msgspec.to_builtins(result), "problems": result.problems}).decode()


def _show(reports: "list[Report]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("scenario", "verdict"):
        table.add_column(column)
    columns = ("produced", "once", "recovered", "duplicated", "missing", "unnoticed", "superseded", "late")
    for column in (*columns, "dials", "back"):
        table.add_column(column, justify="right")
    for report in reports:
        back = "never" if report.back_p95 is None else f"{report.back_p95:.2f} s" if report.back else ""
        counts = [str(getattr(report.verdict, column)) for column in columns]
        table.add_row(report.scenario, "broken" if report.problems else "good", *counts, str(report.dials), back)
    Console(width=160).print(table)


def _tell(result: "Soak") -> None:
    import msgspec

    typer.echo(f"{result.frames} frames in {result.seconds:g} s, {len(result.troubles)} troubles")
    for name, count in msgspec.structs.asdict(result.verdict).items():
        typer.echo(f"  {name:<11} {count}")
    if result.shortfall:
        typer.echo(f"  this machine made {result.shortfall} messages less than asked for")
    typer.echo(f"  {result.served / 2**20:.0f} MB through the gateway")
    typer.echo("memory in MB: at first, after a third, in the end, most; of every process")
    for process in sorted(result.memory.processes, key=lambda each: each.program):
        sizes = (process.sizes[0], process.early, process.late, max(process.sizes))
        told = "".join(f"{size / 2**20:8.1f}" for size in sizes)
        typer.echo(f"  {process.program:<16} {told}  {process.verdict}")
    for problem in result.problems:
        typer.echo(f"broken: {problem}")
    typer.echo("FAIL" if result.problems else "PASS")
