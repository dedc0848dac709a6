"""The bus for commands that somebody waits for: there within seconds, or one sentence about why not."""

import asyncio
import os
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fsnats import log, process
from fsnats.bus.dialling import shown
from fsnats.bus.nats import NatsBus
from fsnats.config import Config
from fsnats.errors import BusUnavailable, ConfigError
from fsnats.rendezvous import nats_urls

_LIMIT = 3.0  # seconds to wait for NATS: enough for a handshake across the world, short enough to wait for


def unique_name(command: str) -> str:
    """A name that nobody else on the bus has: it tells demands and inboxes apart."""
    return f"{command}-{os.getpid()}-{secrets.token_hex(4)}"


@asynccontextmanager
async def connected_bus(config: Config, name: str) -> AsyncIterator[NatsBus]:
    """A bus that is connected.  Raises BusUnavailable with what to do about it."""
    try:
        urls = nats_urls(config)
    except ConfigError as error:
        # Not a wrong setting here: the fleet may be started at any moment.
        raise BusUnavailable(
            f"no fleet runs here: {error.setting} is {error.reason}; start one with `fsnats up`"
        ) from error
    async with NatsBus(urls, name, random.random) as bus:
        try:
            async with asyncio.timeout(_LIMIT):
                await bus.connected()
        except TimeoutError:
            where = ", ".join(shown(url) for url in urls)
            raise BusUnavailable(f"NATS does not answer at {where}; `fsnats doctor` looks closer") from None
        yield bus


def run(main: Callable[[], Awaitable[None]], *, level: str = "error") -> int:
    """Run `main` until it returns or somebody presses Ctrl-C, and return the exit status.

    `level` is the least important log line to show: what commands report, they say themselves.
    """
    log.configure("fsnats", level)

    async def until_stopped(stopping: process.Stopping) -> None:
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(_awaited(main()))
            waiting = tasks.create_task(stopping.wait())
            await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            waiting.cancel()

    return process.run(until_stopped)


async def _awaited(work: Awaitable[None]) -> None:
    await work
