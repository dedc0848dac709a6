"""What Binance's public REST answers, by market and method.  Pure.

Its own documentation of November 2026 names these fields; it adds some from time to time, so others may be there too.
`name:sort` is a field, `?` behind it one that is not always there; the sorts are those of `_SORTS`.
"""

from fsnats.binance.streams import Market
from gateway.openapi.parts import MILLISECONDS, Schema, array, fields

DECIMAL: dict[str, object] = {"$ref": "#/components/schemas/Decimal"}
INTEGER: dict[str, object] = {"type": "integer"}
_LEVELS: Schema = {"$ref": "#/components/schemas/Levels"}
CANDLES: Schema = {"$ref": "#/components/schemas/Candles"}
AGG_TRADES: Schema = {"$ref": "#/components/schemas/AggTrades"}

_SORTS: dict[str, Schema] = {
    "d": DECIMAL,
    "i": INTEGER,
    "n": {"type": "number"},
    "s": {"type": "string"},
    "b": {"type": "boolean"},
    "t": MILLISECONDS,
    "l": _LEVELS,
    "o": {"type": "object"},
    "a": {"type": "array"},
}


def _object(pattern: str) -> Schema:
    pairs = [pair.split(":") for pair in pattern.split()]
    optional = [name for name, sort in pairs if sort.endswith("?")]
    return fields({name: _SORTS[sort.rstrip("?")] for name, sort in pairs}, optional)


def _one_or_all(one: Schema) -> Schema:
    return {"anyOf": [one, array(one)]}


_CANDLE: Schema = array(
    {},
    prefixItems=[
        MILLISECONDS | {"title": "opens"},
        DECIMAL | {"title": "open"},
        DECIMAL | {"title": "high"},
        DECIMAL | {"title": "low"},
        DECIMAL | {"title": "close"},
        DECIMAL | {"title": "volume"},
        MILLISECONDS | {"title": "closes"},
        DECIMAL | {"title": "quote volume"},
        INTEGER | {"title": "trades"},
        DECIMAL | {"title": "taker buy volume"},
        DECIMAL | {"title": "taker buy quote volume"},
        DECIMAL | {"title": "not used"},
    ],
    minItems=12,
    maxItems=12,
)
SHARED: dict[str, Schema] = {
    "Decimal": {
        "type": "string",
        "pattern": r"^(-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)?$",
        "description": "A number with the digits that Binance sent.",
    },
    "Candles": array(_CANDLE, description="Oldest first."),
    "Levels": array(
        array(DECIMAL, minItems=2, maxItems=2), description="Prices with their quantities, the best one first."
    ),
    "AggTrades": array(_object("a:i p:d q:d nq:d? f:i l:i T:t m:b M:b?"), description="Oldest first."),
    "Error": fields(
        {"code": INTEGER, "msg": {"type": "string"}}, description="Why there is no answer, in Binance's form."
    ),
}

_CHANGE = "priceChange:d priceChangePercent:d weightedAvgPrice:d lastPrice:d"
_REACH = "openPrice:d highPrice:d lowPrice:d volume:d"
_WINDOW = "openTime:t closeTime:t firstId:i lastId:i count:i"
_BEST = "bidPrice:d bidQty:d askPrice:d askQty:d"
_RULES = "timezone:s serverTime:t rateLimits:a exchangeFilters:a symbols:a assets:a?"
_TRADES = array(_object("id:i price:d qty:d quoteQty:d? baseQty:d? time:t isBuyerMaker:b isBestMatch:b? isRPITrade:b?"))
_RATIOS = array(
    _object(
        "symbol:s? pair:s? longShortRatio:d longAccount:d? shortAccount:d? longPosition:d? shortPosition:d? timestamp:t"
    )
)
_SPOT_DAY = _object(f"symbol:s {_REACH} lastPrice:d quoteVolume:d {_WINDOW} priceChange:d? priceChangePercent:d?")
_PREMIUM = _object(
    "symbol:s pair:s? markPrice:d indexPrice:d estimatedSettlePrice:d lastFundingRate:d interestRate:d "
    "nextFundingTime:t time:t"
)
_INDEX = _object(
    "symbol:s time:t index:d bidBuffer:d askBuffer:d bidRate:d askRate:d autoExchangeBidBuffer:d "
    "autoExchangeAskBuffer:d autoExchangeBidRate:d autoExchangeAskRate:d"
)

_BODIES: dict[str, Schema] = {
    "ping": _object(""),
    "time": _object("serverTime:t"),
    "exchangeInfo": _object(_RULES),
    "klines": CANDLES,
    "uiKlines": CANDLES,
    "continuousKlines": CANDLES,
    "indexPriceKlines": CANDLES,
    "markPriceKlines": CANDLES,
    "premiumIndexKlines": CANDLES,
    "depth": _object("lastUpdateId:i E:t? T:t? symbol:s? pair:s? bids:l asks:l"),
    "trades": _TRADES,
    "historicalTrades": _TRADES,
    "aggTrades": AGG_TRADES,
    "avgPrice": _object("mins:i price:d closeTime:t"),
    "ticker": _one_or_all(_SPOT_DAY),
    "ticker/tradingDay": _one_or_all(_SPOT_DAY),
    "ticker/24hr": _one_or_all(_object(f"symbol:s pair:s? {_CHANGE} lastQty:d {_REACH} {_WINDOW}")),
    "ticker/price": _one_or_all(_object("symbol:s price:d time:t? ps:s?")),
    "v2/ticker/price": _one_or_all(_object("symbol:s price:d time:t")),
    "ticker/bookTicker": _one_or_all(_object(f"symbol:s pair:s? {_BEST} time:t? lastUpdateId:i?")),
    "premiumIndex": _one_or_all(_PREMIUM),
    "fundingRate": array(_object("symbol:s fundingRate:d fundingTime:t markPrice:d?")),
    "fundingInfo": array(
        _object("symbol:s adjustedFundingRateCap:d adjustedFundingRateFloor:d fundingIntervalHours:i")
    ),
    "openInterest": _object("symbol:s pair:s? openInterest:d contractType:s? time:t"),
    "indexInfo": _one_or_all(_object("symbol:s time:t component:s? baseAssetList:a")),
    "assetIndex": _one_or_all(_INDEX),
    "futures/data/openInterestHist": array(
        _object("symbol:s? pair:s? contractType:s? sumOpenInterest:d sumOpenInterestValue:d timestamp:t")
    ),
    "futures/data/topLongShortAccountRatio": _RATIOS,
    "futures/data/topLongShortPositionRatio": _RATIOS,
    "futures/data/globalLongShortAccountRatio": _RATIOS,
    "futures/data/takerlongshortRatio": array(_object("buySellRatio:d buyVol:d sellVol:d timestamp:t")),
    "futures/data/takerBuySellVol": array(
        _object("pair:s contractType:s takerBuyVol:d takerSellVol:d takerBuyVolValue:d takerSellVolValue:d timestamp:t")
    ),
    "futures/data/basis": array(
        _object(
            "pair:s contractType:s indexPrice:d futuresPrice:d basis:d basisRate:d annualizedBasisRate:s? timestamp:t"
        )
    ),
    "futures/data/delivery-price": array(_object("deliveryTime:t deliveryPrice:n")),
}
_OF_SPOT: dict[str, Schema] = {
    "ticker/24hr": _one_or_all(_SPOT_DAY),  # also the short form that `type=MINI` asks for
}


def body_of(market: Market, method: str) -> Schema:
    """What a good answer holds."""
    return (_OF_SPOT if market is Market.SPOT else {}).get(method) or _BODIES[method]
