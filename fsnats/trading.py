"""What workers ask the supervisor on `subjects.TRADING`, as JSON: is what these streams are about traded right now?"""

import msgspec

from fsnats.binance.streams import Market

TIMEOUT = 2.5  # seconds that a worker waits for the answer: it names a stream soon after
STREAMS_MOST = 5000  # of one request


class TradingRequest(msgspec.Struct, frozen=True):
    """Streams that say nothing."""

    market: Market
    streams: list[str]


class TradingReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why streams rest, those that do: halted, settling, delisted; or a sentence that says why nobody knows."""

    resting: dict[str, str] = {}
    error: str = ""
