"""How a stream is spelled on NATS.  This module alone writes, reads and matches subjects.

`fsnats.<market>.<stream with "@" read as ".">`: `btcusdt@depth20@100ms` on USD-M is
`fsnats.usdm.btcusdt.depth20.100ms`, `!markPrice@arr@1s` is `fsnats.usdm.!markPrice.arr.1s`.  Every character that a
NATS token must not hold, every "." and "%", and everything outside ASCII is percent-encoded as UTF-8, so the mapping is
a bijection between stream names and subjects.  `fsnats.spot.*.kline_1m` is every symbol's.

These subjects are a public interface: any NATS client in any language may read them.
"""

from urllib.parse import quote, unquote

from fsnats.binance.streams import MARKETS, Market
from fsnats.errors import StreamNameError

PREFIX = "fsnats"
# Left as they are, besides letters, digits and "_-~" which quote() never encodes ("." it never encodes either, hence
# the replacement below).
_SAFE = "!+:"


def subject_of(market: Market, name: str) -> str:
    """The subject of a stream name.  Raises StreamNameError for a name with an empty part (`a@@b`)."""
    tokens = name.split("@")
    if not all(tokens):
        raise StreamNameError(name, "an empty part")
    return f"{PREFIX}.{market}." + ".".join(quote(token, safe=_SAFE).replace(".", "%2E") for token in tokens)


def stream_of(subject: str) -> tuple[Market, str]:
    """The market and stream name of a data subject.  Raises StreamNameError for any other subject."""
    prefix, _, rest = subject.partition(".")
    market, _, tail = rest.partition(".")
    tokens = tail.split(".")
    if prefix != PREFIX or market not in MARKETS or not all(tokens):
        raise StreamNameError(subject, "not the subject of a stream")
    return Market(market), "@".join(unquote(token, errors="strict") for token in tokens)


# Control subjects.  None of them collides with a market's name.

DEMAND_REQUEST = f"{PREFIX}.demand.request"  # a starting worker asks every gateway for its whole set
DIALS = f"{PREFIX}.rpc.dials"  # a worker asks the supervisor when it may dial, and by which exit
EXIT_REPORTS = f"{PREFIX}.exits.report"  # a worker tells the supervisor what became of it
HEADWAY = f"{PREFIX}.headway.request"  # a replay asks every gateway how far it is
KLINES = f"{PREFIX}.rpc.klines"  # a gateway asks the history workers
TRADES = f"{PREFIX}.rpc.trades"  # the same for aggregated trades
ROWS = f"{PREFIX}.rpc.rows"  # an ingest worker asks the history workers for what it missed
REST = f"{PREFIX}.rpc.rest"  # a gateway asks the history workers what a client asked over REST
TRADING = f"{PREFIX}.rpc.trading"  # an ingest worker asks the supervisor whether silent streams rest
STATUS_REQUEST = f"{PREFIX}.status.request"  # `fsnats status` asks everyone; they reply to the inbox

STREAMS_REQUEST = f"{PREFIX}.streams.request"  # the same of ingest workers' streams (`fsnats.fleet.streams`)
EVENTS_REQUEST = f"{PREFIX}.events.request"  # and of what happened lately (`fsnats.fleet.events`)


def clock(market: Market) -> str:
    """Where history workers tell how far a market's clock is from this machine's (`fsnats.offset`)."""
    return f"{PREFIX}.clock.{market}"


def symbols(market: Market) -> str:
    """Where the supervisor tells how a market's list changed (`fsnats.changes`)."""
    return f"{PREFIX}.symbols.{market}"


def demand(market: Market) -> str:
    """Where gateways announce what they want of one market."""
    return f"{PREFIX}.demand.{market}"


def recorder(name: str) -> str:
    """Where a recorder answers whoever would record the same into the same store."""
    return f"{PREFIX}.recorder.{name}"
