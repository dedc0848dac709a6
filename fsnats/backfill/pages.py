"""Which requests bring a hole, in the cheapest pages, and what their answers say.  Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from fsnats.backfill.keys import after, count, further
from fsnats.binance import rows as rows_of
from fsnats.binance.limits import HISTORY_ROWS, KLINES_LIMIT
from fsnats.binance.parameters import Query
from fsnats.binance.streams import Market
from fsnats.binance.weights import page_of
from fsnats.candles.calendar import DAY, MONTH, length_of
from fsnats.store import KlineData, RawAggTrade, Series, Span
from fsnats.store.forms import AggTrade, kline_of, request_for, trade_of

COINM_RANGE = 200 * DAY  # milliseconds from startTime to endTime, at most; source: Binance's documentation of COIN-M
_MONTHS = 6  # that any such range holds


class Page(msgspec.Struct, frozen=True):
    """A part of a hole that one request brings, of so many keys."""

    span: Span
    keys: int


class Answer(msgspec.Struct, frozen=True):
    """What the answer to a page says.

    `covered` is what is known now, rows and what the exchange does not have; `rest` what lies behind the last row, of
    which nothing is known; `following` the first key behind the page, where the answer tells one.
    """

    klines: Sequence[KlineData] = ()
    trades: Sequence[RawAggTrade] = ()
    covered: Span | None = None
    rest: Span | None = None
    following: int | None = None


def page_rows(market: Market, kind: str, interval: str) -> int:
    """How many rows to ask for at once: as many as cost least by the row, the more the better."""
    if kind == "aggTrade":
        return HISTORY_ROWS  # the weight is the same for any number
    cheapest = page_of(market, KLINES_LIMIT[market])
    if market is not Market.COINM:
        return cheapest
    return min(cheapest, _MONTHS if interval == MONTH else COINM_RANGE // length_of(interval) + 1)


def pages(series: Series, hole: Span) -> Iterator[Page]:
    """The pages of a hole, in order."""
    most, at = page_rows(series.market, series.kind, series.interval), hole.first
    while at <= hole.last:
        last = min(further(series, at, most - 1), hole.last)
        yield one_page(series, Span(at, last))
        at = after(series, last)


def one_page(series: Series, span: Span) -> Page:
    """The page that brings a span; it must not be longer than a page may be."""
    return Page(span, count(series, span))


def request(series: Series, page: Page) -> tuple[str, Query]:
    """The method and the parameters of the request that brings a page."""
    if series.kind == "aggTrade":
        return query(series, fromId=page.span.first, limit=page.keys)
    return query(series, startTime=page.span.first, endTime=page.span.last, limit=page.keys)


def query(series: Series, **parameters: int) -> tuple[str, Query]:
    """The method and the parameters of a request about a series."""
    method, subject = request_for(series)
    return method, {name: str(value) for name, value in (subject | parameters).items()}


_candles = msgspec.json.Decoder(list[rows_of.Candle]).decode
_trades = msgspec.json.Decoder(list[AggTrade]).decode


def klines(series: Series, body: bytes) -> list[KlineData]:
    """Rows of REST as the store has them, oldest first.  Raises msgspec.DecodeError for another shape.

    REST does not tell which are closed; all are taken to be, so ask for none that may be open.
    """
    made = [kline_of(row, series.interval) for row in _candles(body)]
    made.sort(key=lambda row: row.start_time)
    return made


def trades(series: Series, body: bytes) -> list[RawAggTrade]:
    """Rows of `aggTrades` as the store has them, by id.  Raises msgspec.DecodeError for another shape."""
    made = [trade_of(row, series.name) for row in _trades(body)]
    made.sort(key=lambda row: row.agg_id)
    return made


def read(series: Series, page: Page, body: bytes) -> Answer:
    """What an answer says about its page.

    The exchange tells rows in order from the beginning of the page, so what it leaves out before its last row it does
    not have.  What lies behind the last row may only be late.  Raises msgspec.DecodeError for another shape.
    """
    if series.kind == "aggTrade":
        told = trades(series, body)
        inside = [row for row in told if page.span.first <= row.agg_id <= page.span.last]
        keys = [row.agg_id for row in inside]
        following = next((row.agg_id for row in told if row.agg_id > page.span.last), None)
        covered, rest = _known(series, page.span, keys[-1] if keys else None, following)
        return Answer((), inside, covered, rest, following)
    bars = [row for row in klines(series, body) if page.span.first <= row.start_time <= page.span.last]
    covered, rest = _known(series, page.span, bars[-1].start_time if bars else None, None)
    return Answer(bars, (), covered, rest)


def _known(series: Series, span: Span, newest: int | None, following: int | None) -> tuple[Span | None, Span | None]:
    if following is not None or (newest is not None and after(series, newest) > span.last):
        return span, None
    if newest is None:
        return None, span
    return Span(span.first, newest), Span(after(series, newest), span.last)
