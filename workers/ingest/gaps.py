"""What can be done about a hole: which REST requests fill it, what their rows look like as payloads of the stream, and
the notice for what cannot be had.  Pure."""

from collections.abc import Sequence
from operator import itemgetter

import msgspec

from fsnats import notices
from fsnats.binance import rows as rows_of
from fsnats.binance.streams import Stream
from workers.ingest import candles
from workers.ingest.pages import PAGE, Answer, Fill
from workers.ingest.track import Missing

ROWS_MOST = 100_000  # of one hole; of a larger one the newest are fetched: 100 pages are 2,000 of futures' 2,400 weight


def pages(stream: Stream, missing: Missing) -> list[Missing]:
    """The parts of a hole that one request each brings, in order; empty where REST does not have it.

    They end where the hole ends, and begin later where it is too large.
    """
    count = missing.last - missing.first + 1
    match stream.kind:
        case "aggTrade":
            first = max(missing.first, missing.last - ROWS_MOST + 1)
            return [
                Missing(start, min(start + PAGE - 1, missing.last), missing.unit)
                for start in range(first, missing.last + 1, PAGE)
            ]
        case "trade" if count <= PAGE:
            return [missing]
    return [missing] if missing.unit == "bar" else []


def request(stream: Stream, page: Missing) -> Fill:
    """The request that brings a page, or its beginning."""
    match stream.kind:
        case "aggTrade":
            limit = page.last - page.first + 1
            return Fill("aggTrades", {"symbol": stream.subject, "fromId": page.first, "limit": limit})
        case "trade":
            # The newest ones: the ones before can be had with an API key only.
            return Fill("trades", {"symbol": stream.subject, "limit": PAGE})
    return candles.request(stream, page)


def read(stream: Stream, page: Missing, rows: Sequence[msgspec.Raw]) -> Answer:
    """What the rows of an answer mean for a page.

    Payloads are made of what REST tells: event times are those of the trades.
    Raises msgspec.DecodeError for rows of another shape.
    """
    if page.unit == "bar":
        return candles.read(stream, page, rows)
    build = rows_of.agg_trade if stream.kind == "aggTrade" else rows_of.trade
    made = sorted((build(stream, bytes(row)) for row in rows), key=itemgetter(0))
    # Ids grow without end, and REST tells them in order: up to its newest row it has said everything.
    known = min(page.last, made[-1][0]) if made else page.first - 1
    if known < page.first:
        return Answer([], [], page)
    come = [each for each in made if page.first <= each[0] <= known]
    absent = without(Missing(page.first, known, page.unit), [number for number, _ in come])
    return Answer(come, absent, Missing(known + 1, page.last, page.unit) if known < page.last else None)


def notice(stream: Stream, missing: Missing, reason: str) -> bytes:
    """The payload of a gap frame."""
    unit = "ms" if missing.unit == "bar" else missing.unit  # a bar is named by its open time
    return notices.gap(stream, missing.first, missing.last, unit, reason)


def without(missing: Missing, come: Sequence[int]) -> list[Missing]:
    """What is left of a hole of consecutive ids after these have come."""
    left = []
    expected = missing.first
    for number in [*sorted(come), missing.last + 1]:
        if number > expected:
            left.append(Missing(expected, number - 1, missing.unit))
        expected = number + 1
    return left
