"""`fsnats up`: everything in one terminal."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats.cli.settings import configured

if TYPE_CHECKING:
    from fsnats.supervisor.main import Running


def up(
    context: typer.Context,
    sim: Annotated[
        bool, typer.Option("--sim", help="Serve simulated data from this machine; Binance is not contacted.")
    ] = False,
) -> None:
    """Run everything in this terminal.

    NATS, workers and gateway, in their order; Ctrl-C stops them.  Ends with one sentence when Binance cannot
    be reached.
    """
    from fsnats import process
    from fsnats.logs.start import log_as
    from fsnats.supervisor.main import SimSettings
    from fsnats.supervisor.main import supervise as run_fleet

    config = configured(context)
    log_as("supervisor", config)
    command = called(sys.argv, os.environ.get("PATH"))

    async def run(stopping: process.Stopping) -> None:
        await run_fleet(
            config,
            stopping,
            with_gateway=True,
            simulated=SimSettings() if sim else None,
            # Somebody watches: what is wrong is told at once instead of tried again for ever.
            impatient=True,
            # On standard output: standard error carries everyone's log, JSON lines where nobody watches.
            on_ready=lambda running: typer.echo(welcome(running, simulated=sim, command=command)),
        )

    raise typer.Exit(process.run(run))


def welcome(running: "Running", *, simulated: bool = False, replayed: bool = False, command: str = "fsnats") -> str:
    """What to do with a fleet that has just started.  `command` is how this program is called from here."""
    host, port = running.config.gateway_host, running.config.gateway_port
    secure = "s" if running.config.gateway_tls_cert else ""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
    # A port that the system chose is in the gateway's own line.
    address = f"ws{secure}://{shown}:{port}" if port else "the address in the gateway's line above"
    lines = [f"fsnats is ready: {running.programs} programs, clients connect to {address}{'/' if port else ''}"]
    if port:
        lines.append(f"  try it:     http{secure}://{shown}:{port}/ in a browser, or {command} client --url {address}")
    lines.append(f"  look at it: {command} status        stop it: Ctrl-C")
    if simulated:
        lines.append("SIMULATED DATA: every price is made up; Binance is not contacted.")
    if replayed:
        lines.append("REPLAYED DATA: captured earlier; Binance is not contacted.")
    return "\n".join(lines)


def called(words: Sequence[str], path: str | None) -> str:
    """How the program that was started with these words is called from here: by its name, if that finds it."""
    own = words[0]
    if Path(own).name != "fsnats" or not Path(own).exists():
        return "fsnats"
    found = shutil.which("fsnats", path=path)
    return "fsnats" if found is not None and Path(found).samefile(own) else own
