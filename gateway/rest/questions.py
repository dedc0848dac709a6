"""What a client asks over REST, read as Binance reads it, and what is refused at once.  Pure.

/api/v3/…  /fapi/v1/…  /dapi/v1/…                    Binance's paths, by which it is known whose they are
/spot/api/v3/…  /usdm/fapi/v1/…  /coinm/dapi/v1/…    the same behind a market's base
/usdm/futures/data/…  /coinm/futures/data/…          statistics; without a base they are USD-M's
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

from fsnats.binance.endpoints import method_at
from fsnats.binance.methods import METHODS, known, read
from fsnats.binance.parameters import RestError
from fsnats.binance.streams import MARKETS, Market
from fsnats.symbols import Listing

PREFIXES = ("api", "fapi", "dapi", "sapi", "papi", "eapi", "futures")
_PATH = re.compile(rf"/(?:(?:{'|'.join(PREFIXES[:-1])})/v\d+|futures/data)/([^/]*).*")
_QUERY_BYTES = 16 * 1024  # all symbols of spot in one `symbols` are half of it
_FIELDS = 32  # parameters; no method takes half as many

# What belongs to an account, by the first part of its path in small letters.
_PRIVATE = frozenset((
    "account", "accountconfig", "adlquantile", "allorderlist", "allorders", "apitradingstatus", "balance",
    "batchorders", "commissionrate", "countdowncancelall", "feeburn", "forceorders", "income", "leverage",
    "leveragebracket", "listenkey", "margintype", "multiassetsmargin", "myallocations", "mypreventedmatches",
    "mytrades", "openorder", "openorderlist", "openorders", "order", "orderamendment", "orderlist",
    "positionmargin", "positionrisk", "positionside", "ratelimit", "sor", "symbolconfig", "userdatastream",
    "usertrades",
))  # fmt: skip
_SIGNED = frozenset(("signature", "timestamp", "recvWindow", "listenKey", "apiKey"))
PUBLIC_ONLY = (
    "This is fsnats, which passes on Binance's public market data and nothing else: no accounts, no orders, nothing "
    "signed. Send such requests to Binance itself, and no keys here."
)

_UNAUTHORIZED, _TOO_MANY, _DISCONNECTED, _NO_PATH, _UNSUPPORTED = -1002, -1003, -1001, -5000, -1130  # Binance's codes
_CODES = {401: _UNAUTHORIZED, 403: _UNAUTHORIZED, 429: _TOO_MANY, 503: _DISCONNECTED}

# The type of stream that tells the same: who may not read it may not ask for it either.
STREAM_TYPES = {
    "klines": "kline",
    "uiKlines": "kline",
    "continuousKlines": "continuousKline",
    "indexPriceKlines": "indexPriceKline",
    "markPriceKlines": "markPriceKline",
    "depth": "depth",
    "trades": "trade",
    "historicalTrades": "trade",
    "aggTrades": "aggTrade",
    "avgPrice": "avgPrice",
    "ticker": "windowTicker",
    "ticker/tradingDay": "ticker",
    "ticker/24hr": "ticker",
    "ticker/price": "ticker",
    "v2/ticker/price": "ticker",
    "ticker/bookTicker": "bookTicker",
    "premiumIndex": "markPrice",
    "premiumIndexKlines": "markPriceKline",
    "fundingRate": "markPrice",
    "fundingInfo": "markPrice",
    "indexInfo": "compositeIndex",
    "assetIndex": "assetIndex",
    # No stream tells these: what a day's trading comes to is the nearest.
    "openInterest": "ticker",
    "futures/data/basis": "ticker",
    "futures/data/delivery-price": "ticker",
    "futures/data/openInterestHist": "ticker",
    "futures/data/topLongShortAccountRatio": "ticker",
    "futures/data/topLongShortPositionRatio": "ticker",
    "futures/data/globalLongShortAccountRatio": "ticker",
    "futures/data/takerlongshortRatio": "ticker",
    "futures/data/takerBuySellVol": "ticker",
}


class Question(NamedTuple):
    """A request to one of the public methods; `pairs` are its parameters as they were sent."""

    market: Market
    method: str
    pairs: list[tuple[str, str]]


def question(verb: str, path: str, query: str, time_unit: str = "") -> Question:
    """Read a request: its HTTP method, path and query.  Raises RestError."""
    base, _, rest = path[1:].partition("/")
    named = Market(base) if base in MARKETS else None
    where = f"/{rest}" if named else path
    pairs = _pairs(query)
    found = _PATH.fullmatch(where)
    if found is None or (base and where.startswith("//")):
        raise _no_path(verb, path)
    at = method_at(where, named)
    is_public = at is not None and at[1] in METHODS[at[0]]
    if _is_private(verb, where, found[1], pairs, is_public=is_public):
        raise RestError(_UNAUTHORIZED, PUBLIC_ONLY, HTTPStatus.FORBIDDEN)
    if is_public and verb != "GET":
        text = f"Path {path[:200]}, Method {verb} is invalid; there are GET, HEAD, OPTIONS."
        raise RestError(_NO_PATH, text, HTTPStatus.METHOD_NOT_ALLOWED)
    if at is None or not is_public or (named is not None and at[0] is not named):
        raise _no_path(verb, path)
    if at[0] is Market.SPOT and time_unit.upper() not in ("", "MILLISECOND"):
        raise RestError(_UNSUPPORTED, "X-MBX-TIME-UNIT must be MILLISECOND here.")
    return Question(*at, pairs)


def _is_private(verb: str, where: str, first: str, pairs: list[tuple[str, str]], *, is_public: bool) -> bool:
    return (
        (verb != "GET" and not is_public)
        or first.lower() in _PRIVATE
        or where.startswith(("/sapi", "/papi"))
        or any(name in _SIGNED for name, _ in pairs)
    )


def checked(asked: Question, markets: tuple[Market, ...], listings: Mapping[Market, Listing]) -> dict[str, str]:
    """The parameters to ask with, of a question that names only what there is.  Raises RestError."""
    if asked.market not in markets:
        text = f"{asked.market} is not carried here; allowed: {', '.join(markets)}."
        raise RestError(_NO_PATH, text, HTTPStatus.NOT_FOUND)
    parameters = read(asked.market, asked.method, asked.pairs)
    listing = listings[asked.market]
    known(asked.market, asked.method, parameters, listing.by_name, listing.all_pairs)
    return parameters


def refusal(status: int, reason: str) -> bytes:
    """The body for a refusal that is not Binance's, in its form."""
    return msgspec.json.encode({"code": _CODES.get(status, _UNSUPPORTED), "msg": reason})


def _pairs(query: str) -> list[tuple[str, str]]:
    if len(query) > _QUERY_BYTES:
        raise RestError(-1101, "Too many parameters.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=_FIELDS)
    except ValueError as error:
        raise RestError(-1101, "Too many parameters.") from error
    return [(name, value) for name, value in pairs if name != "token"]  # it is for us, and for nobody else to see


def _no_path(verb: str, path: str) -> RestError:
    return RestError(_NO_PATH, f"Path {path[:200]}, Method {verb} is not served here.", HTTPStatus.NOT_FOUND)
