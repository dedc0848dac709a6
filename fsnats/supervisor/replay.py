"""Keep the replay window: one JetStream stream a market that takes in what workers publish (read by `fsnats.replay`).

The streams lie in NATS' memory, so they end with the server: whenever the connection is new, and every now and then,
they are made again.  A NATS account that has no memory for them costs the window and nothing else.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.config import Config
from fsnats.errors import BusUnavailable
from fsnats.replay import window
from fsnats.subjects import PREFIX

logger = logging.getLogger(__name__)

MB = 1024**2

_TIMEOUT = 5.0  # seconds for one JetStream request
_INTERVAL = 10.0  # seconds between two looks at whether the streams are there
_NOT_FOUND, _OTHERWISE = 10059, 10058  # JetStream's error codes: no such stream; it exists with other settings


class _Error(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _Reply(msgspec.Struct):
    error: _Error | None = None


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
            logger.warning("there is no replay window, losses will be told instead of filled", extra={"error": trouble})
        self.trouble = trouble

    async def _ensure(self, bus: Bus, market: Market) -> None:
        name = window(market)
        if not self._config.replay_seconds:
            await _ask(bus, f"DELETE.{name}", {}, fine=_NOT_FOUND)
            return
        wish = stream(self._config, market)
        # Creating what exists with these very settings changes nothing.
        if not await _ask(bus, f"CREATE.{name}", wish, fine=_OTHERWISE):
            await _ask(bus, f"UPDATE.{name}", wish)


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


async def _ask(bus: Bus, what: str, request: Mapping[str, object], fine: int = 0) -> bool:
    """Whether it was done; False for the error that is fine.  Raises BusUnavailable for every other one."""
    answer = await bus.request(f"$JS.API.STREAM.{what}", msgspec.json.encode(request), _TIMEOUT)
    try:
        error = msgspec.json.decode(answer, type=_Reply).error
    except msgspec.DecodeError as problem:
        raise BusUnavailable(f"JetStream answered what we cannot read: {problem}") from problem
    if error is not None and error.err_code != fine:
        raise BusUnavailable(f"JetStream refused: {error.description} ({error.err_code})")
    return error is None
