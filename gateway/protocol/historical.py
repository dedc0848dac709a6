"""The native dialect's `getHistoricalKlines`: what is asked, and the replies."""

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from fsnats.binance.streams import Market
from fsnats.symbols import Listing
from gateway.effects import Klines
from gateway.protocol import fields, requests
from gateway.protocol.problems import Problem, bad, error_reply, with_id
from gateway.protocol.requests import Request
from gateway.protocol.wire import encode


class _Asker(NamedTuple):
    """What a reply repeats of its request."""

    symbol: str
    request_id: bytes | None


def asked(request: Request, request_id: bytes | None, default: Market, markets: Collection[Market]) -> Klines:
    """The candles that a request asks for; `default` is the market of those that name none.  Raises BadCommand."""
    contract = requests.contract_of(request)
    market = requests.market_of(request, default, markets, _kind(contract))
    symbol = fields.required(request.symbol, "symbol", fields.TEXT)
    candles = requests.candles_of(request, market, contract)
    return Klines(
        market,
        symbol.upper(),
        candles.interval,
        candles.limit,
        candles.start_ms,
        candles.end_ms,
        request_id=_Asker(symbol, request_id),
        market_named=request.names_market,
        contract=contract,
    )


def kind_of(request: Klines) -> str:
    """The kind of stream whose past is asked for."""
    return _kind(request.contract)


def _kind(contract: str) -> str:
    return "continuousKline" if contract else "kline"


def require_listed(request: Klines, listing: Listing) -> None:
    """Raise BadCommand for a symbol that the market does not list; its past does not go away when it trades no more."""
    if request.symbol not in (listing.all_pairs if request.contract else listing.by_name):
        what, symbol = "pair" if request.contract else "symbol", _asker(request).symbol
        raise bad(Problem.UNKNOWN_SYMBOL, f"unknown {what} '{symbol}' on {request.market}", symbol)


def fetched(request: Klines, rows: bytes) -> bytes:
    """The reply with candles; `rows` is a JSON array of the exchange's rows."""
    reply = {"type": "historicalKlines", **_echo(request), "klines": msgspec.Raw(rows)}
    return encode({**reply, **_market_and_id(request)})


def failed(request: Klines, code: str, message: str, retry_after: float | None = None) -> bytes:
    """The reply when there are none; `retry_after` is in seconds."""
    more = {**_echo(request), "retryAfter": retry_after, **_market_and_id(request)}
    return error_reply(code, message, None, **more)


def _echo(request: Klines) -> dict[str, object]:
    continuous = {"continuous": request.contract} if request.contract else {}
    return {"symbol": _asker(request).symbol, "interval": request.interval, **continuous}


def _market_and_id(request: Klines) -> dict[str, object]:
    market = {"market": request.market} if request.market_named else {}
    return {**market, **with_id(_asker(request).request_id)}


def _asker(request: Klines) -> _Asker:
    assert isinstance(request.request_id, _Asker)
    return request.request_id
