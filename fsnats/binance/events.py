"""What payloads say of themselves: the event types that exist, and where the event time stands.  Pure."""

import re

# Source: Binance's public documentation as of November 2026, the streams' pages and the change logs.
KNOWN = frozenset(
    {
        b"aggTrade", b"trade", b"blockTrade", b"kline", b"continuous_kline", b"indexPrice_kline", b"markPrice_kline",
        b"24hrMiniTicker", b"24hrTicker", b"1hTicker", b"4hTicker", b"1dTicker", b"bookTicker", b"avgPrice",
        b"depthUpdate", b"referencePrice", b"markPriceUpdate", b"indexPriceUpdate", b"forceOrder", b"compositeIndex",
        b"contractInfo", b"assetIndexUpdate", b"EquityUpdate", b"CommodityUpdate", b"KR_EquityUpdate",
        b"HK_EquityUpdate", b"CN_EquityUpdate", b"serverShutdown",
    }
)  # fmt: skip

_NEAR = 200  # bytes within which `e` and `E` stand in payloads that have them; they end the bookTicker of futures
_TYPE = re.compile(rb'"e":"([^"]*)"')
_TIME = re.compile(rb'"E":(\d+)')


def event_type(payload: bytes) -> bytes | None:
    """The type (`e`) of an event, or of the first one of an array; None where payloads have none."""
    found = _TYPE.search(payload, 0, _NEAR)
    return found[1] if found else None


def event_time(payload: bytes) -> int | None:
    """When the exchange made an event (`E`), or the first one of an array, milliseconds since 1970; None likewise."""
    found = _TIME.search(payload, 0, _NEAR)
    return int(found[1]) if found else None
