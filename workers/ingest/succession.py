"""What a worker takes over from the one before it: the frame at which each stream stopped.

The replay window has it.  From there the successor knows what is missing, fills or tells it, and flags its first frame
CONTINUES, so that readers need not fear for what they cannot see.
"""

import asyncio
import logging
from collections.abc import Collection

from fsnats import replay
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import BusUnavailable
from fsnats.frames import GAP, LATE, SNAPSHOT, Frame

logger = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds that a stream waits for the window's answer; a thousand streams take some milliseconds
# Seconds since the last frame after which a stream begins anew: without readers it is left upstream after a while, and
# nobody missed what came then.  A worker that has just started goes further back: its predecessor may have been dead
# for the minute that restarts are delayed by at most.
FRESH, FRESH_AT_START = 10.0, 75.0
STARTING = 15.0  # seconds in which a new worker hears of all that is wanted: gateways repeat it every few seconds
_ASIDE = GAP | SNAPSHOT | LATE  # a frame that does not hold the newest payload of the exchange
_BEHIND = 8  # frames to look back for the newest payload of the exchange, where a notice came last
_EPOCH_MOST = 2**62  # nanoseconds: the year 2116; what is beyond is no epoch of ours
_LOOKS = 32  # streams for which that is done: a notice is the last frame of few


async def heritage(bus: Bus, market: Market, names: Collection[str], epoch: int, clock: Clock) -> dict[str, Frame]:
    """Where other workers stopped, by stream; nothing where there is no window, or it does not answer in time.

    A frame is the newest one with a payload of the exchange, with the sequence number of the newest one of all.
    """
    if not names:
        return {}
    try:
        async with asyncio.timeout(PATIENCE):
            newest = await replay.lasts(bus, market, names)
            fresh = {name: frame for name, frame in newest.items() if is_heritage(frame, epoch, clock.time_ns())}
            aside = [name for name, frame in fresh.items() if frame.flags & _ASIDE]
            for name in aside[:_LOOKS]:
                fresh[name] = before_notices([fresh[name], *await replay.newest(bus, market, name, _BEHIND)])
    except (BusUnavailable, TimeoutError) as error:
        logger.info(
            "streams begin anew",
            extra={"event": "streams.begin_anew", "streams": len(names), "reason": str(error) or "no answer in time"},
        )
        return {}
    return {name: frame for name, frame in fresh.items() if not frame.flags & _ASIDE}


async def epoch_after(bus: Bus, market: Market, names: Collection[str], epoch: int) -> int:
    """An epoch that is later than those of whoever carried these streams last: this one, if it is.

    Readers sort frames by their epochs, which have to grow also where the clock was put back meanwhile.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            newest = await replay.lasts(bus, market, names)
    except (BusUnavailable, TimeoutError):
        return epoch
    return max(epoch, *(frame.epoch + 1 for frame in newest.values() if frame.epoch < _EPOCH_MOST), 0)


def is_heritage(frame: Frame, epoch: int, now_ns: int) -> bool:
    """Whether a worker that started at `epoch` goes on after this frame."""
    starting = now_ns - epoch < STARTING * 1e9
    return frame.epoch < epoch and now_ns - frame.received_ns < (FRESH_AT_START if starting else FRESH) * 1e9


def before_notices(frames: list[Frame]) -> Frame:
    """The newest payload of the exchange, numbered as the newest frame of all; that frame where none has a payload."""
    last = frames[-1]
    for frame in reversed(frames):
        if not frame.flags & _ASIDE:
            return Frame(last.version, last.stream, last.received_ns, last.epoch, last.seq, 0, frame.payload)
    return last
