"""How the fleet is: for the log, for `fsnats status`, and for whoever started us."""

import logging
import os
import signal
from typing import assert_never

import msgspec

from fsnats import __version__
from fsnats.binance.streams import Market
from fsnats.exits import pool
from fsnats.fleet.events import Journal, Kind
from fsnats.status import Status
from fsnats.supervisor import events
from fsnats.supervisor.census import Census
from fsnats.supervisor.kept import Standing

logger = logging.getLogger(__name__)

NAME = "supervisor"


class MarketStatus(msgspec.Struct, frozen=True):
    """What is known of one market; `trouble` says why it could not be asked last time, or its list not be `kept`."""

    symbols: int
    groups: int
    simulated: bool | None
    taken_ms: int | None
    trouble: str | None
    kept: bool = True


def market_status(census: Census, market: Market) -> MarketStatus:
    """What a census knows of one market."""
    listing = census.listings.get(market)
    groups = census.groups.get(market, [])
    return MarketStatus(
        symbols=sum(len(group.symbols) for group in groups),
        groups=len(groups),
        simulated=listing.simulated if listing else None,
        taken_ms=listing.taken_ms if listing else None,
        trouble=census.troubles.get(market),
        kept=market not in census.unkept,
    )


def status(
    uptime: float,
    programs: list[Standing],
    markets: dict[Market, MarketStatus],
    exits: list[pool.Standing],
    replay_trouble: str = "",
) -> Status:
    """The supervisor's answer to a status request."""
    return {
        "program": NAME,
        "kind": NAME,
        "pid": os.getpid(),
        "version": __version__,
        "uptime": round(uptime, 1),
        "programs": programs,
        "markets": markets,
        "exits": exits,
        "replay_trouble": replay_trouble,
    }


def ending(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def note_event(journal: Journal, event: events.Event) -> None:
    """Keep what dashboards show."""
    match event:
        case events.Ready(program):
            journal.note(Kind.READY, child=program)
        case events.Exited(program, status=status, expected=False):
            journal.note(Kind.ENDED, child=program, reason=ending(status))
        case events.Unstartable(program, reason):
            journal.note(Kind.ENDED, child=program, reason=f"cannot be started: {reason}")


def log_event(event: events.Event) -> None:
    """Say what happened."""
    child = {"child": event.program}
    match event:
        case events.Started(program, pid):
            logger.debug(f"{program} starts", extra={"event": "program.starts", **child, "pid": pid})
        case events.Ready(program, took, ready, wanted):
            logger.info(
                f"{program} is ready ({ready} of {wanted})",
                extra={"event": "program.ready", **child, "took": round(took, 2)},
            )
        case events.Exited(program, pid, status, expected):
            level = logging.DEBUG if expected else logging.WARNING
            logger.log(level, f"{program} {ending(status)}", extra={"event": "program.ended", **child, "pid": pid})
        case events.Unstartable(program, reason):
            logger.error(f"{program} cannot be started: {reason}", extra={"event": "program.unstartable", **child})
        case events.Restarting(program, delay, count):
            logger.info(
                f"{program} starts again in {delay:g} s",
                extra={"event": "program.restarts", **child, "restarts": count},
            )
        case events.GaveUp(program, status):
            logger.error(
                f"{program} {ending(status)}: starting it again cannot help",
                extra={"event": "program.given_up", **child},
            )
        case events.Silent(program, seconds):
            logger.error(
                f"{program} gave no sign of life for {seconds:.0f} s: killing it",
                extra={"event": "program.silent", **child},
            )
        case events.TooBig(program, rss, most):
            logger.warning(
                f"{program} is too big: replacing it",
                extra={"event": "program.too_big", **child, "rss": rss, "most": most},
            )
        case events.Stuck(program, seconds):
            logger.warning(
                f"{program} did not stop within {seconds:g} s: killing it", extra={"event": "program.stuck", **child}
            )
        case _:
            assert_never(event)
