"""How each stream of a worker is, for whoever asks: how much of it came, how fast, when last, and when it should have.

The way of the messages knows nothing of this: what lines count anyway is noted every few seconds, and the rest is
worked out for those streams that are shown.  Pure.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from heapq import nsmallest
from typing import NamedTuple

from fsnats.binance.events import event_time
from fsnats.binance.streams import Market
from fsnats.fleet.streams import KnownBy, Sort, State, StreamRow, Streams, StreamsRequest, in_order
from workers.ingest.cadence import LOOKS_KEPT
from workers.ingest.line import Line
from workers.ingest.silence import LOOK, Habit

SAMPLE = 5.0  # seconds between two notes of all counts: rates are those of one to two of these
QUIET = 60.0  # seconds without a message, where nothing says how many there should be


class Carried(NamedTuple):
    """What is carried now."""

    lines: Collection[Line]
    connections: Mapping[str, list[str]]  # the names of those that are to carry each stream


class _Sample(NamedTuple):
    at: float
    counts: Mapping[Line, tuple[int, int]]  # messages and bytes


class Pulse:
    """One worker's.  Times are monotonic seconds."""

    def __init__(self, worker: str, pid: int, market: Market, habit: Callable[[str], Habit | None]) -> None:
        """`habit` says how a stream speaks, where that is known."""
        self._worker = worker
        self._pid = pid
        self._market = market
        self._habit = habit
        self._samples: list[_Sample] = []  # two at most, the older one first

    def look(self, now: float, lines: Iterable[Line]) -> None:
        """Note the counts, if it is time; to be called every second."""
        if not self._samples or now - self._samples[-1].at >= SAMPLE:
            counts = {line: (line.messages, line.payload_bytes) for line in lines}
            self._samples = [*self._samples[-1:], _Sample(now, counts)]

    def tell(self, asked: StreamsRequest, carried: Carried, now: float, now_ns: int) -> Streams:
        """The streams that are asked for.  `now_ns` is the time since 1970."""
        is_here = not asked.markets or self._market in asked.markets
        found = [line for line in carried.lines if is_here and _is_asked(asked, line.stream.name, carried)]
        first = nsmallest(asked.limit, found, key=lambda line: self._order(asked.sort, line, now, now_ns))
        rows = [self._row(line, carried, now, now_ns) for line in first]
        return Streams(self._worker, self._pid, self._market, len(carried.lines), len(found), rows)

    def _order(self, sort: Sort, line: Line, now: float, now_ns: int) -> tuple[float, str, str]:
        key: float | None = None
        match sort:
            case Sort.RATE:
                key = self._rates(line, now)[0]
            case Sort.BYTES:
                key = self._rates(line, now)[1]
            case Sort.LAG:
                key = _lag_ms(line)
            case Sort.AGE:
                key = _age(line, now_ns)
        return in_order(key, line.stream.name, self._market)

    def _rates(self, line: Line, now: float) -> tuple[float | None, float | None]:
        """Messages and bytes a second lately; None of a stream that is new."""
        # The older note of the two, unless the stream is newer.
        sample = next((each for each in self._samples if line in each.counts), None)
        if sample is None or now - sample.at < LOOK:
            return None, None
        messages, size = sample.counts[line]
        return (line.messages - messages) / (now - sample.at), (line.payload_bytes - size) / (now - sample.at)

    def _row(self, line: Line, carried: Carried, now: float, now_ns: int) -> StreamRow:
        name, age, habit = line.stream.name, _age(line, now_ns), self._habit(line.stream.name)
        rate, byte_rate = self._rates(line, now)
        silence = habit.silence if habit else None
        lag = _lag_ms(line)
        return StreamRow(
            name,
            self._market,
            self._worker,
            carried.connections.get(name, []),
            _state(age, habit),
            line.messages,
            line.payload_bytes,
            _rounded(rate, 2),
            _rounded(byte_rate, 0),
            _rounded(age, 3),
            _rounded(lag, 1),
            _rounded(habit.expected, 3) if habit else None,
            habit.known_by if habit else KnownBy.UNKNOWN,
            _rounded(_pause(rate, habit), 3),
            line.gaps,
            line.recovered,
            silence.reason if silence else "",
            str(silence.probe.step or "") if silence else "",
        )


def _is_asked(asked: StreamsRequest, name: str, carried: Carried) -> bool:
    is_brought = not asked.connection or asked.connection in carried.connections.get(name, ())
    return is_brought and asked.q.lower() in name.lower()


def _state(age: float | None, habit: Habit | None) -> State:
    if habit is not None and habit.silence is not None:
        return State.SILENT
    if age is None:
        return State.WAITING
    if habit is None or habit.expected is None:
        return State.FLOWS if age < QUIET else State.QUIET
    return State.FLOWS if age <= habit.expected + LOOK else State.LATE  # pauses are known by looks


def _age(line: Line, now_ns: int) -> float | None:
    return max(0.0, (now_ns - line.received_ns) / 1e9) if line.received_ns else None


def _lag_ms(line: Line) -> float | None:
    at = event_time(line.newest) if line.received_ns else None
    return line.received_ns / 1e6 - at if at is not None else None


def _pause(rate: float | None, habit: Habit | None) -> float | None:
    """The mean pause between two messages: by what came in the last seconds, else by the looks in which it spoke."""
    if rate:
        return 1 / rate
    return LOOKS_KEPT * LOOK / habit.spoke if habit and habit.spoke else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
