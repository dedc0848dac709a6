"""`python -P -m gateway`: one gateway process, or several that share a port."""

import asyncio
import contextlib
import logging
import os
import random
from typing import Annotated

import msgspec
import typer

from fsnats import descriptors, headway, notify, process
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.command import run_command
from fsnats.config import Config
from fsnats.errors import BusUnavailable
from fsnats.logs.start import log_as
from fsnats.metrics import shown, text
from fsnats.metrics.bus import of_bus
from fsnats.metrics.family import Family
from fsnats.rendezvous import nats_urls
from fsnats.settings import load
from fsnats.status import respond
from fsnats.supervisor.crowd import crowd
from fsnats.websocket.http import Patience
from fsnats.websocket.serve import listen, serving
from gateway.admission.pace import Paces
from gateway.app import Gateway
from gateway.applications import applications
from gateway.files import Files
from gateway.http import build
from gateway.neighbours import check, fleet_of, taking
from gateway.rest.facade import Facade
from gateway.sse.routes import PREFIX

_STOP_SECONDS = 10.0  # that the end of everything else may take

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
logger = logging.getLogger(__name__)


@app.command()
def gateway(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Listen on this port.")] = None,
    host: Annotated[str | None, typer.Option(help="Listen on this address.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, max=64, help="So many processes share the port.")] = None,
    tls_cert: Annotated[str | None, typer.Option(help="Serve TLS with this certificate chain, a PEM file.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="The certificate's key, a PEM file.")] = None,
    graceful: Annotated[
        float | None, typer.Option(min=0, max=600, help="When stopped, send clients away over so many seconds.")
    ] = None,
) -> None:
    """Serve clients what the bus carries."""
    options: dict[str, object] = {"gateway_port": port, "gateway_host": host, "gateway_processes": processes}
    options |= {"gateway_tls_cert": tls_cert, "gateway_tls_key": tls_key, "gateway_graceful": graceful}
    config = load(options={name: str(value) for name, value in options.items() if value is not None}).config
    name = process.own_name("gateway")
    log_as(os.environ.get(notify.PROGRAM, "gateway"), config)

    async def serve(stopping: process.Stopping) -> None:
        files = Files(config)
        if config.gateway_processes > 1:
            await _serve_together(config, stopping)
            return
        with process.reloading(files.reload, stopping):
            await _serve(_fitting(config, descriptors.raise_limit()), name, stopping, files)

    raise typer.Exit(process.run(serve))


def _fitting(config: Config, files: int) -> Config:
    """The configuration with no more connections than this process may have files open for."""
    room, wanted = descriptors.room(files), config.gateway_connections
    if wanted > room:
        logger.warning(
            "fewer connections fit than FSNATS_GATEWAY_CONNECTIONS allows: raise the limit of open files (ulimit -Hn, "
            "LimitNOFILE=)",
            extra={"event": "gateway.files_limit", "allowed": wanted, "files": files, "fit": room},
        )
    return msgspec.structs.replace(config, gateway_connections=min(wanted or room, room))


async def _serve_together(config: Config, stopping: process.Stopping) -> None:
    """Several processes on one port; the kernel shares connections out among them."""
    # Held, though never listened on: with port 0 it decides which port they share, and it finds out now, in a
    # sentence, when the port cannot be had.
    with listen(config.gateway_host, config.gateway_port, "FSNATS_GATEWAY_PORT") as place:
        await check(
            config.gateway_host, config.gateway_port, fleet_of(nats_urls(config)), tls=bool(config.gateway_tls_cert)
        )
        port = place.getsockname()[1]
        one = msgspec.structs.replace(config, gateway_port=port, gateway_processes=1)
        await crowd(one, stopping, "gateway", ["gateway"], config.gateway_processes)


async def _serve(config: Config, name: str, stopping: process.Stopping, files: Files) -> None:
    notifier = notify.from_environment()
    house: Gateway | None = None

    def after_read() -> None:
        if house is not None:
            house.after_read()

    def bus_changed(connected: bool) -> None:
        if house is not None:
            house.interest.bus_changed(connected)

    listener = listen(config.gateway_host, config.gateway_port, "FSNATS_GATEWAY_PORT")
    urls = nats_urls(config)
    fleet = fleet_of(urls)
    bus = NatsBus(urls, name, random.random, after_read=after_read, on_change=bus_changed)
    async with bus, asyncio.TaskGroup() as tasks:
        house = Gateway(config, name, bus, files.tokens)
        respond(bus, house.status)
        headway.respond(bus, house.headway)
        running = tasks.create_task(house.run())
        beating = tasks.create_task(notifier.beat())
        paces, clock = Paces(), SystemClock()
        facade = Facade(house, bus, clock, asyncio.get_running_loop().call_later, paces)
        apps = applications(house, bus, clock, paces)

        def numbers() -> list[Family]:
            assert house is not None
            return [*of_bus(bus), *house.numbers()]

        async def metrics() -> bytes:
            assert house is not None
            return text.written(await shown.whole("gateway", house.vitals, numbers))

        http = build(house.unready, metrics, facade, apps, config.markets, fleet)
        patience = Patience(config.gateway_handshake_timeout, config.gateway_idle_timeout)
        refused = house.count_refusal
        async with shown.shown("gateway", house.vitals, numbers), contextlib.AsyncExitStack() as served:
            async with taking(config.gateway_host, config.gateway_port, fleet, tls=files.tls is not None):
                house.sockets = await served.enter_async_context(
                    serving(
                        http,
                        house.connection,
                        listener,
                        tls=files.tls,
                        patience=patience,
                        refused=refused,
                        events=(PREFIX, house.reader),
                    )
                )
            address = listener.getsockname()
            url = f"{'wss' if files.tls else 'ws'}://{address[0]}:{address[1]}/"
            logger.info(
                "listening", extra={"event": "gateway.listening", "url": url, "connections": config.gateway_connections}
            )
            getting_ready = tasks.create_task(_announce(house, notifier))
            await stopping.wait()
            notifier.stopping(config.gateway_graceful + _STOP_SECONDS)
            getting_ready.cancel()
            await stopping.linger(house.leave(config.gateway_graceful, SystemClock()))
            await house.leave(0.0, SystemClock())
        house.interest.withdraw()
        with contextlib.suppress(BusUnavailable):
            await bus.flush()
        running.cancel()
        beating.cancel()


async def _announce(house: Gateway, notifier: notify.Notifier) -> None:
    await house.ready()
    process.settle()
    notifier.say("READY=1")
    logger.info("ready", extra={"event": "gateway.ready"})


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return run_command(app, arguments, "gateway")
