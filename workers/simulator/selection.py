"""Which instruments a REST request names.  Pure; raises RestError, in the exchange's words, for those that are none."""

from collections.abc import Callable

from fsnats.binance.parameters import SYMBOL, SYMBOL_LEGAL, Query, RestError, illegal, needed, symbols_of
from fsnats.binance.streams import Market
from workers.simulator.exchange import Exchange
from workers.simulator.instruments import Instrument

Row = Callable[[Instrument, int], str]


def listed(exchange: Exchange, market: Market, symbol: str) -> Instrument:
    """The instrument of a name."""
    if market is Market.SPOT and not SYMBOL.fullmatch(symbol):
        raise illegal("symbol", SYMBOL_LEGAL)
    instrument = exchange.get(market, symbol)
    if instrument is None:
        raise RestError(-1121, "Invalid symbol.")
    return instrument


def named(exchange: Exchange, market: Market, query: Query) -> Instrument:
    """The instrument of `symbol`, which must be there."""
    return listed(exchange, market, needed(query, "symbol"))


def contracts(exchange: Exchange, market: Market, query: Query) -> list[Instrument]:
    """The contracts of `pair`, which must be there and have one."""
    found = exchange.contracts(market, needed(query, "pair"))
    if not found:
        raise RestError(-1121, "Invalid symbol.")
    return found


def one_or_all(exchange: Exchange, market: Market, query: Query, row: Row, now: int) -> bytes:
    """One row where a symbol is named (COIN-M: an array of it), an array where several are, or a pair, or none."""
    if "symbol" in query:
        one = row(named(exchange, market, query), now)
        return (f"[{one}]" if market is Market.COINM else one).encode()
    each = exchange.trading(market)
    if market is Market.SPOT and "symbols" in query:
        each = [listed(exchange, market, symbol) for symbol in symbols_of(query)]
    elif market is Market.COINM and "pair" in query:
        each = exchange.contracts(market, query["pair"])
    return f"[{','.join(row(one, now) for one in each)}]".encode()
