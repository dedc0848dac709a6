"""`python -P -m workers ingest --market usdm --group 3`: one ingest worker, by hand or under the supervisor."""

import asyncio
import os
import random
from typing import Annotated

import typer

from fsnats import allocator, notify, process
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.command import run_command
from fsnats.config import Config
from fsnats.logs.start import log_as
from fsnats.metrics.bus import of_bus
from fsnats.metrics.shown import shown
from fsnats.rendezvous import nats_urls
from fsnats.settings import load
from workers.ingest.worker import Worker

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def ingest(
    market: Annotated[Market, typer.Option(help="Whose symbols.")],
    group: Annotated[int, typer.Option(min=0, help="Which group of them, as the supervisor numbered it.")],
) -> None:
    """Carry one group's streams from Binance to NATS, as gateways want them."""
    config = load().config
    name = f"ingest-{market}-{group}"
    log_as(name, config)

    allocator.settle()

    async def carry(stopping: process.Stopping) -> None:
        await _carry(config, market, group, name, stopping)

    raise typer.Exit(process.run(carry))


async def _carry(config: Config, market: Market, group: int, name: str, stopping: process.Stopping) -> None:
    notifier = notify.from_environment()
    worker: Worker | None = None

    def bus_changed(connected: bool) -> None:
        if worker is not None:
            worker.bus_changed(connected)

    identity = f"{name}-{os.getpid()}"
    async with NatsBus(nats_urls(config), identity, random.random, on_change=bus_changed, keep_sent=True) as bus:
        worker = carrying = Worker(config, market, group, bus, SystemClock(), random.random)
        async with (
            shown(name, worker.vitals, lambda: [*of_bus(bus), *carrying.numbers()]),
            asyncio.TaskGroup() as tasks,
        ):
            running = tasks.create_task(worker.run())
            beating = tasks.create_task(notifier.beat())
            announcing = tasks.create_task(_announce(worker, notifier))
            await stopping.wait()
            notifier.say("STOPPING=1")
            for task in (running, beating, announcing):
                task.cancel()


async def _announce(worker: Worker, notifier: notify.Notifier) -> None:
    await worker.ready()
    notifier.say("READY=1")


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    return run_command(app, arguments, "workers ingest")
