"""`fsnats sim`: a Binance of one's own."""

import typer

from fsnats.cli.become import become
from fsnats.cli.settings import configured


def sim(context: typer.Context) -> None:
    """Play Binance on a local port.

    Simulated data for demos and tests; `fsnats sim --help` lists the simulator's own options.
    """
    become("workers", ["simulator", *context.args], configured(context))
