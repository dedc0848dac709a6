"""Candles whose closing nobody saw: which they are, and how REST's rows become payloads of the stream.  Pure."""

from collections.abc import Sequence

import msgspec

from fsnats.binance import rows as rows_of
from fsnats.binance.streams import BEIJING, Stream
from workers.ingest.pages import PAGE, Answer, Fill
from workers.ingest.track import Missing

# Milliseconds after its end in which REST may not have a candle's last word; its hole may keep others waiting for 2 s.
CLOSING_MS = 1000


class MissingBars(Missing, frozen=True):
    """Candles, by the times that they span; `trades` were known of the first one; REST is asked after `wait` s."""

    trades: int = 0
    wait: float = 0.0


class _Bar(msgspec.Struct):
    t: int
    T: int
    x: bool
    n: int = 0


class _Kline(msgspec.Struct):
    k: _Bar
    E: int | None = None


_decode = msgspec.json.Decoder(_Kline).decode


def bars_between(newest: bytes, next_one: bytes) -> MissingBars | None:
    """The bars whose closing nobody saw between two payloads; times are milliseconds since 1970."""
    before, now = _decode(newest).k, _decode(next_one)
    after = now.k
    first = before.t if not before.x else before.T + 1
    if first >= after.t:
        return None
    young = 0 if now.E is None else min(max(0, after.t + CLOSING_MS - now.E), CLOSING_MS)
    return MissingBars(first, after.t - 1, "bar", 0 if before.x else before.n, young / 1000)


def request(stream: Stream, page: Missing) -> Fill:
    """The request that brings a page, or its beginning."""
    times: dict[str, str | int] = {"startTime": page.first, "endTime": page.last, "limit": PAGE}
    parameters: dict[str, str | int] = {"interval": stream.interval, **times}
    match stream.kind:
        case "continuousKline":
            contract = stream.subject.removeprefix(f"{stream.pair}_")
            return Fill("continuousKlines", {"pair": stream.pair, "contractType": contract, **parameters})
        case "indexPriceKline":
            return Fill("indexPriceKlines", {"pair": stream.subject, **parameters})
        case "markPriceKline":
            return Fill("markPriceKlines", {"symbol": stream.subject, **parameters})
    if stream.name.endswith(BEIJING):
        parameters["timeZone"] = "8"
    return Fill("klines", {"symbol": stream.subject, **parameters})


def read(stream: Stream, page: Missing, rows: Sequence[msgspec.Raw]) -> Answer:
    """What the rows of an answer mean for a page.  Raises msgspec.DecodeError for rows of another shape."""
    bars = [bar for bar in map(rows_of.candle, rows) if page.first <= bar.t <= page.last]
    bars.sort(key=lambda bar: bar.t)
    # REST may lag the stream: a candle with fewer trades than the stream told of is not its last word.
    if not bars or (isinstance(page, MissingBars) and bars[0].t == page.first and bars[0].n < page.trades):
        return Answer([], [], page)
    absent: list[Missing] = []
    following = page.first
    for bar in bars:
        if bar.t > following:
            absent.append(Missing(following, bar.t - 1, page.unit))
        following = bar.T + 1
    rest = MissingBars(following, page.last, page.unit) if following <= page.last else None
    return Answer([(bar.t, rows_of.candle_payload(stream, bar)) for bar in bars], absent, rest)
