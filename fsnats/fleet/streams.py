"""What workers tell of each stream that they carry, on `subjects.STREAMS_REQUEST`, and putting it together.  Pure.

A worker sorts and cuts by itself: it may carry thousands, and NATS takes a megabyte.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from fsnats.binance.streams import Market
from fsnats.fleet.answers import sorted_out
from fsnats.offset import Offset

# Streams of an answer: five hundred are 150 kB, and a worker that tells of them does nothing else for milliseconds.
LIMIT_DEFAULT, LIMIT_MOST = 100, 500


class Sort(StrEnum):
    """What the first of an answer have the most of; by name the first in the alphabet."""

    RATE = "rate"
    BYTES = "bytes"
    LAG = "lag"
    AGE = "age"
    NAME = "name"


class State(StrEnum):
    """How a stream is."""

    FLOWS = "flows"
    LATE = "late"  # it pauses longer than was to be expected
    QUIET = "quiet"  # nothing came for a minute, and nothing says that something should
    WAITING = "waiting"  # nothing came yet
    SILENT = "silent"  # it should speak, and does not: the worker tries to bring it back


class KnownBy(StrEnum):
    """What says how long a stream pauses at most."""

    TYPE = "type"  # what Binance documents of its type
    PAST = "past"  # its longest pause of the last half hour
    AT_WILL = "at will"  # nothing: silence of any length is normal, as of liquidations
    UNKNOWN = "unknown"  # nothing: too little was seen of it


class StreamsRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which streams, at most how many, and which first; no markets: all, `q`: a part of the name, `connection`: the
    one that is to bring them."""

    markets: tuple[Market, ...] = ()
    q: str = ""
    sort: Sort = Sort.RATE
    limit: int = LIMIT_DEFAULT
    connection: str = ""


class StreamRow(msgspec.Struct, frozen=True):
    """One stream as its worker has it.  Rates are a second's, over the last five to ten; ages and pauses in seconds."""

    stream: str
    market: Market
    worker: str
    connections: list[str]
    state: State
    messages: int  # live ones, since the worker carries it
    bytes: int
    rate: float | None
    byte_rate: float | None
    age: float | None  # of the newest message
    lag_ms: float | None  # from the exchange's event time to the worker's reading, of the newest message
    expected: float | None
    expected_by: KnownBy
    actual: float | None  # the mean pause lately
    gaps: int
    recovered: int
    reason: str = ""  # why a silent one should speak
    trying: str = ""  # what is tried to bring it back


class Streams(msgspec.Struct, frozen=True):
    """A worker's answer: the first ones that match, of how many, of how many that it carries."""

    program: str
    pid: int
    market: Market
    carried: int
    total: int
    streams: list[StreamRow]


class Merged(NamedTuple):
    """All workers' answers in one: of how many workers, and of which there is none that can be read."""

    workers: int
    absent: list[str]
    carried: int
    total: int
    streams: list[StreamRow]


_KEYS: Mapping[Sort, Callable[[StreamRow], float | None]] = {
    Sort.RATE: lambda row: row.rate,
    Sort.BYTES: lambda row: row.byte_rate,
    Sort.LAG: lambda row: row.lag_ms,
    Sort.AGE: lambda row: row.age,
    Sort.NAME: lambda row: None,
}

encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(StreamsRequest).decode
_decode = msgspec.json.Decoder(Streams).decode


def in_order(key: float | None, name: str, market: Market) -> tuple[float, str, str]:
    """The place of a stream that has so much of what is sorted by; one of which it is not known comes last."""
    return (float("inf") if key is None else -key, name, market)


def merged(
    answers: Iterable[bytes], request: StreamsRequest, offsets: Mapping[Market, Offset], absent: Iterable[str] = ()
) -> Merged:
    """One answer of several; lag by the exchange's clock, where its offset to ours is known.  `absent` are workers that
    should have answered and did not."""
    read, unread = sorted_out(answers, _decode)
    rows = [_by_their_clock(row, offsets.get(row.market)) for answer in read for row in answer.streams]
    key = _KEYS[request.sort]
    rows.sort(key=lambda row: in_order(key(row), row.stream, row.market))
    total = sum(answer.total for answer in read)
    carried = sum(answer.carried for answer in read)
    return Merged(len(read), sorted({*absent, *unread}), carried, total, rows[: request.limit])


def _by_their_clock(row: StreamRow, offset: Offset | None) -> StreamRow:
    if offset is None or row.lag_ms is None:
        return row
    return msgspec.structs.replace(row, lag_ms=round(row.lag_ms + offset.offset_ms, 1))
