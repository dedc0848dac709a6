"""`python -P -m workers history`: answers requests for history over NATS."""

import asyncio
import contextlib
import os
import random

import typer

from fsnats import notify, process
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.command import run_command
from fsnats.config import Config
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.logs.start import log_as
from fsnats.metrics.bus import of_bus
from fsnats.metrics.family import Family
from fsnats.metrics.shown import shown
from fsnats.metrics.vitals import Vitals
from fsnats.notify import PROGRAM
from fsnats.rendezvous import nats_urls
from fsnats.settings import load
from fsnats.status import Status, respond
from fsnats.store.opening import open_served
from workers.history import numbers
from workers.history.candles import Candles
from workers.history.clocks import Clocks
from workers.history.closed import Closed
from workers.history.relay import Relay
from workers.history.rows import Rows
from workers.history.service import Service
from workers.history.shelf import Shelf
from workers.history.tape import Tape
from workers.history.trades import Trades

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def history() -> None:
    """Answer requests for history from the exchange's REST."""
    config = load().config
    log_as("history", config)

    async def serve(stopping: process.Stopping) -> None:
        await _serve(config, stopping)

    raise typer.Exit(process.run(serve))


async def _serve(config: Config, stopping: process.Stopping) -> None:
    notifier = notify.from_environment()
    async with (
        contextlib.AsyncExitStack() as stack,
        NatsBus(nats_urls(config), f"history-{os.getpid()}", random.random) as bus,
        asyncio.TaskGroup() as tasks,
    ):
        clock = SystemClock()
        exits = Exits(config, bus, os.environ.get(PROGRAM) or "history", clock)
        rests = {
            market: await stack.enter_async_context(PooledRest(market, config, exits)) for market in config.markets
        }
        rows = Rows(bus, rests, tasks, clock)
        # Without patience: what time it is can wait for a minute in which nobody else needs the budget, and who asks
        # over REST is told when to come again.
        hasty = {
            market: await stack.enter_async_context(PooledRest(market, config, exits, patience=0.0))
            for market in config.markets
        }
        clocks = Clocks(bus, hasty, clock)
        shelf = Shelf(lambda: open_served(config, bus), clock)
        stack.push_async_callback(shelf.close)
        candles = Candles(shelf, clocks)
        relay = Relay(bus, hasty, tasks, clock, Closed(candles, clocks))
        service = Service(bus, candles, rests, tasks, clock)
        tape = Tape(bus, Trades(shelf, clocks), rests, tasks, clock)
        queues = {
            "rows": rows.answers,
            "rest": relay.answers,
            "klines": service.answers,
            "trades": tape.answers,
        }
        for queue in queues.values():
            queue.start()
        vitals = Vitals()

        def status() -> Status:
            return {
                **service.status(),
                "rest": relay.status(),
                "clocks": clocks.offsets,
                "store": shelf.status(),
                **vitals.status(),
            }

        def told() -> list[Family]:
            return [
                *of_bus(bus),
                *numbers.of_answers(queues),
                *numbers.of_sources(relay, shelf),
                *numbers.of_clocks(clocks.offsets),
            ]

        respond(bus, status)
        await stack.enter_async_context(shown("history", vitals, told))
        await bus.connected()
        notifier.say("READY=1")
        lasting = [tasks.create_task(notifier.beat()), tasks.create_task(clocks.run())]
        await stopping.wait()
        notifier.say("STOPPING=1")
        for queue in queues.values():
            queue.stop()
        for task in lasting:
            task.cancel()


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    return run_command(app, arguments, "workers history")
