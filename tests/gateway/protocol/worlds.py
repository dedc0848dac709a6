"""Small listings and readable effects for the tests of the dialects."""

import json
from collections.abc import Iterable
from typing import Any

from fsnats.binance.streams import Market
from fsnats.changes import Change
from fsnats.symbols import Listing, Symbol
from gateway.effects import Effect, Leave, Listen, Send

SPOT, USDM, COINM = Market.SPOT, Market.USDM, Market.COINM
EVERY = (SPOT, USDM, COINM)


def listing(market: Market, *names: str, simulated: bool = False) -> Listing:
    """A market that lists these symbols; `NAME/STATUS` gives a status other than TRADING."""
    symbols = []
    for name in names:
        symbol, _, status = name.partition("/")
        contract = "" if market is SPOT else "CURRENT_QUARTER" if symbol[-1].isdigit() else "PERPETUAL"
        pair = symbol.partition("_")[0]
        symbols.append(Symbol(symbol, pair, contract, status or "TRADING"))
    return Listing(market, 0, simulated, symbols)


def change(market: Market, **lists: list[str]) -> Change:
    """A change of a market's list; by default one that concerns no symbol that trades."""
    empty: dict[str, list[str]] = {"listed": [], "delisted": [], "halted": [], "resumed": []}
    return Change(market, **(empty | lists), at_ms=17)


def world() -> dict[Market, Listing]:
    """Three markets with a handful of symbols each."""
    return {
        SPOT: listing(SPOT, "BTCUSDT", "ETHUSDT", "BNBUSDT", "LUNAUSDT/BREAK"),
        USDM: listing(USDM, "BTCUSDT", "ETHUSDT", "BTCUSDT_261225"),
        COINM: listing(COINM, "BTCUSD_PERP", "BTCUSD_261225"),
    }


def sent(effects: Iterable[Effect]) -> list[Any]:
    """The messages among the effects, decoded."""
    return [json.loads(effect.text) for effect in effects if isinstance(effect, Send)]


def listens(effects: Iterable[Effect]) -> list[str]:
    """The names of the streams that the effects start."""
    return [effect.stream.name for effect in effects if isinstance(effect, Listen)]


def leaves(effects: Iterable[Effect]) -> list[str]:
    """The names of the streams that the effects end."""
    return [effect.stream.name for effect in effects if isinstance(effect, Leave)]


def delivered(effects: Iterable[Effect], payload: str = '{"e":"x"}') -> list[Any]:
    """What the client reads when each stream that the effects start delivers this payload once."""
    frames = [
        effect.form.prefix + payload.encode() + effect.form.suffix for effect in effects if isinstance(effect, Listen)
    ]
    return [json.loads(frame) for frame in frames]
