"""Compose and run a fleet.  Nesting is the order: what is entered first is left last."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import msgspec

from fsnats.binance.streams import Market
from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.metrics import text
from fsnats.metrics.sockets import pattern
from fsnats.notify import from_environment
from fsnats.process import Stopping, reloading
from fsnats.rendezvous import METRICS_FILE, STORE_FILE
from fsnats.supervisor import natsd, programs, report
from fsnats.supervisor.collection import collected
from fsnats.supervisor.endpoint import Answer, base_url, listen, plain, serving
from fsnats.supervisor.fleet import Fleet, Running
from fsnats.supervisor.kept import State
from fsnats.supervisor.lifeline import Lifeline
from fsnats.supervisor.output import Printer
from fsnats.supervisor.programs import Stage
from fsnats.supervisor.statedir import published_url, run_directory, sole_supervisor, state_directory
from fsnats.supervisor.supervisor import STOP_SECONDS

__all__ = ["Running", "SimSettings", "at_simulator", "supervise"]

SIMULATED_STORE = "fsnats-sim.sqlite3"
SIMULATOR_PORT = 9443  # the one that Binance's own test hosts use; taken when it is free


class SimSettings(msgspec.Struct, frozen=True):
    """How to run the simulator: its port, 0 for a free one, and further arguments of its command."""

    port: int = 0
    arguments: tuple[str, ...] = ()


async def supervise(
    config: Config,
    stopping: Stopping,
    *,
    with_gateway: bool,
    simulated: SimSettings | None = None,
    replayed: Mapping[Market, bytes] | None = None,
    impatient: bool = False,
    on_ready: Callable[[Running], None] | None = None,
) -> None:
    """Run the fleet that `config` describes until `stopping`, and stop it in order.

    The impatient want to know what is wrong instead of waiting for it to pass: an exchange or a NATS server that does
    not answer at the start, or a program that gives up, ends everything.  With `replayed`, the exchangeInfo of each
    market, there are no workers: whoever calls publishes in their place, on a server of its own, so that nobody takes
    that for live data.  Raises FsnatsError.
    """
    directory = state_directory(config)
    with ExitStack() as stack:
        stack.enter_context(sole_supervisor(directory))
        printer = Printer(sys.stderr, os.environ, lambda: datetime.now(UTC))
        stack.enter_context(printer.logging_as(report.NAME))
        notifier = from_environment()
        fleet = Fleet(config, printer, notifier, impatient=impatient)
        lifeline = stack.enter_context(Lifeline(directory, fleet.supervisor.heard))
        stack.enter_context(reloading(lambda: fleet.supervisor.hang_up(Stage.GATEWAY), stopping))
        if replayed is not None:
            fleet.replayed = replayed
            if config.nats_url:
                reason = "a replay has a NATS server of its own, for nobody to take it for live data; leave this empty"
                raise ConfigError("FSNATS_NATS_URL", reason)
        places = pattern(run_directory(directory))

        def environment() -> dict[str, str]:
            return programs.environment(config, os.environ, notify=lifeline.address, pid=os.getpid(), numbers=places)

        if not config.nats_url:
            # The symbols of a simulator or a capture are not to be mistaken for the exchange's: theirs lie apart.
            store = "nats-replay" if replayed is not None else "nats-sim" if simulated else "nats"
            fleet.nats = natsd.prepare(config, directory, environment(), store=store)
            stack.enter_context(published_url(directory, fleet.nats.url))
            config = msgspec.structs.replace(config, nats_url=fleet.nats.url)
        if simulated:
            port = simulated.port or _free_port(SIMULATOR_PORT)
            config = at_simulator(config, port, directory)
            stack.enter_context(published_url(directory, config.store_url, STORE_FILE))
        fleet.config = config
        fleet.environ = environment()
        if simulated:
            fleet.simulator = programs.simulator(port, simulated.arguments, fleet.environ)
        async with _watched(config, directory, fleet), fleet.supervisor:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(fleet.run(with_gateway, on_ready))
                await stopping.wait()
                running.cancel()
            notifier.say("STATUS=stopping")
            notifier.stopping(config.gateway_graceful + STOP_SECONDS)


@asynccontextmanager
async def _watched(config: Config, directory: Path, fleet: Fleet) -> AsyncIterator[None]:
    """Tell over HTTP how the fleet is, for as long as the block runs."""

    async def metrics() -> Answer:
        pages = await collected(report.NAME, fleet.supervisor, fleet.numbers)
        return Answer(text.written(pages), content_type=text.CONTENT_TYPE)

    async def healthz() -> Answer:
        return plain("ok")

    async def readyz() -> Answer:
        missing = [f"{each.name}: {each.state}" for each in fleet.supervisor.standings() if each.state != State.READY]
        if fleet.started and not missing:
            return plain("ready")
        reason = ", ".join(missing) or "the fleet starts"
        return plain(f"not ready: {reason}", HTTPStatus.SERVICE_UNAVAILABLE)

    with fleet.vitals.beating(), ExitStack() as stack:
        if not config.metrics_port:
            yield
            return
        listener = listen(config.metrics_host, config.metrics_port)
        fleet.metrics_url = f"{base_url(listener)}/metrics"
        stack.enter_context(published_url(directory, fleet.metrics_url, METRICS_FILE))
        report.logger.info("metrics are served", extra={"event": "metrics.served", "url": fleet.metrics_url})
        async with serving(listener, {"/metrics": metrics, "/healthz": healthz, "/readyz": readyz}):
            yield


def at_simulator(config: Config, port: int, directory: Path) -> Config:
    """The configuration with every market's URLs turned to a simulator on this machine.

    Prices that are made up go into a store of their own, in the state directory.
    """
    urls = {"store_url": f"sqlite://{directory}/{SIMULATED_STORE}"}
    for market in Market:
        urls[f"{market}_ws_url"] = f"ws://127.0.0.1:{port}/{market}"
        urls[f"{market}_rest_url"] = f"http://127.0.0.1:{port}/{market}"
    # A proxy could not reach this machine's loopback, and must not learn of it either.
    return msgspec.structs.replace(config, **urls, proxy="direct")


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            taken: int = probe.getsockname()[1]
            return taken
    raise ConfigError("the simulator's port", "no port is free")
