"""What the exchange would list, were it as large as a capture.  Pure."""

from collections.abc import Iterable

import msgspec

from fsnats.binance.streams import Market, Scope, Stream, parse
from fsnats.errors import StreamNameError
from fsnats.symbols import TRADING

Key = tuple[Market, str]


def stream_of(key: str) -> Key:
    """The market and the stream of a manifest's key (`spot:btcusdt@trade`).  Raises ValueError."""
    market, _, stream = key.partition(":")
    return Market(market), stream


def sorted_out(keys: Iterable[Key]) -> tuple[dict[Market, list[Stream]], list[Key]]:
    """The streams that a client can ask for, by market in the order of the markets, and those that none can."""
    known: dict[Market, list[Stream]] = {}
    unknown = []
    for market, name in sorted(keys, key=lambda key: (list(Market).index(key[0]), key[1])):
        try:
            stream = parse(market, name)
            if stream.name != name:
                raise StreamNameError(name, "not as Binance spells it")
        except StreamNameError:
            unknown.append((market, name))
        else:
            known.setdefault(market, []).append(stream)
    return known, unknown


def exchange_info(streams: Iterable[Stream]) -> bytes:
    """The body of an exchangeInfo reply in which everything trades that these streams belong to."""
    rows: dict[str, dict[str, str]] = {}
    for stream in streams:
        match stream.scope:
            case Scope.ALL | Scope.ASSET:
                continue
            case Scope.SYMBOL:
                name, pair = stream.subject, stream.subject
                if stream.market is not Market.SPOT:
                    pair = name.partition("_")[0]
            case Scope.PAIR | Scope.CONTRACT:
                # Pairs are listed by their contracts: by the one that every pair has.
                name = f"{stream.pair}_PERP" if stream.market is Market.COINM else stream.pair
                pair = stream.pair
        perpetual = stream.market is not Market.SPOT and not name.rpartition("_")[2].isdecimal()
        rows[name] = {
            "symbol": name,
            "pair": pair,
            "status": TRADING,
            "contractStatus": TRADING,
            "contractType": "PERPETUAL" if perpetual else "",
        }
    return msgspec.json.encode({"symbols": list(rows.values())})
