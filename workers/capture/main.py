"""`fsnats capture`: writes what streams bring to files."""

import asyncio
import contextlib
import fcntl
import logging
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fsnats import catalogue, notify, process
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.bus.nats import NatsBus
from fsnats.captures.recovery import last_places, repair
from fsnats.captures.writer import Form, Rotation, Writer
from fsnats.clock import SystemClock
from fsnats.command import run_command
from fsnats.config import Config
from fsnats.errors import UNREADABLE, BusUnavailable, ConfigError
from fsnats.logs.start import log_as
from fsnats.metrics.vitals import Vitals
from fsnats.rendezvous import nats_urls
from fsnats.settings import load
from fsnats.status import Status, respond
from fsnats.symbols import Listing
from workers.capture import wishes
from workers.capture.capture import Capture
from workers.capture.desk import Desk

_AGAIN = 0.5  # seconds between two looks for a list of symbols
_PATIENCE = 3.0  # seconds without one after which somebody should know

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
logger = logging.getLogger(__name__)


@app.command()
def capture(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Write files into this directory.")],
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATTERN...",
            help="Streams such as btcusdt@trade or usdm:*@aggTrade; without any: whatever others listen to.",
        ),
    ] = None,
    gzip: Annotated[bool, typer.Option("--gzip", help="Pack with gzip instead of zstd.")] = False,
    rotate_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Begin the next file at this size (256M).")
    ] = None,
    rotate_every: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Begin the next file after so many seconds (3600).")
    ] = None,
) -> None:
    """Write what streams bring to files, every byte, for `fsnats replay`.

    Files are rotated, with a manifest beside each: its checksum, what is in it, what is missing.  Until Ctrl-C.
    """
    options = {"capture_rotate_size": rotate_size, "capture_rotate_every": rotate_every}
    config = load(options={name: value for name, value in options.items() if value is not None}).config
    log_as("capture", config)
    wanted = wishes.read(patterns or (), config.markets[0])

    async def run(stopping: process.Stopping) -> None:
        with sole_writer(output):
            await _run(config, output, wanted, Form.GZIP if gzip else Form.ZSTD, stopping)

    raise typer.Exit(process.run(run))


@contextlib.contextmanager
def sole_writer(directory: Path) -> Iterator[None]:
    """Make the directory and hold it for ourselves.  Raises ConfigError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError("--output", f"'{directory}' cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError("--output", f"another capture writes into '{directory}'") from None
    finally:
        os.close(lock)


async def _run(
    config: Config, directory: Path, wanted: dict[Market, list[str]], form: Form, stopping: process.Stopping
) -> None:
    for one in await asyncio.to_thread(repair, directory):
        extra = {"file": one.file, "frames": one.frames, "cut_bytes": one.cut_bytes}
        logger.warning("finished the file of a capture that was killed", extra={"event": "capture.recovered", **extra})
    places = await asyncio.to_thread(last_places, directory)
    notifier, clock = notify.from_environment(), SystemClock()
    name = process.own_name("capture")
    async with NatsBus(nats_urls(config), name, random.random) as bus, asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(notifier.beat())
        listings = await listings_of(bus, tuple(wanted) or config.markets, stopping)
        if listings is not None:
            simulated = any(listing.simulated for listing in listings.values())
            rotation = Rotation(config.capture_rotate_size, config.capture_rotate_every)
            writer = Writer(directory, clock.time_ns(), form, rotation, simulated=simulated)

            def desk(emptied: Callable[[], None]) -> Desk:
                return Desk(writer, clock, config.capture_flush, config.capture_buffer, emptied)

            work = Capture(bus, name, wanted, listings, places, desk)
            vitals = Vitals()
            respond(bus, lambda: status(name, work, writer) | vitals.status())
            writing = tasks.create_task(work.desk.run())
            working = tasks.create_task(work.run())
            notifier.say("READY=1")
            logger.info(
                "capturing", extra={"event": "capture.started", "directory": str(directory), "simulated": simulated}
            )
            with vitals.beating():
                await stopping.wait()
            notifier.say("STOPPING=1")
            working.cancel()
            work.close()
            with contextlib.suppress(BusUnavailable):
                await bus.flush()
            work.desk.close()
            try:
                await writing
            finally:
                writer.abandon()  # what is left when the disk stays full
            logger.info("captured", extra={"event": "capture.finished", **msgspec.to_builtins(writer.finished)})
        beating.cancel()


async def listings_of(
    bus: Bus, markets: tuple[Market, ...], stopping: process.Stopping, patience: float = _PATIENCE
) -> dict[Market, Listing] | None:
    """What the markets list; None when we are asked to stop before anybody knows.  After `patience` seconds it is told
    whose list is missing."""
    found: dict[Market, Listing] = {}
    told_at: float | None = asyncio.get_running_loop().time() + patience
    while not stopping.requested:
        try:
            for market in markets:
                if market not in found and (value := await catalogue.read(bus, catalogue.LISTINGS, market)):
                    found[market] = msgspec.json.decode(value, type=Listing)
        except (BusUnavailable, *UNREADABLE) as error:
            logger.debug("no list of symbols yet", extra={"event": "symbols.awaited", "error": str(error)})
        if len(found) == len(markets):
            return found
        if told_at is not None and asyncio.get_running_loop().time() >= told_at:
            told_at = None
            missing = [str(market) for market in markets if market not in found]
            logger.warning(
                "nothing is captured yet: no list of symbols is here; does a fleet run that carries these markets?",
                extra={"event": "capture.waits", "markets": missing},
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN):
                await stopping.wait()
    return None


def status(name: str, work: Capture, writer: Writer) -> Status:
    """What `fsnats status` may know of it."""
    return {
        "program": name,
        "kind": "capture",
        "pid": os.getpid(),
        "capture": writer.capture,
        "streams": work.streams,
        "written": work.desk.lines,
        "files": writer.finished.files,
        "waiting": work.desk.waiting,
        "waiting_bytes": work.desk.bytes,
        "gaps": work.gaps,
        "refused": work.refused,
        "unreadable": work.unreadable,
        "trouble": work.desk.trouble,
    }


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    return run_command(app, arguments, "fsnats capture")
