"""Binance's public REST as the gateway passes it on, described from the tables by which it is dispatched.  Pure."""

from collections.abc import Iterator, Sequence

from fsnats.binance.endpoints import path
from fsnats.binance.methods import DEPTH_LIMITS, FORMS, INTEGERS, METHODS
from fsnats.binance.streams import Market, intervals_of
from gateway.openapi.bodies import body_of
from gateway.openapi.fields import ALLOW, CHALLENGE, RETRY_AFTER
from gateway.openapi.parts import JSON, Answer, Operation, Parameter, Schema, choice, integer, text

GROUPS = {Market.SPOT: "Binance spot", Market.USDM: "Binance USD-M futures", Market.COINM: "Binance COIN-M futures"}

_SUMMARIES = {
    "ping": "Whether anybody answers",
    "time": "The exchange's time",
    "exchangeInfo": "What is traded, by which rules",
    "klines": "Candles of a symbol",
    "uiKlines": "Candles of a symbol, for charts",
    "continuousKlines": "Candles of a pair's contract, whichever symbol it is just now",
    "indexPriceKlines": "Candles of a pair's index price",
    "markPriceKlines": "Candles of a symbol's mark price",
    "premiumIndexKlines": "Candles of a symbol's premium over its index",
    "depth": "The order book",
    "trades": "The newest trades",
    "historicalTrades": "Trades from an id on",
    "aggTrades": "Aggregated trades",
    "avgPrice": "The average price of the last minutes",
    "ticker": "Statistics of a rolling window",
    "ticker/tradingDay": "Statistics of the trading day",
    "ticker/24hr": "Statistics of the last 24 hours",
    "ticker/price": "The newest price",
    "v2/ticker/price": "The newest price, with its time",
    "ticker/bookTicker": "The best bid and ask",
    "premiumIndex": "Mark price, index price and funding rate",
    "fundingRate": "Funding rates of the past",
    "fundingInfo": "Symbols whose funding terms were changed",
    "openInterest": "Open contracts now",
    "indexInfo": "What composite indexes are made of",
    "assetIndex": "Rates of assets that may be margin",
    "futures/data/openInterestHist": "Open contracts over time",
    "futures/data/topLongShortAccountRatio": "Top traders' accounts, long to short",
    "futures/data/topLongShortPositionRatio": "Top traders' positions, long to short",
    "futures/data/globalLongShortAccountRatio": "All traders' accounts, long to short",
    "futures/data/takerlongshortRatio": "What takers bought and sold",
    "futures/data/takerBuySellVol": "What takers bought and sold",
    "futures/data/basis": "Futures prices against their index",
    "futures/data/delivery-price": "Prices at which contracts were delivered",
}
_TEXTS = {
    "symbol": "A symbol that the market lists.",
    "symbols": 'Several symbols, as JSON without blanks: `["BTCUSDT","ETHUSDT"]`. Not together with `symbol`.',
    "pair": "A pair that the market lists.",
    "interval": "How long a candle is.",
    "limit": "How many rows at most; Binance says what is too many.",
    "startTime": "From when on, in milliseconds since 1970.",
    "endTime": "Until when, in milliseconds since 1970.",
    "fromId": "From which id on.",
    "contractType": "Which of the pair's contracts, `PERPETUAL` or `CURRENT_QUARTER` for example.",
    "period": "How far the rows are apart.",
    "timeZone": "The zone in which days begin: `8`, `-1:00`.",
    "type": "`FULL` (default) or `MINI`, which leaves some fields out.",
    "windowSize": "How long the window is: `1m` to `59m`, `1h` to `23h`, `1d` to `7d`.",
    "permissions": "Only symbols with these permissions.",
    "symbolStatus": "Only symbols in this state.",
    "showPermissionSets": "`false` leaves permission sets out.",
}
_EXAMPLES: dict[str, str | int] = {
    "interval": "1m",
    "contractType": "PERPETUAL",
    "period": "5m",
    "limit": 5,
    "pair": "BTCUSDT",
    "symbol": "BTCUSDT",
}
_COINM: dict[str, str | int] = {"pair": "BTCUSD", "symbol": "BTCUSD_PERP"}
_WHERE = {"assetIndex": {"symbol": "BTCUSD"}, "indexInfo": {"symbol": ""}}  # their symbols are others
_OWN_ERRORS = (
    Answer(400, "A parameter is missing, malformed or names what there is not.", {}),
    Answer(401, "A token is needed, or it is not valid, where the gateway asks for one.", headers=(CHALLENGE,)),
    Answer(403, "Accounts, orders and whatever is signed; or the token, or the page's origin, may not."),
    Answer(405, "Another method than GET, HEAD and OPTIONS.", headers=(ALLOW,)),
    Answer(429, "Too much was asked for: by this client, or of Binance by all together.", headers=(RETRY_AFTER,)),
    Answer(503, "Binance, or the way to it, or this gateway cannot answer now.", headers=(RETRY_AFTER,)),
)
_ALWAYS = ("x-fsnats-simulated",)
_TOLD = ("x-fsnats-source", "x-fsnats-age", "x-mbx-used-weight-1m", "x-mbx-used-weight")
_SYMBOLS = r'^\["[^a-z"\s]{1,50}"(,"[^a-z"\s]{1,50}")*\]$'
_ERROR: Schema = {"$ref": "#/components/schemas/Error"}


def operations(markets: Sequence[Market]) -> Iterator[Operation]:
    """Every method of these markets, at the root and behind the market's base."""
    for market in markets:
        for method, (needs, takes) in METHODS[market].items():
            names = (*needs, *takes)
            where = path(market, method)
            # At the root statistics are USD-M's: both futures markets have them under one path.
            shared = market is Market.COINM and where.startswith("/futures/")
            yield Operation(
                "GET",
                f"/{market}{where}" if shared else where,
                GROUPS[market],
                _SUMMARIES[method],
                (
                    Answer(200, "As Binance answers.", {JSON: body_of(market, method)}, (*_ALWAYS, *_TOLD)),
                    *(_error(each) for each in _OWN_ERRORS),
                ),
                tuple(_parameter(market, method, name, required=name in needs) for name in names),
                bases=("",) if shared else ("", f"/{market}"),
            )


def _error(answer: Answer) -> Answer:
    told = _TOLD if answer.status in (400, 429, 503) else ()
    return Answer(
        answer.status, answer.text, {JSON: _ERROR}, (*_ALWAYS, *answer.headers, *told), f"Binance{answer.status}"
    )


def _parameter(market: Market, method: str, name: str, *, required: bool) -> Parameter:
    known = _EXAMPLES | (_COINM if market is Market.COINM else {}) | _WHERE.get(method, {})
    # A limit of 5 is one of the depths that futures have; `symbol` alone keeps an answer short.
    is_shown = required or name in ("limit", "symbol")
    example = known.get(name) if is_shown else None
    return Parameter(name, _schema(market, method, name), _TEXTS[name], required, example or None)


def _schema(market: Market, method: str, name: str) -> Schema:
    if name == "interval":
        return choice(intervals_of(market, "continuousKline" if method == "continuousKlines" else "kline"))
    if name == "limit" and method == "depth" and market is not Market.SPOT:
        return {"type": "integer", "enum": list(DEPTH_LIMITS)}
    if name in INTEGERS:
        return integer(0, 10**20 - 1)
    if name == "symbols":
        return text(_SYMBOLS)
    if name in FORMS:
        return text(FORMS[name])
    # Names may have letters of any alphabet; futures take small ones, too.
    return text(r"^[^a-z\s]{1,50}$" if market is Market.SPOT else r"^\S{1,50}$")
