"""Which streams a native request names: all of them, or BadCommand, which names all that are wrong."""

from collections.abc import Collection, Iterable

from fsnats.binance.streams import Market, Stream
from fsnats.errors import StreamNameError
from fsnats.symbols import Listing
from gateway.protocol import requests
from gateway.protocol.names import known
from gateway.protocol.problems import Problem, bad, several
from gateway.protocol.requests import Request
from gateway.protocol.topics import ALL, GLOBAL, Topic


def streams_of_symbols(topic: Topic, symbols: Iterable[str], listing: Listing) -> dict[str, Stream]:
    """The streams of a topic for symbols given by name, by subject; ALL is passed over."""
    streams: dict[str, Stream] = {}
    refused: dict[str, str] = {}
    for symbol in symbols:
        subject = symbol.upper()
        if subject == ALL:
            continue
        try:
            stream = topic.stream(subject)
        except StreamNameError as error:
            if subject == GLOBAL:
                refused[symbol] = f"{topic.stream_type} has no all-market stream on {topic.market}"
            else:
                refused[symbol] = f"unknown symbol '{symbol}' on {topic.market} ({error.reason})"
            continue
        why = listing.why_not(stream)
        if why is not None:
            refused[symbol] = why
        streams[subject] = stream
    if refused:
        raise several(Problem.UNKNOWN_SYMBOL, refused)
    return streams


def streams_by_name(request: Request, default: Market, markets: Collection[Market]) -> tuple[Market, dict[str, Stream]]:
    """The market of `rawStreams`, and the streams that they name, listed or not."""
    if request.is_typed:
        raise bad(Problem.INVALID_FIELD, "send 'rawStreams', or 'streamType' and 'symbols', not both", "rawStreams")
    market = requests.market_of(request, default, markets)
    streams: dict[str, Stream] = {}
    refused: dict[str, str] = {}
    for name in requests.names_of(request.raw_streams, "rawStreams"):
        try:
            streams[name] = known(market, name)
        except StreamNameError as error:
            refused[name] = str(error)
    if refused:
        raise several(Problem.UNKNOWN_STREAM, refused)
    return market, streams
