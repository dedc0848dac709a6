"""The verbs of `fsnats` and the options that all of them share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from fsnats.cli import (
    backfill,
    capture,
    chaos,
    client,
    config,
    doctor,
    export,
    gateway,
    logs,
    record,
    replay,
    sim,
    status,
    supervise,
    tail,
    top,
    up,
    verify,
    version,
)
from fsnats.errors import ConfigError
from fsnats.sources import FILE

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Every setting is listed by `fsnats config`.  Try it offline: `fsnats up --sim`, then `fsnats client`.",
)


@app.callback()
def options(
    context: typer.Context,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Use this value of a setting; may be repeated."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Read settings from this file instead of fsnats.toml."),
    ] = None,
) -> None:
    """Subscribe to Binance once, serve everyone: market data over NATS, WebSocket and REST."""
    if file is not None:
        if not file.is_file():
            raise ConfigError("--config", f"no file '{file}'")
        # Through the environment, because the programs that this one becomes or starts must read the same file.
        os.environ[FILE] = str(file.absolute())
    flags = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"'{setting}' is not NAME=VALUE", param_hint="--set")
        flags[name.strip().replace("-", "_")] = value
    context.obj = flags


app.command()(up.up)
app.command()(supervise.supervise)
app.command()(gateway.gateway)
# Their options are those of the programs that they become, --help among them.
_theirs = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command(add_help_option=False, context_settings=_theirs)(sim.sim)
app.command(add_help_option=False, context_settings=_theirs)(capture.capture)
app.command()(replay.replay)
app.command()(status.status)
app.command()(logs.logs)
app.command()(top.top)
app.command()(tail.tail)
app.command()(client.client)
app.command()(record.record)
app.command()(backfill.backfill)
app.command()(verify.verify)
app.command()(export.export)
app.command()(config.config)
app.command()(doctor.doctor)
app.add_typer(chaos.app, name="chaos")
app.command()(version.version)
