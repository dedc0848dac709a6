"""Aggregated trades of the past: from the store what it is known to have whole, the rest from the exchange.

Trades are known by their ids, which follow one another; a time is turned into an id first.
"""

from collections.abc import Awaitable, Mapping
from itertools import pairwise
from typing import NamedTuple, Protocol

import msgspec

from fsnats.binance.limits import HISTORY_ROWS
from fsnats.binance.rest import Answer, BadRequest
from fsnats.binance.streams import Market
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.history import Missing
from fsnats.store import Batch, Origin, RawAggTrade, Rows, Series, Span, Store
from fsnats.store.forms import AggTrade, agg_trade_of, request_for, trade_of
from fsnats.store.reading import first_trade, unknown_trades
from workers.history import coverage
from workers.history.flights import Stretches
from workers.history.shelf import Shelf

_FOR_EVER = 2**62
_TOO_OLD = -4166  # the exchange's code: USD-M finds trades by time within the last 48 hours only

_rows = msgspec.json.Decoder(list[AggTrade]).decode


class Piece(NamedTuple):
    """Trades that follow one another, and with which id to ask on; None: that was all."""

    rows: list[AggTrade]
    goes_on: int | None
    missing: list[Missing] = []


class Asked(Protocol):
    """A market's REST.  Raises BadRequest and ExchangeUnavailable."""

    def get(self, method: str, parameters: Mapping[str, str | int]) -> Awaitable[Answer]: ...


class Times(Protocol):
    """What time it is at the exchange, as far as is known."""

    def now_ms(self, market: Market) -> int: ...


class Trades:
    """One worker's trades of the past."""

    def __init__(self, shelf: Shelf, times: Times) -> None:
        self._shelf = shelf
        self._times = times
        self._stretches = Stretches[Series, list[AggTrade]]()

    async def since(self, series: Series, start: int, end: int | None, limit: int, by: Asked | None) -> Piece:
        """The first trades from a time on, as `after` gives them; with what is missing of the whole range, as far as
        that is known.  `by` asks the exchange for what is not known to be in the store; None leaves it out."""
        end = self._times.now_ms(series.market) if end is None else end
        if by is None:
            missing = await self._unknown(series, start, end)
            first = await self._at(series, start)
            if first is None:
                return Piece([], None, missing)
            piece = await self.after(series, first.agg_id, end, limit, by)
            return piece._replace(missing=missing)
        known = await self._shelf.ask(lambda store: first_trade(store, series, start))
        if known is not None:
            return await self.after(series, known.agg_id, end, limit, by)
        try:
            rows = await _get(by, series, {"startTime": start, "limit": min(limit, HISTORY_ROWS)})
        except BadRequest as error:
            first = await self._at(series, start) if error.code == _TOO_OLD else None
            if first is None:
                raise
            piece = await self.after(series, first.agg_id, end, limit, by)
            return piece._replace(missing=[Missing(start, first.trade_time - 1)])
        await self._keep(series, rows)
        return _cut(rows, end, rows[-1].a + 1 if rows else None)

    async def after(self, series: Series, first: int, end: int | None, limit: int, by: Asked | None) -> Piece:
        """The first trades from an id on and not after a time, `limit` at most and perhaps fewer.

        Raises BadRequest and ExchangeUnavailable.
        """
        end = self._times.now_ms(series.market) if end is None else end
        spans = await self._shelf.ask(lambda store: store.spans(series)) or []
        held, following = coverage.at(spans, first), coverage.after(spans, first)
        stop = held.last if held is not None else _FOR_EVER if following is None else following.first - 1
        if held is not None or by is None:
            stored = await self._stored(series, first, stop, limit)
            if stored is not None:
                more = stored[-1].a + 1 if len(stored) == limit else stop + 1 if stop < _FOR_EVER else None
                return _cut(stored, end, more)
        if by is None:
            return Piece([], None)
        page = min(limit, HISTORY_ROWS, stop - first + 1)

        async def ask() -> list[AggTrade]:
            rows = await _get(by, series, {"fromId": first, "limit": page})
            await self._keep(series, rows, first)
            return rows

        rows = await self._stretches.join(series, first, first + page - 1, ask)
        rows = [row for row in rows if first <= row.a <= stop][:limit]
        return _cut(rows, end, rows[-1].a + 1 if rows else None)

    async def newest(self, series: Series, end: int | None, limit: int, by: Asked | None) -> Piece:
        """The last trades up to a time."""
        now = self._times.now_ms(series.market)
        if by is not None and end is None:
            rows = await _get(by, series, {"limit": min(limit, HISTORY_ROWS)})
            await self._keep(series, rows)
            while rows and len(rows) < limit and rows[0].a > 0:
                first = max(0, rows[0].a - min(HISTORY_ROWS, limit - len(rows)))
                piece = await self.after(series, first, now, rows[0].a - first, by)
                earlier = [row for row in piece.rows if row.a < rows[0].a]
                if not earlier:
                    break  # the exchange has them no more
                rows = [*earlier, *rows]
            return Piece(rows, None)
        end = now if end is None else end
        last = await self._shelf.ask(lambda store: store.trade_at(series, end + 1, before=True))
        if last is None:
            return Piece([], None, [Missing(0, end)])
        first = max(0, last.agg_id - limit + 1)
        rows = await self._stored(series, first, last.agg_id, limit, newest=True) or []
        missing = await self._unknown(series, rows[0].T if rows else end, end)
        return Piece(rows, None, missing)

    async def _at(self, series: Series, time_ms: int) -> RawAggTrade | None:
        return await self._shelf.ask(lambda store: store.trade_at(series, time_ms))

    async def _unknown(self, series: Series, start: int, end: int) -> list[Missing]:
        unknown = await self._shelf.ask(lambda store: unknown_trades(store, series, start, end))
        return [Missing(start, end)] if unknown is None else unknown

    async def _stored(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[AggTrade] | None:
        def read(store: Store) -> Awaitable[list[RawAggTrade]]:
            return store.trades(series, first, last, limit, newest=newest)

        rows = await self._shelf.ask(read)
        if rows is None:
            return None
        self._shelf.rows_read += len(rows)
        return [agg_trade_of(row) for row in rows]

    async def _keep(self, series: Series, rows: list[AggTrade], first: int | None = None) -> None:
        """Keep trades that follow one another, with all that is known to be between an id and the last of them."""
        if not rows:
            return
        covered = [Span(rows[0].a if first is None else first, rows[-1].a)]
        kept = [trade_of(row, series.name) for row in rows]
        await self._shelf.keep(Batch([Rows(series, Origin.FETCHED, trades=kept, covered=covered)]), len(kept))


async def _get(by: Asked, series: Series, parameters: Mapping[str, str | int]) -> list[AggTrade]:
    method, named = request_for(series)
    answer = await by.get(method, {**named, **parameters})
    try:
        rows = _rows(answer.body)
    except UNREADABLE as error:
        raise ExchangeUnavailable("json", "the exchange did not answer with trades") from error
    first = int(parameters.get("fromId", 0))
    if any(after.a <= row.a for row, after in pairwise(rows)) or (rows and rows[0].a < first):
        raise ExchangeUnavailable("json", "the exchange answered with other trades than it was asked for")
    return rows


def _cut(rows: list[AggTrade], end: int, goes_on: int | None) -> Piece:
    if rows and end < rows[-1].T:
        return Piece([row for row in rows if end >= row.T], None)
    return Piece(rows, goes_on)
