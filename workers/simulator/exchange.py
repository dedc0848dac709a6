"""What is listed, and how exchangeInfo says it.  No I/O; the field sets are those of 2026."""

from collections.abc import Iterable

import msgspec

from fsnats.binance.limits import WEIGHT_PER_MINUTE
from fsnats.binance.streams import Market
from workers.simulator.instruments import Instrument, fixed

Row = dict[str, object]

_STATUS_OF_RESTING = {Market.SPOT: "BREAK", Market.USDM: "SETTLING", Market.COINM: "SETTLING"}


class Exchange:
    """The instruments of all markets; the only thing about the simulated market that changes by hand."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._listed: dict[Market, dict[str, Instrument]] = {market: {} for market in Market}
        for each in instruments:
            self._listed[each.market][each.symbol] = each
        self._info: dict[tuple[Market, bool], bytes] = {}

    def get(self, market: Market, symbol: str) -> Instrument | None:
        """The instrument of that name, whatever its state."""
        return self._listed[market].get(symbol)

    def all(self, market: Market) -> list[Instrument]:
        """Everything listed on a market, whatever its state."""
        return list(self._listed[market].values())

    def trading(self, market: Market) -> list[Instrument]:
        """What trades on a market."""
        return [each for each in self._listed[market].values() if each.trading]

    def symbols(self, market: Market) -> list[str]:
        """The names of what trades on a market."""
        return [each.symbol for each in self.trading(market)]

    def contracts(self, market: Market, pair: str) -> list[Instrument]:
        """The trading contracts of a pair."""
        return [each for each in self.trading(market) if each.pair == pair]

    def contract(self, market: Market, pair: str, contract: str) -> Instrument | None:
        """The trading contract of a pair and a contract type."""
        return next((each for each in self.contracts(market, pair) if each.contract == contract), None)

    def put(self, instrument: Instrument) -> None:
        """List an instrument, or change it."""
        self._listed[instrument.market][instrument.symbol] = instrument
        self._info.clear()

    def rest(self, market: Market, symbol: str, now: int) -> Instrument | None:
        """Stop an instrument's trading, and return it as it is then."""
        known = self.get(market, symbol)
        if known is None:
            return None
        delivery = known.delivery if market is Market.SPOT else now
        resting = msgspec.structs.replace(known, status=_STATUS_OF_RESTING[market], delivery=delivery)
        self.put(resting)
        return resting

    def remove(self, market: Market, symbol: str) -> bool:
        """Forget an instrument that does not trade; returns whether there was one."""
        known = self.get(market, symbol)
        if known is None or known.trading:
            return False
        del self._listed[market][symbol]
        self._info.clear()
        return True

    def info(
        self, market: Market, now: int, *, permission_sets: bool = True, only: Iterable[str] | None = None
    ) -> bytes:
        """The body of exchangeInfo; `only` names the symbols wanted, which must exist."""
        if only is None:
            key = (market, permission_sets)
            rows = self._info.get(key)
            if rows is None:
                rows = self._info[key] = _encode([row(each, permission_sets) for each in self.all(market)])
        else:
            rows = _encode([row(self._listed[market][symbol], permission_sets) for symbol in only])
        head: Row = {"timezone": "UTC", "serverTime": now}
        if market is not Market.SPOT:
            head["futuresType"] = "U_MARGINED" if market is Market.USDM else "D_MARGINED"
        head["rateLimits"] = _rate_limits(market)
        head["exchangeFilters"] = []
        if market is Market.USDM:
            head["assets"] = [
                {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
                for asset in ("USDT", "USDC", "BTC")
            ]
        return b'%b,"symbols":%b}' % (_encode(head)[:-1], rows)


_encode = msgspec.json.Encoder().encode


def _rate_limits(market: Market) -> list[Row]:
    def limit(kind: str, interval: str, count: int, most: int) -> Row:
        return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": most}

    weight = limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_PER_MINUTE[market])
    if market is Market.SPOT:
        raw = limit("RAW_REQUESTS", "MINUTE", 5, 300_000)
        return [weight, limit("ORDERS", "SECOND", 10, 100), limit("ORDERS", "DAY", 1, 200_000), raw]
    return [weight, limit("ORDERS", "MINUTE", 1, 1200)]


def row(instrument: Instrument, permission_sets: bool) -> Row:
    """One symbol's entry."""
    return _spot_row(instrument, permission_sets) if instrument.market is Market.SPOT else _futures_row(instrument)


def _price_filter(instrument: Instrument) -> Row:
    price = instrument.price
    return {
        "filterType": "PRICE_FILTER",
        "minPrice": price(1),
        "maxPrice": price(instrument.level * 100),
        "tickSize": price(1),
    }


def _lot_size(instrument: Instrument, kind: str, most: int) -> Row:
    quantity = instrument.quantity
    return {"filterType": kind, "minQty": quantity(1), "maxQty": quantity(most), "stepSize": quantity(1)}


def _spot_row(instrument: Instrument, permission_sets: bool) -> Row:
    groups = ["SPOT", "MARGIN", *(f"TRD_GRP_{group:03}" for group in range(4, 40))]
    return {
        "symbol": instrument.symbol,
        "status": instrument.status,
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": instrument.trading,
        "isMarginTradingAllowed": instrument.base in ("BTC", "ETH", "BNB", "SOL"),
        "filters": [
            _price_filter(instrument),
            _lot_size(instrument, "LOT_SIZE", 10 ** (instrument.lot_digits + 6)),
            {"filterType": "ICEBERG_PARTS", "limit": 100},
            {**_lot_size(instrument, "MARKET_LOT_SIZE", 10 ** (instrument.lot_digits + 3)),
             "minQty": "0.00000000", "stepSize": "0.00000000"},
            {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000,
             "minTrailingBelowDelta": 10, "maxTrailingBelowDelta": 2000},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2",
             "askMultiplierUp": "5", "askMultiplierDown": "0.2", "avgPriceMins": 5},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True,
             "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
            {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
        ],
        "permissions": [],
        "permissionSets": [groups] if permission_sets else [],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }  # fmt: skip


def _futures_row(instrument: Instrument) -> Row:
    usdm = instrument.market is Market.USDM
    tick = fixed(1, instrument.tick_digits)
    entry: Row = {
        "symbol": instrument.symbol,
        "pair": instrument.pair,
        "contractType": instrument.contract,
        "deliveryDate": instrument.delivery,
        "onboardDate": instrument.listed,
        "status" if usdm else "contractStatus": instrument.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote if usdm else instrument.base,
        "pricePrecision": max(instrument.tick_digits, 2) if usdm else instrument.tick_digits,
        "quantityPrecision": instrument.lot_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": instrument.kind,
        "underlyingSubType": ["TradFi"] if instrument.contract == "TRADIFI_PERPETUAL" else ["Layer-1"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {**_price_filter(instrument), "tickSize": instrument.price(1) if usdm else tick},
            _lot_size(instrument, "LOT_SIZE", 10 ** (instrument.lot_digits + 6)),
            _lot_size(instrument, "MARKET_LOT_SIZE", 10 ** (instrument.lot_digits + 4)),
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10 if usdm else 20},
            *([{"filterType": "MIN_NOTIONAL", "notional": "5"}] if usdm else []),
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500",
             "multiplierDecimal": "4"},
        ],
        "orderTypes": [
            "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }  # fmt: skip
    if usdm:
        entry["permissionSets"] = ["GRID", "COPY"]
    else:
        entry["contractSize"] = instrument.contract_size
        entry["equalQtyPrecision"] = 4
    return entry
