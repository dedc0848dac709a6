"""One replay: a NATS server and a gateway as always, and a player in the place of the workers."""

import asyncio
import os
import random
from collections.abc import Callable, Sequence

import msgspec

from fsnats.bus.nats import NatsBus
from fsnats.captures.check import Checked, played
from fsnats.captures.listing import exchange_info, sorted_out, stream_of
from fsnats.captures.player import Player, Playing, Progress
from fsnats.clock import SystemClock
from fsnats.config import Config
from fsnats.errors import CaptureError
from fsnats.process import Stopping
from fsnats.supervisor.main import Running, supervise

Say = Callable[[Progress], None]


async def perform(
    config: Config,
    files: Sequence[Checked],
    playing: Playing,
    stopping: Stopping,
    *,
    loop: bool,
    on_ready: Callable[[Running], None],
    say: Say,
    every: float,
) -> Progress:
    """Serve what the files hold until its end, or `stopping`; returns how far it came.

    `say` hears of it every so many seconds.  Raises CaptureError where the files hold nothing that a client can ask
    for, and FsnatsError as `supervise` does.
    """
    known, _ = sorted_out(stream_of(key) for file in files for key in file.manifest.streams)
    if not known:
        raise CaptureError(files[0].path, "holds no stream that a client can ask for")
    bodies = {market: exchange_info(streams) for market, streams in known.items()}
    config = msgspec.structs.replace(config, markets=tuple(known), symbols=())
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    clock = SystemClock()
    progress = Progress()

    async def play() -> None:
        nonlocal progress
        running = await ready
        on_ready(running)
        name = f"replay-{os.getpid()}"
        async with NatsBus([running.nats_url], name, random.random) as bus, asyncio.TaskGroup() as beside:
            await bus.connected()
            player = Player(bus, name, clock, playing)
            progress = player.progress
            saying = beside.create_task(_say(player, say, every))
            await player.begin()
            await player.play(played(files))
            while loop:
                await player.play(played(files))
            saying.cancel()
        stopping.request()

    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(
            supervise(config, stopping, with_gateway=True, replayed=bodies, impatient=True, on_ready=ready.set_result)
        )
        work = tasks.create_task(play())
        await asyncio.wait((serving, work), return_when=asyncio.FIRST_COMPLETED)
        work.cancel()  # somebody stopped it
    return progress


async def _say(player: Player, say: Say, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        say(player.progress)
