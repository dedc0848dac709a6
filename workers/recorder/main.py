"""`python -P -m workers recorder`: keeps candles and trades in the store, as FSNATS_RECORD says."""

import asyncio
import os
import random
from collections.abc import Sequence

import typer

from fsnats import notify, process, recording
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.command import run_command
from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.logs.start import log_as
from fsnats.metrics.bus import of_bus
from fsnats.metrics.shown import shown
from fsnats.recording import Entry
from fsnats.rendezvous import nats_urls, store_url
from fsnats.settings import load
from fsnats.store import Store
from fsnats.store.address import read_url
from fsnats.store.opening import open_served
from workers.recorder.numbers import of_status
from workers.recorder.recorder import Recorder, name_of

LAST_WORDS = 5.0  # seconds that what was read may take to be stored when we are stopped

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def recorder() -> None:
    """Keep candles and trades in the store."""
    config = load().config
    log_as("recorder", config)
    entries = [recording.read(entry) for entry in config.record]
    if not entries:
        raise ConfigError("FSNATS_RECORD", "nothing is to be recorded; usdm:*@aggTrade, say, would be")

    async def record(stopping: process.Stopping) -> None:
        await _record(config, entries, stopping)

    raise typer.Exit(process.run(record))


async def _record(config: Config, entries: Sequence[Entry], stopping: process.Stopping) -> None:
    notifier = notify.from_environment()
    url = store_url(config)
    name = name_of(entries, read_url(url, config.state_dir).name)

    async with NatsBus(nats_urls(config), f"recorder-{os.getpid()}", random.random) as bus:

        async def opened() -> Store:
            return await open_served(config, bus)

        only = {symbol.upper() for symbol in config.symbols}
        makings = [recording.read_making(making) for making in config.record_made]
        recorder = Recorder(entries, name, bus, opened, SystemClock(), random.random, only, makings)
        async with (
            shown("recorder", recorder.vitals, lambda: [*of_bus(bus), *of_status(recorder.status())]),
            asyncio.TaskGroup() as tasks,
        ):
            beating = tasks.create_task(notifier.beat())
            starting = tasks.create_task(_start(recorder, bus, notifier))
            stop = tasks.create_task(stopping.wait())
            await asyncio.wait((starting, stop), return_when=asyncio.FIRST_COMPLETED)
            starting.cancel()
            if not stop.done():
                await recorder.run(stopping.wait, LAST_WORDS)
            notifier.say("STOPPING=1")
            beating.cancel()
        if recorder.writer.store is not None:
            await recorder.writer.store.close()


async def _start(recorder: Recorder, bus: NatsBus, notifier: notify.Notifier) -> None:
    await bus.connected()
    await recorder.alone()
    notifier.say("READY=1")


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    return run_command(app, arguments, "workers recorder")
