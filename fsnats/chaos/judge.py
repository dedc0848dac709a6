"""Produced against delivered: the verdict on one stream.  Pure; times are milliseconds since 1970.

Tell it what the exchange produced (`produced`) and what came off the bus (`delivered`, `noticed`), in any order between
the two, then ask for the `verdict` on what was produced in a stretch of time.  `forget` bounds what it remembers.
"""

from bisect import bisect_left, bisect_right

import msgspec

from fsnats.chaos.identity import Identity

LATE = 2000  # milliseconds from the exchange to the reader, for what was not fetched afterwards
SLACK = 500  # milliseconds by which the times in a notice may miss the exchange's


class Verdict(msgspec.Struct):
    """What became of the events of one stream, or of many.

    Of a state only the newest value counts: one that was replaced by a later one that came is `superseded`.
    """

    produced: int = 0
    once: int = 0  # delivered exactly once
    recovered: int = 0  # of those, fetched afterwards and marked as such
    duplicated: int = 0  # further copies
    missing: int = 0  # delivered never, gap notice or not
    unnoticed: int = 0  # of those, without a gap notice or a hole in the sequence numbers
    holes: int = 0  # of the noticed ones, those that only sequence numbers tell
    superseded: int = 0
    late: int = 0
    disordered: int = 0  # delivered after a newer one without being marked so
    foreign: int = 0  # delivered but never produced
    altered: int = 0  # delivered with other contents

    @property
    def problems(self) -> list[str]:
        """Which of the promises that always hold are broken; empty is good."""
        zeros = {
            "missing without a gap notice": self.unnoticed,
            "duplicated": self.duplicated,
            "delivered but never produced": self.foreign,
            "delivered with other contents": self.altered,
            "out of order without a mark": self.disordered,
        }
        return [f"{count} {what}" for what, count in zeros.items() if count]

    def add(self, other: "Verdict") -> None:
        """Count another one's in."""
        for field in self.__struct_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))


class _Arrival(msgspec.Struct):
    at: int
    identity: Identity
    recovered: bool
    disordered: bool
    copies: int = 1


class _Promise(msgspec.Struct):
    """Ids that a notice said will come late, and how many of them are still to come or to be told as lost."""

    unit: str
    start: int
    end: int
    left: int


class StreamJudge:
    """Everything known of one stream."""

    def __init__(self) -> None:
        self._produced: dict[str, tuple[int, Identity]] = {}
        self._repeated: dict[str, int] = {}  # states that were said again in the very same words
        self._arrived: dict[str, _Arrival] = {}
        self._notices: list[tuple[str, int, int]] = []
        self._holes: list[tuple[int, int, int]] = []  # from, to, how many frames
        self._last: tuple[int, int, int] | None = None  # epoch, seq, received
        self._newest = 0  # id of the newest event that was delivered
        self._promises: list[_Promise] = []

    def produced(self, at: int, identity: Identity) -> None:
        """The exchange made an event."""
        if identity.key in self._produced:
            self._repeated[identity.key] = self._repeated.get(identity.key, 0) + 1
        self._produced[identity.key] = at, identity

    @property
    def waits(self) -> bool:
        """Whether something that was promised is still to come."""
        return bool(self._promises)

    def delivered(self, at: int, identity: Identity, *, recovered: bool, late: bool = False) -> None:
        """A frame with an event arrived; `late` where it is marked as out of order."""
        if late:
            self._keep(identity.first, identity.last)
        arrival = self._arrived.get(identity.key)
        if arrival is None:
            disordered = bool(identity.first) and identity.last <= self._newest and not late
            self._arrived[identity.key] = _Arrival(at, identity, recovered, disordered)
        else:
            arrival.copies += 1
        self._newest = max(self._newest, identity.last)

    def numbered(self, epoch: int, seq: int, received: int) -> None:
        """A frame's place in the worker's count: a hole is a loss that every reader can see."""
        last, self._last = self._last, (epoch, seq, received)
        if last is not None and last[0] == epoch and seq > last[1] + 1:
            self._holes.append((last[2], received, seq - last[1] - 1))

    def noticed(self, unit: str, start: int, end: int, *, late: bool = False) -> None:
        """A gap notice arrived: `unit` is that of the ids, or ms; `late` where it says that they will come."""
        self._notices.append((unit, start, end))
        if not late:
            self._keep(start, end)
        elif unit != "ms":
            self._promises.append(_Promise(unit, start, end, end - start + 1))

    def _keep(self, first: int, last: int) -> None:
        """What was promised came, or will not."""
        for promise in self._promises:
            promise.left -= max(0, min(last, promise.end) - max(first, promise.start) + 1)
        self._promises = [promise for promise in self._promises if promise.left > 0]

    def verdict(self, since: int, until: int) -> Verdict:
        """On the events that were produced from `since` until `until`."""
        verdict = Verdict()
        stretch = [(at, each) for at, each in self._produced.values() if since <= at <= until]
        verdict.produced = len(stretch)
        newest = max(
            (self._produced[key][0] for key in self._arrived if key in self._produced), default=0
        )  # of what arrived, when the last one was produced
        lost: list[tuple[int, Identity]] = []
        for at, identity in stretch:
            arrival = self._arrived.get(identity.key)
            if arrival is None:
                if identity.counts or at > newest:
                    lost.append((at, identity))
                else:
                    verdict.superseded += 1
                continue
            _judge_arrival(verdict, at, identity, arrival, 1 + self._repeated.get(identity.key, 0))
        verdict.missing = len(lost)
        self._excuse(verdict, lost)
        first = min((identity.first for _, identity in self._produced.values()), default=0)
        verdict.foreign = sum(
            since <= arrival.at <= until and arrival.identity.first >= first
            for key, arrival in self._arrived.items()
            if key not in self._produced
        )
        return verdict

    def _excuse(self, verdict: Verdict, lost: list[tuple[int, Identity]]) -> None:
        """Look for a notice of each lost event.  A hole of three frames excuses three."""
        left = [(at, each) for at, each in lost if not any(_covers(notice, at, each) for notice in self._notices)]
        left.sort(key=lambda pair: pair[0])
        times = [at for at, _ in left]
        excused: set[int] = set()
        for start, end, count in self._holes:
            for index in range(bisect_left(times, start - SLACK), bisect_right(times, end + SLACK)):
                if count and index not in excused:
                    excused.add(index)
                    count -= 1
        verdict.holes = len(excused)
        verdict.unnoticed = len(left) - len(excused)

    def forget(self, until: int) -> None:
        """Drop what was produced or arrived until then, once it is judged."""
        gone = {key for key, pair in self._produced.items() if pair[0] <= until}
        self._produced = {key: pair for key, pair in self._produced.items() if key not in gone}
        self._repeated = {key: count for key, count in self._repeated.items() if key in self._produced}
        self._arrived = {
            key: arrival
            for key, arrival in self._arrived.items()
            if key not in gone and (key in self._produced or arrival.at > until)
        }
        self._holes = [hole for hole in self._holes if hole[1] > until]
        del self._notices[:-1000]


def _judge_arrival(verdict: Verdict, at: int, identity: Identity, arrival: _Arrival, said: int) -> None:
    verdict.once += arrival.copies <= said
    verdict.duplicated += max(0, arrival.copies - said)
    verdict.recovered += arrival.recovered
    verdict.disordered += arrival.disordered
    verdict.late += not arrival.recovered and arrival.at - at > LATE
    if arrival.recovered:
        verdict.altered += arrival.identity.contents != identity.contents
    else:
        verdict.altered += arrival.identity.whole != identity.whole


def _covers(notice: tuple[str, int, int], at: int, identity: Identity) -> bool:
    unit, start, end = notice
    if unit == "ms":
        return start - SLACK <= at <= end + SLACK
    return start <= identity.last <= end
