"""`fsnats record`: keep candles and trades."""

from typing import Annotated

import typer

from fsnats.cli.become import become
from fsnats.cli.settings import configured


def record(
    context: typer.Context,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATTERN...",
            help="What to keep, e.g. usdm:*@aggTrade or raw:spot:btcusdt@depth.  [default: FSNATS_RECORD]",
        ),
    ] = None,
) -> None:
    """Keep candles and trades in the store.

    Runs until it is stopped, beside a fleet that runs here or is named by `nats_url`.
    """
    options = {"record": ",".join(patterns)} if patterns else {}
    become("workers", ["recorder"], configured(context, options))
