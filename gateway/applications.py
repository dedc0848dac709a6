"""What answers below `/api` and behind the markets' bases, but for Binance's own REST."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fsnats.bus import Bus
from fsnats.clock import Clock
from gateway.admission.pace import Paces
from gateway.komas.api import House, Komas
from gateway.komas.keeper import Keeper
from gateway.komas.routes import PREFIX
from gateway.rest.archive import Archive
from gateway.rest.fleet import PREFIX as FLEET
from gateway.rest.fleet import FleetView
from gateway.rest.logs import PATH as LOGS
from gateway.rest.logs import TodaysLogs
from gateway.rest.ranges import PATHS
from gateway.rest.symbols import PATH as SYMBOLS
from gateway.rest.symbols import Symbols

App = Callable[[Any, Any, Any], Awaitable[None]]  # of ASGI


class Gateway(House, Protocol):
    """What they need of the gateway."""

    name: str
    pins: Keeper


def applications(house: Gateway, bus: Bus, clock: Clock, paces: Paces) -> dict[str, App]:
    """By the path that each answers; one that ends in "/" stands for everything below it."""
    archive = Archive(house, bus, clock, paces)
    return {
        **dict.fromkeys(PATHS, archive),
        SYMBOLS: Symbols(house, paces),
        LOGS: TodaysLogs(house, clock, paces),
        **dict.fromkeys((FLEET, f"{FLEET}/"), FleetView(house, bus, clock, paces)),
        PREFIX: Komas(house, bus, house.pins, paces),
    }
