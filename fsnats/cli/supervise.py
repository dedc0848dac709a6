"""`fsnats supervise`: the fleet for a service manager, without a gateway of its own."""

from typing import Annotated

import typer

from fsnats.cli.settings import configured


def supervise(
    context: typer.Context,
    gateway: Annotated[bool, typer.Option("--gateway", help="Run a gateway too.")] = False,
) -> None:
    """Run the workers, for service managers.

    Starts NATS too where `nats_url` names none.  Unlike `up` it waits for what cannot be reached instead of ending.
    """
    from fsnats import process
    from fsnats.logs.start import log_as
    from fsnats.supervisor.main import supervise as run_fleet

    config = configured(context)
    log_as("supervisor", config)

    async def run(stopping: process.Stopping) -> None:
        await run_fleet(config, stopping, with_gateway=gateway)

    raise typer.Exit(process.run(run))
