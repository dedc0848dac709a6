"""Fills holes of the store: fifteen requests at once, each page written together with what it proves complete."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from fsnats.backfill.asking import Asking, Refusal
from fsnats.backfill.keys import after, before, count
from fsnats.backfill.pages import Page, one_page, pages, read, request
from fsnats.backfill.search import candle_from, trades_between
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.store import Batch, Origin, Rows, Series, Span, Store
from fsnats.store.spans import missing, steps

AT_ONCE = 15  # requests of all series together
T = TypeVar("T")

_TRIES = 3  # times that an exchange may contradict itself about one candle


class Want(msgspec.Struct, frozen=True):
    """What should be in the store of a series: these keys, none of which is younger than the newest closed candle or
    the newest trade."""

    series: Series
    span: Span


class Outcome(msgspec.Struct):
    """What became of it: rows written, and the key from which on the exchange has nothing yet, or why it refuses."""

    want: Want
    rows: int = 0
    nothing_from: int | None = None
    refused: str = ""


Told = Callable[[Series, int], None]
"""Hears of so many keys of a series that need no more asking."""


class Filler:
    """`fill` as many series at once as you like: requests wait for one another."""

    def __init__(self, store: Store, asking: Asking, now_ms: int, told: Told = lambda series, keys: None) -> None:
        """`now_ms` is the exchange's time."""
        self._store = store
        self._asking = asking
        self._now_ms = now_ms
        self.told = told
        self._places = asyncio.Semaphore(AT_ONCE)

    async def missing(self, want: Want) -> list[Span]:
        """The holes in what is wanted, in order.  Raises StoreUnavailable."""
        return missing(await self._store.spans(want.series), want.span, steps(want.series))

    async def fill(self, want: Want) -> Outcome:
        """Fetch what is missing.  What is written stays, however this ends.

        Raises StoreUnavailable, and what `Asking.get` does, but for a Refusal: the outcome tells it.
        """
        outcome = Outcome(want)
        for hole in await self.missing(want):
            if outcome.nothing_from is None and not outcome.refused:
                await _Hole(self, outcome, hole).fill()
            else:
                self.told(want.series, count(want.series, hole))
        return outcome

    async def trades_between(self, series: Series, from_ms: int, to_ms: int) -> Span | None:
        """The ids of trades from one time on and before another.  Raises what `Asking.get` does."""
        async with self._places:
            return await trades_between(self._asking, series, from_ms, to_ms)

    async def fill_all(self, wants: Iterable[Want], done: Callable[[Outcome], None]) -> None:
        """Fill one series after the other, fifteen at a time.  Raises as `fill`."""

        async def fill(want: Want) -> None:
            done(await self.fill(want))

        await each(wants, fill)

    @property
    def waiting(self) -> float:
        """For how many seconds the exchange does not let anybody ask."""
        return self._asking.waiting

    async def get(self, series: Series, page: Page) -> bytes:
        """The exchange's answer to a page."""
        async with self._places:
            return await self._asking.get(series.market, *request(series, page))

    async def candle_from(self, series: Series, key: int) -> int | None:
        """Where candles go on."""
        async with self._places:
            return await candle_from(self._asking, series, key, self._now_ms)

    async def write(self, rows: Rows) -> None:
        """Write a page and what it proves at once."""
        await self._store.write(Batch([rows]))


async def each(things: Iterable[T], act: Callable[[T], Awaitable[None]]) -> None:
    """Do something with each of them, fifteen at a time."""
    left = iter(things)

    async def some() -> None:
        for thing in left:
            await act(thing)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(some())


class _Hole:
    """One hole while it is filled."""

    def __init__(self, filler: Filler, outcome: Outcome, hole: Span) -> None:
        self._filler = filler
        self._outcome = outcome
        self._series = outcome.want.series
        self._hole = hole
        self._pages = pages(self._series, hole)
        self._again: list[Page] = []
        self._tries: dict[int, int] = {}
        self._absent: list[Span] = []  # what the exchange does not have
        self._end = hole.last + 1  # the key from which on nothing more is asked for

    async def fill(self) -> None:
        try:
            await self._begin()
        except Refusal as refusal:
            self._refused(refusal)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, 1 + count(self._series, self._hole) // 2)):
                tasks.create_task(self._work())

    async def _begin(self) -> None:
        """Do not page through what lies before the first candle."""
        first = self._hole.first
        if not self._series.interval or next(pages(self._series, self._hole)).span == self._hole:
            return  # trades tell by themselves where they begin, and so does a single page
        found = await self._next(first)
        if found is None:
            self._nothing_from(first)
        elif found > first:
            await self._lacks(Span(first, min(self._hole.last, before(self._series, found))))

    async def _work(self) -> None:
        for page in self._left():
            try:
                await self._fetch(page)
            except Refusal as refusal:
                self._refused(refusal)

    def _left(self) -> Iterator[Page]:
        """What is to be asked for, page by page: each of those who ask takes the next one."""
        while True:
            page = self._again.pop() if self._again else next(self._pages, None)
            if page is None:
                return
            if page.span.first >= self._end or any(_holds(span, page.span) for span in self._absent):
                self._filler.told(self._series, page.keys)
            else:
                yield page

    async def _fetch(self, page: Page) -> None:
        series, filler = self._series, self._filler
        body = await filler.get(series, page)
        try:
            answer = read(series, page, body)
        except UNREADABLE as error:
            raise ExchangeUnavailable(
                "json", f"{series.name}: the exchange did not answer with rows: {error}"
            ) from error
        covered = [answer.covered] if answer.covered is not None else []
        if covered or answer.klines or answer.trades:
            await filler.write(Rows(series, Origin.FETCHED, answer.klines, answer.trades, covered))
        self._outcome.rows += len(answer.klines) + len(answer.trades)
        keys = page.keys
        if answer.rest is not None:
            keys -= await self._beyond(answer.rest)
        elif answer.following is not None and answer.following > after(series, page.span.last):
            await self._lacks(Span(after(series, page.span.last), before(series, answer.following)))
        filler.told(series, keys)

    async def _beyond(self, rest: Span) -> int:
        """Nothing is known of the end of a page: returns of how many keys nothing is known after all."""
        found = await self._next(rest.first) if self._series.interval else None
        if found is None:
            self._nothing_from(rest.first)
            return 0
        if found > rest.first:
            await self._lacks(Span(rest.first, min(self._hole.last, before(self._series, found))))
        if found > rest.last:
            return 0
        # There is one after all: it was not there yet, or the answer was cut.
        tries = self._tries[found] = self._tries.get(found, 0) + 1
        if tries > _TRIES:
            raise ExchangeUnavailable(
                "json", f"{self._series.name} {self._series.interval}: has a candle at {found}, and has none"
            )
        self._again.append(one_page(self._series, Span(found, rest.last)))
        return self._again[-1].keys

    async def _next(self, key: int) -> int | None:
        return await self._filler.candle_from(self._series, key)

    async def _lacks(self, span: Span) -> None:
        """The exchange has nothing there, but something behind it: so it is complete."""
        span = Span(span.first, min(span.last, self._hole.last))
        if span.first <= span.last:
            self._absent.append(span)
            await self._filler.write(Rows(self._series, Origin.FETCHED, covered=[span]))

    def _nothing_from(self, key: int) -> None:
        """What may still come is not covered: who asks later finds it."""
        outcome = self._outcome
        outcome.nothing_from = key if outcome.nothing_from is None else min(outcome.nothing_from, key)
        self._end = min(self._end, key)

    def _refused(self, refusal: Refusal) -> None:
        self._outcome.refused = str(refusal)
        self._end = self._hole.first


def _holds(outer: Span, inner: Span) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last
