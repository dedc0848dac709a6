"""What happened lately in a fleet: each program keeps its newest events, and tells them on `subjects.EVENTS_REQUEST`.

`Journal` is one program's, `Chronicle` a reader's of all programs.  A reader names the last event that it has of each
program, so that it gets what is new and nothing twice, whoever it asks.  Pure.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from itertools import pairwise, starmap
from typing import NamedTuple

import msgspec

from fsnats.fleet.answers import sorted_out

KEPT = 200  # events of one program
BURST_NS = 1_000_000_000  # in which equal things are one event: a lost connection of a thousand streams, say
_STREAMS_NAMED = 3  # of one event
_PROGRAMS = 256  # whose events a reader keeps


class Kind(StrEnum):
    """What happened."""

    GAP = "gap"  # something of these streams is lost
    RECOVERED = "recovered"  # something that was missing was fetched and sent
    LOST = "lost"  # a connection, or it could not be opened
    CONNECTED = "connected"  # a connection is open
    ROTATED = "rotated"  # a connection took the place of one that still carried
    EXIT = "exit"  # a connection goes another way
    SILENT = "silent"  # streams say nothing although they should
    FLOWS = "flows"  # and speak again
    ENDED = "ended"  # a process
    READY = "ready"  # a program


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of a program's events, or several that were alike within a second.  Numbers grow."""

    number: int
    at: int  # milliseconds since 1970, when the first of them happened
    kind: Kind
    reason: str = ""
    connection: str = ""
    exit: str = ""
    child: str = ""  # the supervisor's: which program
    streams: list[str] = []  # the first ones
    count: int = 0  # of streams
    messages: int = 0


class EventsRequest(msgspec.Struct, frozen=True):
    """The last event that somebody has, by program: its epoch and number."""

    after: dict[str, tuple[int, int]] = {}


class Events(msgspec.Struct, frozen=True):
    """A program's answer.  Its numbers begin with 1 again in each epoch, which is when it started (milliseconds since
    1970); where some are left out, that many were too much to be kept."""

    program: str
    pid: int
    epoch: int
    market: str = ""
    events: list[Event] = []


class _Burst(msgspec.Struct):
    begun_ns: int
    kind: Kind
    reason: str
    connection: str
    exit: str
    child: str
    streams: dict[str, None] = {}
    messages: int = 0


class Journal:
    """One program's newest events."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """`now_ns` is the time, nanoseconds since 1970."""
        self._now_ns = now_ns
        self.epoch = now_ns() // 1_000_000
        self._bursts: dict[tuple[str, ...], _Burst] = {}  # the oldest first
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._number = 0

    def note(
        self,
        kind: Kind,
        *,
        stream: str = "",
        reason: str = "",
        connection: str = "",
        exit_name: str = "",
        child: str = "",
        messages: int = 0,
    ) -> None:
        """Something happened."""
        now_ns = self._now_ns()
        key = (kind, reason, connection, exit_name, child)
        burst = self._bursts.get(key)
        if burst is None or now_ns - burst.begun_ns >= BURST_NS:
            self._close(now_ns)
            if len(self._bursts) >= KEPT:
                self._end(next(iter(self._bursts)))
            burst = self._bursts[key] = _Burst(now_ns, kind, reason, connection, exit_name, child)
        if stream:
            burst.streams[stream] = None
        burst.messages += messages

    def since(self, epoch: int, number: int) -> list[Event]:
        """The events after this one.  One is told when nothing can be added to it any more."""
        self._close(self._now_ns())
        last = number if epoch == self.epoch else 0
        return [event for event in self._events if event.number > last]

    def answer(self, program: str, pid: int, question: bytes, market: str = "") -> bytes:
        """What is told to whoever asks.  Raises msgspec.DecodeError for what is no question."""
        after = _decode_question(question).after.get(program, (0, 0))
        return _encode(Events(program, pid, self.epoch, market, self.since(*after)))

    def _close(self, now_ns: int) -> None:
        for key in [key for key, burst in self._bursts.items() if not 0 <= now_ns - burst.begun_ns < BURST_NS]:
            self._end(key)

    def _end(self, key: tuple[str, ...]) -> None:
        burst = self._bursts.pop(key)
        self._number += 1
        self._events.append(
            Event(
                self._number,
                burst.begun_ns // 1_000_000,
                burst.kind,
                burst.reason,
                burst.connection,
                burst.exit,
                burst.child,
                list(burst.streams)[:_STREAMS_NAMED],
                len(burst.streams),
                burst.messages,
            )
        )


Place = tuple[int, int]
"""An event of a program: its epoch and number."""


class Told(msgspec.Struct, frozen=True):
    """An event, and whose it is."""

    program: str
    market: str
    place: Place
    event: Event

    @property
    def fields(self) -> dict[str, object]:
        """All in one object; `id` is unlike every other one's."""
        fields: dict[str, object] = {"id": f"{self.program}:{self.place[0]}:{self.place[1]}", "program": self.program}
        if self.market:
            fields["market"] = self.market
        event: dict[str, object] = msgspec.to_builtins(self.event)
        del event["number"]
        return fields | event


class News(NamedTuple):
    """What is new to somebody, the oldest first; how many more there were; and the place to go on from."""

    events: list[Told]
    missed: int
    after: str


class _Read(msgspec.Struct):
    place: Place = (0, 0)
    events: deque[Told] = msgspec.field(default_factory=lambda: deque(maxlen=KEPT))


class Chronicle:
    """All programs' newest events, as they come in."""

    def __init__(self) -> None:
        self._read: dict[str, _Read] = {}  # by program; who answered last is last

    @property
    def question(self) -> bytes:
        """What to ask next."""
        return _encode(EventsRequest({program: read.place for program, read in self._read.items()}))

    def take(self, answers: Iterable[bytes]) -> None:
        """Take what was answered."""
        for told in sorted_out(answers, _decode)[0]:
            read = self._read[told.program] = self._read.pop(told.program, _Read())
            for event in told.events:
                place = (told.epoch, event.number)
                if place > read.place:
                    read.place = place
                    read.events.append(Told(told.program, told.market, place, event))
        while len(self._read) > _PROGRAMS:
            del self._read[next(iter(self._read))]

    def since(self, after: str, most: int = KEPT) -> News:
        """What is new after a place that was told before, empty: the newest of all.  Raises ValueError."""
        places = places_of(after)
        found: list[Told] = []
        missed = 0
        for program, read in self._read.items():
            new = [told for told in read.events if told.place > places.get(program, (0, 0))]
            if program in places:
                missed += sum(starmap(_between, pairwise([places[program], *(told.place for told in new)])))
            found += new
            places[program] = max(places.get(program, (0, 0)), read.place)
        found.sort(key=lambda told: (told.event.at, told.program, told.place))
        if after:
            missed += max(0, len(found) - most)
        return News(found[-most:], missed, _text(places))


def _between(before: Place, after: Place) -> int:
    """How many events of a program lie between two of them, as far as is known."""
    return after[1] - 1 - (before[1] if before[0] == after[0] else 0)


def places_of(text: str) -> dict[str, Place]:
    """The places that `News.after` tells.  Raises ValueError."""
    places = {}
    for each in filter(None, text.split(",")):
        program, epoch, number = each.split(":")
        places[program] = int(epoch), int(number)
    return places


def _text(places: Mapping[str, Place]) -> str:
    return ",".join(f"{program}:{epoch}:{number}" for program, (epoch, number) in places.items())


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Events).decode
_decode_question = msgspec.json.Decoder(EventsRequest).decode
