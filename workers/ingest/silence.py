"""Which streams are silent that should not be, and which flow again.  Pure: told of a look every second.

A stream is named when it was acknowledged, or spoke, `max(10 s, 5 x its cadence)` ago, and nothing came since:

- a steady stream by what its type promises (see `cadence`), a longer pause that is usual for it replaces that
- a driven stream by its witnesses: what cannot happen without it happened in several of these seconds
- a driven stream of which nothing else tells by the trades of its symbol that REST shows (see `trail`)
- a driven stream that was heard often by its own past: five times its longest pause of the last half hour; where it
  has witnesses and these are as silent, the symbol has fallen quiet: ten times, and a minute
- all streams of a type that this worker carries, thirty or more, when none of them spoke for a minute

What is *not* named, so that somebody who sees a name may believe it:

- a driven stream of a symbol that is quiet: after ten minutes it is counted as unheard, which is no alarm
- a stream whose connection is not there: its time begins when it is acknowledged, or should have been
- a stream of a connection that brings nothing at all: the feed replaces that, and only if it stays so is it named
- a stream that, asked again a few seconds before, the exchange does not trade: halted, settling, delisted
- liquidations, listings and the like, ever

A named stream is named once, whatever happens to its connection, until it speaks.  If it speaks by itself, the pause
was usual for it, and that is learned; if a step of its probe helped, it was not.
"""

from collections.abc import Mapping, Set
from typing import NamedTuple, Protocol

import msgspec

from fsnats.binance.streams import Route, Stream
from fsnats.fleet.streams import KnownBy
from workers.ingest.cadence import LOOKS_KEPT, Pace, is_witness, rests_at_will, steady_pause, symbol_of, witnesses
from workers.ingest.probe import Probe, Step
from workers.ingest.trail import Trails

LOOK = 1.0  # seconds between two looks
_EARLY = 2 * LOOK  # by which things are named early: a look finds an event up to LOOK after it came, and may be late
SUSPECT = 3.0  # seconds of silence before anything is looked at closely
SOONEST = 10.0  # seconds of silence before anything is named
TIMES = 5  # cadences before anything is named
QUIET_TIMES, QUIET_SOONEST = 10, 60.0  # the same where all of the symbol has fallen quiet
UNHEARD = 600.0  # seconds after which a stream of which nothing is known counts as unheard
FEED = 10.0  # seconds more for a connection that brings nothing at all, to be replaced
OF_A_KIND, OF_A_KIND_QUIET = 30, 60.0  # so many streams of one type are never all quiet for so many seconds
DOUBT = 3.0  # seconds before its naming in which it is asked whether the symbol trades
_ASK_AGAIN = 60.0  # seconds
_LATELY, _SEVERAL = 30, 5  # looks


class Line(Protocol):
    """A stream as the router knows it."""

    @property
    def stream(self) -> Stream: ...

    @property
    def received_ns(self) -> int: ...


class Silence(msgspec.Struct, eq=False):
    """One stream that is silent.  Times are monotonic seconds."""

    stream: Stream
    since: float  # the last event, or the subscription
    named: float
    cadence: float | None
    reason: str
    probe: Probe


class Named(msgspec.Struct, frozen=True):
    """A stream is silent from now on.  `heard_ns` is its last event, since 1970, or 0."""

    silence: Silence
    heard_ns: int


class Flows(msgspec.Struct, frozen=True):
    """A stream that was named spoke; `helped` is the step that did it, as it seems."""

    silence: Silence
    seconds: float
    helped: Step | None


class Try(msgspec.Struct, frozen=True):
    """The next step for a silent stream."""

    stream: Stream
    step: Step


class Doubt(msgspec.Struct, frozen=True):
    """A stream is about to be named: does the exchange trade what it is about?"""

    stream: Stream


Outcome = Named | Flows | Try | Doubt


class _Watched(msgspec.Struct, eq=False):
    stream: Stream
    symbol: str
    at_will: bool
    steady: float | None
    pace: Pace
    newest: int
    spoke: float = 0.0  # the look that found it speaking last
    silence: Silence | None = None
    asked: float = 0.0  # when it was asked whether it trades
    trades: bool | None = None  # the answer; None: not known


class Habit(NamedTuple):
    """How one stream speaks.  Seconds."""

    expected: float | None  # its longest pause
    known_by: KnownBy
    spoke: int  # in how many of the last LOOKS_KEPT looks
    silence: Silence | None


class Watch:
    """All streams of one worker."""

    def __init__(self, trails: Trails) -> None:
        """`trails` is what REST shows of the symbols in `wondering`."""
        self._trails = trails
        self._watched: dict[str, _Watched] = {}
        self._by_symbol: dict[str, list[_Watched]] = {}
        self._kinds: dict[str, tuple[int, float]] = {}  # streams listened to, and when any spoke or was begun with
        self.unheard = 0
        self.wondering: dict[str, float] = {}  # symbols of silent streams of which nothing else tells, and since when

    @property
    def silent(self) -> list[Silence]:
        """The streams that are named, longest first."""
        found = [each.silence for each in self._watched.values() if each.silence is not None]
        return sorted(found, key=lambda silence: silence.since)

    def look(
        self, now: float, lines: Mapping[str, Line], listening: Mapping[str, float], mute: Set[str]
    ) -> list[Outcome]:
        """Look once, LOOK seconds after the last time; returns what follows from it.

        `listening` says from when on each stream should speak on a connection that is open; `mute` are the streams of
        connections that used to bring something and bring nothing now.
        """
        if lines.keys() != self._watched.keys():
            self._follow(lines)
        outcomes: list[Outcome] = []
        quiet: list[tuple[_Watched, float]] = []
        kinds: dict[str, tuple[int, float]] = {}
        self.unheard = 0
        self.wondering = {}
        for name, line in lines.items():
            watched = self._watched[name]
            newest = line.received_ns
            heard_from = listening.get(name)
            if newest and newest != watched.newest:
                watched.newest = newest
                self._spoke(watched, now, heard_from, outcomes)
                begun = now
            else:
                watched.pace.looked(False)
                if heard_from is None:
                    continue
                begun = max(watched.spoke, heard_from)
                if watched.silence is not None or (now - begun >= SUSPECT and not watched.at_will):
                    quiet.append((watched, begun))
            count, last = kinds.get(watched.stream.kind, (0, 0.0))
            kinds[watched.stream.kind] = count + 1, max(last, begun)
        self._kinds = kinds
        for watched, begun in quiet:
            if watched.silence is None:
                self._judge(watched, begun, now, watched.stream.name in mute, outcomes)
            if watched.silence is not None and (step := watched.silence.probe.due(now)) is not None:
                outcomes.append(Try(watched.stream, step))
        return outcomes

    def speaks(self, name: str) -> bool:
        """Whether a stream spoke several times in the last half minute."""
        watched = self._watched.get(name)
        return watched is not None and watched.pace.spoke_in(_LATELY) >= _SEVERAL

    def habit(self, name: str) -> Habit | None:
        """How a stream speaks; None before the first look at it."""
        watched = self._watched.get(name)
        if watched is None:
            return None
        expected, spoke = _cadence(watched), watched.pace.spoke_in(LOOKS_KEPT)
        if watched.at_will:
            return Habit(None, KnownBy.AT_WILL, spoke, watched.silence)
        known_by = KnownBy.TYPE if expected == watched.steady else KnownBy.PAST
        return Habit(expected, KnownBy.UNKNOWN if expected is None else known_by, spoke, watched.silence)

    def answered(self, name: str, trades: bool | None) -> None:
        """Whether the exchange trades what a stream is about; None when nobody could say."""
        watched = self._watched.get(name)
        if watched is not None:
            watched.trades = trades

    def _follow(self, lines: Mapping[str, Line]) -> None:
        for name in self._watched.keys() - lines.keys():
            del self._watched[name]
        for name in lines.keys() - self._watched.keys():
            stream, newest = lines[name].stream, lines[name].received_ns
            self._watched[name] = _Watched(
                stream, symbol_of(stream), rests_at_will(stream), steady_pause(stream), Pace(), newest
            )
        self._by_symbol = {}
        for watched in self._watched.values():
            if watched.symbol and is_witness(watched.stream):
                self._by_symbol.setdefault(watched.symbol, []).append(watched)

    def _spoke(self, watched: _Watched, now: float, heard_from: float | None, outcomes: list[Outcome]) -> None:
        silence, begun = watched.silence, max(watched.spoke, heard_from or 0.0)
        watched.pace.looked(True)
        watched.spoke, watched.asked, watched.trades = now, 0.0, None
        if silence is None:
            if heard_from is not None:
                watched.pace.paused(now - begun, now)
            return
        watched.silence = None
        helped = silence.probe.step if silence.probe.helped(now) else None
        if helped is None:
            watched.pace.paused(now - silence.since, now)
        outcomes.append(Flows(silence, now - silence.since, helped))

    def _judge(self, watched: _Watched, begun: float, now: float, mute: bool, outcomes: list[Outcome]) -> None:
        quiet = now - begun + _EARLY - (FEED if mute else 0.0)
        witness = self._witness(watched, begun, now - begun) if quiet >= SOONEST else None
        if witness is not None:
            # What happens there could not if the symbol did not trade.
            self._name(watched, begun, now, witness, outcomes)
            return
        limit, reason = self._limit(watched, now)
        if limit is None:
            self.unheard += now - begun > UNHEARD
            if watched.symbol and "aggTrade" in witnesses(watched.stream):
                self.wondering[watched.symbol] = max(begun, self.wondering.get(watched.symbol, 0.0))
            return
        if quiet >= limit - DOUBT and watched.asked < max(begun, now - _ASK_AGAIN):
            if watched.asked < begun:
                watched.trades = None
            watched.asked = now
            outcomes.append(Doubt(watched.stream))
        if quiet >= limit and watched.trades is not False:
            self._name(watched, begun, now, reason, outcomes)

    def _limit(self, watched: _Watched, now: float) -> tuple[float | None, str]:
        """The silence after which a stream is named without a witness, and why then."""
        cadence = _cadence(watched)
        if cadence is None:
            count, last = self._kinds[watched.stream.kind]
            crowd = count >= OF_A_KIND and now - last >= OF_A_KIND_QUIET
            return (OF_A_KIND_QUIET, "so is every stream of its type") if crowd else (None, "")
        if watched.steady is not None:
            soonest = QUIET_SOONEST if watched.stream.kind == "kline" else SOONEST
            return max(soonest, TIMES * cadence), "its type never rests"
        if self._has_witnesses(watched):
            return max(QUIET_SOONEST, QUIET_TIMES * cadence), "longer than usual"
        return max(SOONEST, TIMES * cadence), "longer than usual"

    def _witness(self, watched: _Watched, begun: float, quiet: float) -> str | None:
        """What shows that this stream should have spoken."""
        needed = witnesses(watched.stream)
        looks = min(int(quiet / LOOK), LOOKS_KEPT)
        for other in self._by_symbol.get(watched.symbol, ()) if needed else ():
            enough = needed.get(other.stream.kind)
            if enough is not None and other is not watched and other.pace.spoke_in(looks) >= enough:
                return f"{other.stream.name} speaks"
        enough = needed.get("aggTrade")
        if enough is not None and self._trails.moments(watched.symbol, begun) >= enough:
            return "its symbol is traded"
        return None

    def _has_witnesses(self, watched: _Watched) -> bool:
        needed = witnesses(watched.stream)
        others = self._by_symbol.get(watched.symbol, ())
        return any(other is not watched and other.stream.kind in needed for other in others)

    def _name(self, watched: _Watched, begun: float, now: float, reason: str, outcomes: list[Outcome]) -> None:
        cadence = _cadence(watched)
        probe = Probe(now, cadence, has_routes=watched.stream.route is not Route.NONE)
        watched.silence = Silence(watched.stream, begun, now, cadence, reason, probe)
        outcomes.append(Named(watched.silence, watched.newest))


def _cadence(watched: _Watched) -> float | None:
    usual, steady = watched.pace.usual, watched.steady
    if steady is None or usual is None:
        return steady if usual is None else usual
    if watched.stream.kind == "kline":
        return usual
    # One hiccup is not a habit: what replaces a promise is a pause that was named, and ended by itself.
    return usual if usual > max(SOONEST, TIMES * steady) else steady
