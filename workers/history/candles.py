"""Candles of the past: from the store what it is known to have whole, the rest from the exchange, piece by piece.

Candles that are over and settled are kept in the store when they come; open ones never.
"""

from collections.abc import Awaitable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import msgspec

from fsnats.binance.rest import Answer
from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.binance.weights import page_of
from fsnats.candles.calendar import DAY, counted, moved, opening, span
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.history import Missing
from fsnats.store import Batch, KlineData, Origin, Rows, Series, Span, Store
from fsnats.store.forms import kline_of, request_for, row_of
from fsnats.store.reading import candles, unknown_candles
from workers.history import coverage
from workers.history.flights import Flights, Stretches
from workers.history.shelf import Shelf

COINM_BEGAN = 1_577_836_800_000  # 2020: the market opened in that year, and nothing is asked page by page before it
WINDOW = 200 * DAY  # milliseconds that a request may span on COIN-M

_rows = msgspec.json.Decoder(list[Candle]).decode


class Piece(NamedTuple):
    """Candles that follow one another, oldest first.

    `goes_on` is where to ask on, a time for `forward` and for `backward` alike; None: that was all.  `missing` are the
    openings of which it is not known that everything is here.
    """

    rows: list[Candle]
    goes_on: int | None
    missing: Sequence[Missing] = ()


class Fetched(NamedTuple):
    """Candles from where was asked up to the opening `reached`, all that the exchange has."""

    rows: list[Candle]
    reached: int


class Times(Protocol):
    """What time it is at the exchange: as far as is known, and whether that is known at all."""

    def now_ms(self, market: Market) -> int: ...

    def knows(self, market: Market) -> bool: ...


class Asked(Protocol):
    """A market's REST.  Raises BadRequest and ExchangeUnavailable."""

    def get(self, method: str, parameters: Mapping[str, str | int]) -> Awaitable[Answer]: ...


class Candles:
    """One worker's candles of the past."""

    def __init__(self, shelf: Shelf, times: Times) -> None:
        self._shelf = shelf
        self._times = times
        self._stretches = Stretches[Series, Fetched]()
        self._flights = Flights[tuple[Series, int, int | None, int | None], list[Candle]]()

    @property
    def joined(self) -> int:
        """How often somebody asked for what was on its way."""
        return self._stretches.joined + self._flights.joined

    async def forward(
        self, series: Series, start: int, end: int | None, limit: int, by: Asked | None, *, closed: bool = False
    ) -> Piece:
        """The first candles that open at a time or after it, `limit` at most and perhaps fewer.  `by` asks the
        exchange for those that are not known to be in the store; None leaves them out.  `closed` leaves the open one
        out.

        Raises BadRequest and ExchangeUnavailable.
        """
        interval = series.interval
        last = self._newest(series, closed or by is None)
        if end is not None:
            last = min(last, span(interval, min(end, last))[0])
        if series.market is Market.COINM:
            start = max(start, COINM_BEGAN)
        first = opening(interval, start) if start <= last else start
        if first > last:
            return Piece([], None)
        if by is None:
            return await self._from_store(series, first, last, limit)
        spans = await self._spans(series)
        held = coverage.at(spans, first)
        if held is not None:
            stop = min(held.last, last)
            stored = await self._stored(series, first, stop, limit)
            if stored is not None:
                reached = stored[-1].start_time if len(stored) == limit else stop
                return Piece(_closed(stored), _next(interval, reached, last))
        following = coverage.after(spans, first)
        stop = last if following is None else min(last, span(interval, following.first - 1)[0])
        fetched = await self._fetched(by, series, first, stop, limit)
        return Piece(fetched.rows, _next(interval, fetched.reached, last))

    async def backward(
        self, series: Series, end: int | None, floor: int, limit: int, by: Asked | None, *, closed: bool = False
    ) -> Piece:
        """The last candles that open at a time (the newest ones where it is None) or before it, but not before `floor`;
        otherwise as `forward`."""
        interval = series.interval
        now = self._times.now_ms(series.market)
        top = span(interval, now if end is None else min(end, now))[0]
        if by is None or closed:
            top = min(top, coverage.last_over(interval, now))
            end = top if end is None else min(end, top)
        if top < floor:
            return Piece([], None)
        if by is None:
            bottom = opening(interval, max(floor, moved(interval, top, 1 - limit), 0))
            piece = await self._from_store(series, bottom, top, limit)
            return piece._replace(goes_on=_before(bottom, floor) if piece.rows else None)
        spans = await self._spans(series)
        held = coverage.at(spans, top)
        if held is not None and end is not None:
            bottom = max(held.first, floor)
            stored = await self._stored(series, bottom, top, limit, newest=True)
            if stored is not None:
                return Piece(_closed(stored), _before(stored[0].start_time if len(stored) == limit else bottom, floor))
        below = held or coverage.before(spans, top)
        bottom = floor if below is None or below.last < floor else span(interval, below.last)[1]
        return await self._fetched_back(by, series, end, top, bottom, floor, limit)

    async def whole(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False, full: bool = False
    ) -> list[Candle] | None:
        """The first candles from the opening `first` to `last` (or the newest ones) as the exchange told them; None
        where it is not known that the store has each of them, or, with `full`, where they are fewer than `limit`."""
        held = coverage.at(await self._spans(series), last if newest else first)
        if held is None:
            return None
        stored = await self._stored(series, max(first, held.first), min(last, held.last), limit, newest=newest)
        is_all = not full and (held.first <= first if newest else last <= held.last)
        return _closed(stored) if stored is not None and (is_all or len(stored) == limit) else None

    async def unknown(self, series: Series, start: int, end: int | None) -> list[Missing]:
        """Of which openings in a range it is not known that the store has everything; the open candle is none."""
        last = self._newest(series, closed=True)
        if end is not None:
            last = min(last, end)
        if start > last:
            return []
        unknown = await self._shelf.ask(lambda store: unknown_candles(store, series, start, last))
        return [Missing(start, last)] if unknown is None else unknown

    def _newest(self, series: Series, closed: bool) -> int:
        """The opening of the newest candle that there may be."""
        now = self._times.now_ms(series.market)
        if closed:
            return coverage.last_over(series.interval, now)
        # The exchange may be a moment ahead of what we know of its clock.
        return span(series.interval, now)[1]

    async def _from_store(self, series: Series, first: int, last: int, limit: int) -> Piece:
        read = await self._shelf.ask(lambda store: candles(store, series, first, last, limit))
        if read is None:
            return Piece([], None, [Missing(first, last)])
        rows, goes_on = read
        self._shelf.rows_read += len(rows)
        reached = last if goes_on is None else goes_on - 1
        return Piece(rows, goes_on, await self.unknown(series, first, reached))

    async def _spans(self, series: Series) -> list[Span]:
        return await self._shelf.ask(lambda store: store.spans(series)) or []

    async def _stored(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData] | None:
        def read(store: Store) -> Awaitable[list[KlineData]]:
            return store.klines(series, first, last, limit, newest=newest)

        rows = await self._shelf.ask(read)
        if rows is not None:
            self._shelf.rows_read += len(rows)
        return rows

    async def _fetched(self, by: Asked, series: Series, first: int, last: int, limit: int) -> Fetched:
        """What the exchange has from `first` on; perhaps what somebody else asked for a moment ago."""
        interval, market = series.interval, series.market
        page = page_of(market, min(limit, counted(interval, first, last)))
        if market is Market.COINM:  # of a range it tells the newest, not the oldest: the range is one page
            last = min(last, moved(interval, first, page - 1), max(first, span(interval, first + WINDOW - 1)[0]))

        async def ask() -> Fetched:
            now = self._times.now_ms(market)
            rows = await _get(by, series, {"startTime": first, "endTime": last, "limit": page}, first, last)
            reached = rows[-1].t if len(rows) == page else last
            await self.keep(series, rows, first, reached, now)
            return Fetched(rows, reached)

        fetched = await self._stretches.join(series, first, min(last, moved(interval, first, page - 1)), ask)
        rows = [row for row in fetched.rows if row.t >= first][:limit]
        return Fetched(rows, rows[-1].t if len(rows) == limit else fetched.reached)

    async def _fetched_back(
        self, by: Asked, series: Series, end: int | None, top: int, bottom: int, floor: int, limit: int
    ) -> Piece:
        """What the exchange has before `end`, down to `bottom` if that is not more than a page."""
        interval, market = series.interval, series.market
        first = opening(interval, bottom)
        gap = counted(interval, first, top) + 1  # the exchange may be a candle ahead of what we know of its clock
        page = page_of(market, min(limit, gap) if bottom > floor else limit)
        parameters: dict[str, str | int] = {"limit": page}
        start: int | None = first if gap <= page else None
        if end is not None:
            parameters["endTime"] = end
            if market is Market.COINM:
                start = max(first, opening(interval, end - WINDOW + 1))
        if start is not None:
            parameters["startTime"] = start

        async def ask() -> list[Candle]:
            now = self._times.now_ms(market)
            rows = await _get(by, series, parameters, start or 0, end)
            known = start if len(rows) < page and start is not None else rows[0].t if rows else None
            if len(rows) < page and start is None and market is not Market.COINM:
                known = 0  # there is nothing before
            if known is not None and (rows or end is not None):
                await self.keep(series, rows, known, rows[-1].t if end is None else top, now)
            return rows

        rows = await self._flights.join((series, page, start, end), ask)
        if len(rows) == page:
            return Piece(rows, _before(rows[0].t, floor))
        if start is not None:
            # Nothing at all in a window: as far as COIN-M itself goes back.
            return Piece(rows, _before(start, floor) if rows or start == first else None)
        return Piece(rows, _before(rows[0].t, floor) if rows and market is Market.COINM else None)

    async def keep(self, series: Series, rows: list[Candle], first: int, until: int, now: int) -> None:
        """Keep what is over of an answer of the exchange, which was asked for the openings `first` to `until`."""
        proof = coverage.proved(series.interval, first, until, rows[-1].t if rows else None, now)
        if proof is None or not self._times.knows(series.market):
            return
        kept = [kline_of(row, series.interval) for row in rows if row.t <= proof.last]
        batch = Batch([Rows(series, Origin.FETCHED, klines=kept, covered=[proof])])
        await self._shelf.keep(batch, len(kept))


async def _get(
    by: Asked, series: Series, parameters: Mapping[str, str | int], first: int, last: int | None
) -> list[Candle]:
    method, named = request_for(series)
    answer = await by.get(method, {**named, **parameters})
    return read(answer.body, first, last)


def read(body: bytes, first: int, last: int | None) -> list[Candle]:
    """The exchange's answer to a question for candles that open between two times, both included; None: up to now.

    Raises ExchangeUnavailable where it is none.
    """
    try:
        rows = _rows(body)
    except UNREADABLE as error:
        raise ExchangeUnavailable("json", "the exchange did not answer with candles") from error
    if any(after.t <= row.t for row, after in pairwise(rows)) or any(
        row.t < first or (last is not None and row.t > last) for row in rows
    ):
        raise ExchangeUnavailable("json", "the exchange answered with other candles than it was asked for")
    return rows


def _closed(rows: list[KlineData]) -> list[Candle]:
    return [row_of(row) for row in rows if row.is_closed]


def _next(interval: str, reached: int, last: int) -> int | None:
    """Where to go on behind an opening, up to another."""
    following = span(interval, reached)[1]
    return following if following <= last else None


def _before(reached: int, floor: int) -> int | None:
    return reached - 1 if reached > floor else None
