"""What is asked of `/api/v1/klines` and `/api/v1/trades`, and what is wrong with it.  Pure."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec

from fsnats.binance.limits import KLINES_DEFAULT
from fsnats.binance.streams import CONTRACT_TYPES, Market, intervals_of
from fsnats.errors import Unusable
from fsnats.formats import FORMATS, MEDIA_TYPES, Format, Title
from fsnats.history import MOST, KlinesRequest, Missing, TradesRequest
from fsnats.moments import moment
from fsnats.symbols import Listing
from gateway.rest.accepted import weights
from gateway.rest.problem import Problem
from gateway.rest.single import whole

KLINES, TRADES = "/api/v1/klines", "/api/v1/trades"
PATHS = (KLINES, TRADES)
COMPLETE_HEADER, MISSING_HEADER = "x-fsnats-complete", "x-fsnats-missing"
_TOLD = 50  # ranges in the header; the last one takes in all others
FIELDS = ("market", "symbol", "interval", "start", "end", "limit", "continuous", "source", "format", "token")
LIMIT_MOST = 10**12 - 1  # rows: more than there are
_QUERY_BYTES = 2000
_ACCEPTED: dict[str, Format] = {media: name for name, media in MEDIA_TYPES.items()} | {
    "application/*": "json",
    "*/*": "json",
    "text/*": "csv",
}
_STATUS = {
    "UNKNOWN_MARKET": HTTPStatus.NOT_FOUND,
    "HISTORY_UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "BUSY": HTTPStatus.SERVICE_UNAVAILABLE,
}


class Asked(msgspec.Struct, frozen=True):
    """A range of candles or trades; `limit` is None for all of it."""

    request: KlinesRequest | TradesRequest
    title: Title
    format: Format
    limit: int | None

    @property
    def stream_type(self) -> str:
        """The type of stream that tells the same."""
        if isinstance(self.request, TradesRequest):
            return "aggTrade"
        return "continuousKline" if self.request.contract else "kline"


def asked(path: str, query: str, accept: str, markets: Collection[Market], now_ms: int) -> Asked:
    """Read a request.  Raises Problem."""
    fields = _fields(query)
    market = _market(fields, markets)
    symbol = _needed(fields, "symbol").upper()
    start, end = _time(fields, "start", now_ms), _time(fields, "end", now_ms)
    if start is not None and end is not None and start > end:
        raise _wrong("start", f"{fields['start']!r} is after end")
    limit = _limit(fields, start)
    source = _choice(fields, "source", "rest", ("rest", "store"))
    store = source == "store"
    title = Title(market, symbol)
    newest = start is None
    if path == TRADES:
        for name in ("interval", "continuous"):
            if name in fields:
                raise _wrong(name, "trades have none")
        if end is not None and newest and not store:
            raise _wrong("start", "missing: the exchange does not tell the last trades before a time", "MISSING_FIELD")
        wanted: KlinesRequest | TradesRequest = TradesRequest(
            market, symbol, start, end, newest=newest, source="store" if store else ""
        )
        return Asked(wanted, title, _format(fields, accept), limit)
    contract = _contract(fields)
    interval = _needed(fields, "interval")
    allowed = intervals_of(market, "continuousKline" if contract else "kline")
    if not allowed:
        raise _wrong("continuous", f"{market} has no continuous candles", "UNKNOWN_STREAM_TYPE")
    if interval not in allowed:
        raise _wrong(
            "interval", f"unknown interval {interval[:20]!r}; allowed: {', '.join(allowed)}", "UNKNOWN_INTERVAL"
        )
    wanted = KlinesRequest(
        market,
        symbol,
        interval,
        None,
        start,
        end,
        contract,
        newest=newest,
        source="store" if store else "",
        bulk=True,
        closed=True,
    )
    return Asked(wanted, Title(market, symbol, interval, contract), _format(fields, accept), limit)


def require_listed(asked: Asked, listing: Listing) -> None:
    """Raise Problem for a symbol or pair that the market does not list, trading or not."""
    request = asked.request
    pair = isinstance(request, KlinesRequest) and request.contract
    if request.symbol not in (listing.all_pairs if pair else listing.by_name):
        what = "pair" if pair else "symbol"
        detail = f"symbol: unknown {what} {request.symbol[:40]!r} on {request.market}"
        raise Problem(HTTPStatus.BAD_REQUEST, detail, "UNKNOWN_SYMBOL")


def refused(code: str, message: str, retry_after: float | None) -> Problem:
    """What a history worker's refusal means over HTTP."""
    return Problem(_STATUS.get(code, HTTPStatus.BAD_REQUEST), message, code, retry_after)


def told(missing: list[Missing]) -> dict[str, str]:
    """The header fields that say whether something is missing, and what."""
    if not missing:
        return {COMPLETE_HEADER: "true"}
    shown = missing[:_TOLD]
    if len(missing) > _TOLD:
        shown[-1] = Missing(shown[-1].first, missing[-1].last, shown[-1].unit)
    ranges = ", ".join(f"{one.unit}={one.first}-{one.last}" for one in shown)
    return {COMPLETE_HEADER: "false", MISSING_HEADER: ranges}


def _wrong(name: str, reason: str, code: str = "INVALID_FIELD") -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, f"{name}: {reason}", code)


def _fields(query: str) -> dict[str, str]:
    if len(query) > _QUERY_BYTES:
        raise Problem(HTTPStatus.BAD_REQUEST, "the query is too long", "INVALID_REQUEST")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=2 * len(FIELDS))
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, "too many parameters", "INVALID_REQUEST") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = next(name for name, _ in pairs if sum(each == name for each, _ in pairs) > 1)
        raise _wrong(twice[:40], "given twice")
    for name in fields:
        if name not in FIELDS:
            raise _wrong(name[:40], f"no such parameter; there are {', '.join(FIELDS)}")
    return fields


def _needed(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise _wrong(name, "missing", "MISSING_FIELD")
    return value


def _market(fields: Mapping[str, str], markets: Collection[Market]) -> Market:
    default = next(iter(markets))
    name = fields.get("market", str(default))
    if name not in markets:
        reason = f"{name[:20]!r} is not carried here; allowed: {', '.join(markets)}"
        raise Problem(HTTPStatus.NOT_FOUND, f"market: {reason}", "UNKNOWN_MARKET")
    return Market(name)


def _time(fields: Mapping[str, str], name: str, now_ms: int) -> int | None:
    text = fields.get(name)
    if text is None:
        return None
    try:
        # A "+" that was not encoded is a blank by now.
        return moment(text.strip().replace(" ", "+") if "T" in text else text, now_ms)
    except Unusable as error:
        raise _wrong(name, str(error)) from None


def _limit(fields: Mapping[str, str], start: int | None) -> int | None:
    text = fields.get("limit")
    if text is None:
        return KLINES_DEFAULT if start is None else None
    limit = whole(text, 1, LIMIT_MOST)
    if limit is None:
        raise _wrong("limit", f"{text[:20]!r} is no number of rows")
    if start is None and limit > MOST:
        raise _wrong("limit", f"at most {MOST} without a start")
    return limit


def _contract(fields: Mapping[str, str]) -> str:
    text = fields.get("continuous", "").lower()
    if text in ("", "0", "false"):
        return ""
    contract = "perpetual" if text in ("1", "true") else text
    if contract not in CONTRACT_TYPES:
        allowed = ", ".join(CONTRACT_TYPES)
        raise _wrong("continuous", f"unknown contract type {text[:20]!r}; allowed: {allowed}", "UNKNOWN_CONTRACT_TYPE")
    return contract


def _choice(fields: Mapping[str, str], name: str, default: str, allowed: Collection[str]) -> str:
    value = fields.get(name, default)
    if value not in allowed:
        raise _wrong(name, f"{value[:20]!r} is none of {', '.join(allowed)}")
    return value


def _format(fields: Mapping[str, str], accept: str) -> Format:
    if "format" in fields:
        name = _choice(fields, "format", "json", FORMATS)
        return next(each for each in FORMATS if each == name)
    if not accept.strip():
        return "json"
    best: tuple[float, Format] | None = None
    for media, weight in weights([accept]):
        found = _ACCEPTED.get(media)
        if found is not None and weight > 0 and (best is None or weight > best[0]):
            best = (weight, found)
    if best is None:
        detail = f"none of the accepted types is served here; there are {', '.join(MEDIA_TYPES.values())}"
        raise Problem(HTTPStatus.NOT_ACCEPTABLE, detail)
    return best[1]
