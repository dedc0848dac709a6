"""Keep the replay window: one JetStream stream a market that takes in what workers publish (read by `fsnats.replay`).

The streams lie in NATS' memory, so they end with the server: whenever the connection is new, and every now and then,
they are made again.  A NATS account that has no memory for them costs the window and nothing else.
"""

import asyncio
import contextlib
import logging

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus, jetstream
from fsnats.bus.jetstream import NO_STREAM, STREAM_EXISTS, Reply
from fsnats.config import Config
from fsnats.errors import BusUnavailable
from fsnats.replay import window
from fsnats.subjects import PREFIX

logger = logging.getLogger(__name__)

MB = 1024**2

_INTERVAL = 10.0  # seconds between two looks at whether the streams are there


class ReplayKeeper:
    """Makes the streams and sees that they stay.  `trouble` says why there is no window, where there should be one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.trouble = ""

    async def run(self, bus: Bus) -> None:
        """Keep the streams, until cancelled."""
        look = asyncio.Event()
        forget = bus.on_connect(look.set)
        try:
            while True:
                look.clear()
                await self.ensure(bus)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_INTERVAL):
                        await look.wait()
        finally:
            forget()

    async def ensure(self, bus: Bus) -> None:
        """Make the streams where they are missing or configured otherwise; end them where no window is wanted."""
        try:
            for market in self._config.markets:
                await self._ensure(bus, market)
        except BusUnavailable as error:
            if not bus.is_connected:
                return  # it will be back, and we shall hear of it
            trouble = str(error)
        else:
            trouble = ""
        if trouble and trouble != self.trouble:
            logger.warning(
                "there is no replay window, losses will be told instead of filled",
                extra={"event": "window.missing", "error": trouble},
            )
        self.trouble = trouble

    async def _ensure(self, bus: Bus, market: Market) -> None:
        name = window(market)
        if not self._config.replay_seconds:
            await jetstream.ask(bus, f"STREAM.DELETE.{name}", kind=Reply, fine=NO_STREAM)
            return
        wish = msgspec.json.encode(stream(self._config, market))
        # Creating what exists with these very settings changes nothing.
        created = await jetstream.ask(bus, f"STREAM.CREATE.{name}", wish, kind=Reply, fine=STREAM_EXISTS)
        if created.error is not None:
            await jetstream.ask(bus, f"STREAM.UPDATE.{name}", wish, kind=Reply)


def stream(config: Config, market: Market) -> dict[str, object]:
    """The JetStream stream that is a market's window."""
    return {
        "name": window(market),
        "subjects": [f"{PREFIX}.{market}.>"],
        "storage": "memory",
        "max_age": int(config.replay_seconds * 1e9),
        "max_bytes": config.replay_mb * MB // len(config.markets),
        "discard": "old",
        "allow_direct": True,
        "duplicate_window": min(int(config.replay_seconds * 1e9), 1_000_000_000),  # no frame has an id to compare
        "num_replicas": 1,
    }
