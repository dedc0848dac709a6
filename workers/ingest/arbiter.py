"""Which of the connections that carry the same streams speaks for each of them, so that nothing is lost or repeated.

Several are open at a time: for redundancy, or because one takes another's place.  The first one that brings a message
wins, and the stream's tracker passes over the other copies.  That is safe with connections that have *joined* the
stream: what they bring goes on, without a break, from something that was published.  Each goes through all messages in
order, so those that have joined leave no hole, whichever runs ahead and whichever is lost.

What another one brings is held until it is certain that nothing lies between, and it joins:

- when it brings what was published already, or exactly what comes next;
- when one that has joined has caught up with the first message that is held;
- when it has brought nothing, but was acknowledged so long ago (SETTLE) that nobody can be further behind.

It also joins when nobody else has, or when the others have not caught up within GRACE.  Then something may be missing:
the stream *resumes*, and the router looks for what can be done about that.

Decides; strands own the connections.
"""

from collections.abc import Sequence

import msgspec

from fsnats.errors import UNREADABLE
from workers.ingest.lateness import Tally, Timing
from workers.ingest.line import Line
from workers.ingest.router import Router
from workers.ingest.subscriptions import Subscriptions
from workers.ingest.track import tracker_of

SETTLE = 2.0  # seconds by which one connection may be behind another
GRACE = 3.0  # seconds that a message is held for the others to catch up
HELD_MOST = 5000  # messages of one stream and one connection: GRACE of the busiest stream, several times over


class _Pending(msgspec.Struct, eq=False):
    """A stream that a connection has not joined, and what it brought of it."""

    since: float
    held: list[tuple[bytes, int]]


class Member:
    """One open connection."""

    def __init__(self, tally: Tally, subscriptions: Subscriptions) -> None:
        self.tally = tally
        self._subscriptions = subscriptions
        self.joined: set[Line] = set()  # while there are others
        self.pending: dict[Line, _Pending] = {}
        self.is_gone = False

    def is_live(self, line: Line) -> bool:
        """Whether it has brought something of a stream."""
        return line.stream.name in self._subscriptions.live

    def is_steady(self, line: Line, now: float) -> bool:
        """Whether it has had a stream for so long that nobody can be further behind."""
        return now - self._subscriptions.acknowledged.get(line.stream.name, now) > SETTLE

    @property
    def held(self) -> int:
        """How many messages wait here."""
        return sum(len(pending.held) for pending in self.pending.values())


class Arbiter:
    """The open connections of one feed.  `now` is monotonic seconds."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._lines: Sequence[Line] = ()
        self._members: list[Member] = []
        self._waiting: set[Line] = set()  # those of which somebody holds messages
        self._timing = Timing()
        self.alone: Member | None = None  # where only one is open, the router may have its messages directly

    def carry(self, lines: Sequence[Line]) -> None:
        """These streams are carried from now on."""
        self._lines = lines
        kept = set(lines)
        for member in self._members:
            member.joined &= kept
            member.pending = {line: pending for line, pending in member.pending.items() if line in kept}
        self._waiting &= kept
        self._timing.keep(kept)

    def enter(self, member: Member, now: float) -> None:
        """A connection is open."""
        if self.alone is not None:
            for line in self._lines:
                line.overlap()
                if not line.resuming and (self.alone.is_live(line) or self.alone.is_steady(line, now)):
                    self.alone.joined.add(line)
        self._members.append(member)
        self.alone = member if len(self._members) == 1 else None

    def leave(self, member: Member, now: float) -> None:
        """A connection is closed, or was lost: the others go on."""
        if member.is_gone:
            return
        member.is_gone = True
        self._members.remove(member)
        member.joined.clear()
        member.pending.clear()
        for line in self._lines:
            self._appoint(line, now)
        if len(self._members) == 1:
            self.alone = alone = self._members[0]
            alone.joined.clear()
            self._waiting.clear()
            self._timing.keep(())
            for line in self._lines:
                line.briefly = True  # it may be behind, and still bring what the other one has brought
        else:
            self.alone = None

    def begun(self, member: Member, lines: Sequence[Line], now: float) -> None:
        """A connection begins with these streams, perhaps again: something may be missing before what it brings."""
        for line in lines:
            if member.is_live(line):
                continue  # it was asked for once more, but never stopped
            member.joined.discard(line)
            member.pending.pop(line, None)
            if member is self.alone:
                line.resuming = True
            else:
                self._appoint(line, now)

    def receive(self, member: Member, line: Line, payload: bytes, received_ns: int, now: float) -> None:
        """A message of one of several connections."""
        if line in member.joined:
            self._accept(member, line, payload, received_ns)
            if self._waiting and line in self._waiting:
                self._catch_up(line)
        elif line in member.pending:
            pending = member.pending[line]
            pending.held.append((payload, received_ns))
            if len(pending.held) > HELD_MOST:
                self._insist(member, line)
        elif not member.is_gone:
            self._introduce(member, line, payload, received_ns, now)

    def look(self, now: float) -> None:
        """See who has waited long enough.  To be called several times a second while more than one is open."""
        for member in self._members:
            for line in [line for line, pending in member.pending.items() if now - pending.since > GRACE]:
                self._insist(member, line)
            for line in self._lines if self.alone is None else ():
                if line not in member.joined and line not in member.pending and member.is_steady(line, now):
                    self._join(member, line)

    def has_joined(self, member: Member) -> bool:
        """Whether it speaks for every stream, so that the others may be closed."""
        return member is self.alone or all(line in member.joined for line in self._lines)

    def joined(self, member: Member, now: float) -> int:
        """Of how many streams a connection would go on without a break, were the others lost now."""
        if member is self.alone:
            return sum(member.is_live(line) or member.is_steady(line, now) for line in self._lines)
        return len(member.joined)

    def _introduce(self, member: Member, line: Line, payload: bytes, received_ns: int, now: float) -> None:
        """The first message of a stream over this connection."""
        line.overlap()
        try:
            goes_on = _has_come(line, payload) or line.follow().joins(payload)
        except UNREADABLE:
            self._router.accept(line, payload, received_ns)  # it passes, and is counted, but proves nothing
            return
        if goes_on or not any(line in other.joined for other in self._members):
            self._join(member, line)
            self._accept(member, line, payload, received_ns)
            self._catch_up(line)
            return
        member.pending[line] = _Pending(now, [(payload, received_ns)])
        self._waiting.add(line)

    def _accept(self, member: Member, line: Line, payload: bytes, received_ns: int) -> None:
        if self._router.accept(line, payload, received_ns):
            self._timing.first(line, payload, received_ns, member.tally)
        else:
            self._timing.again(line, payload, received_ns, member.tally)

    def _join(self, member: Member, line: Line) -> None:
        line.overlap()
        member.joined.add(line)
        pending = member.pending.pop(line, None)
        if pending is not None:
            for payload, received_ns in pending.held:
                self._accept(member, line, payload, received_ns)

    def _insist(self, member: Member, line: Line) -> None:
        """Let one speak although something may be missing before what it brings."""
        line.resuming = True
        self._join(member, line)
        self._catch_up(line)

    def _catch_up(self, line: Line) -> None:
        """Something was published: perhaps what somebody held messages for."""
        waiting = [member for member in self._members if line in member.pending]
        ready = [member for member in waiting if _has_come(line, member.pending[line].held[0][0])]
        for member in ready:
            self._join(member, line)
        if ready:
            self._catch_up(line)
        elif not waiting:
            self._waiting.discard(line)

    def _appoint(self, line: Line, now: float) -> None:
        """See to it that somebody speaks for a stream, or that whoever does next resumes it."""
        silent = [member for member in self._members if line not in member.pending]
        if any(line in member.joined or member.is_steady(line, now) for member in silent):
            return
        waiting = [member for member in self._members if line in member.pending]
        if waiting:
            self._insist(_furthest_back(line, waiting), line)
        else:
            line.resuming = True


def _has_come(line: Line, payload: bytes) -> bool:
    return line.follow().has_seen(payload)


def _furthest_back(line: Line, members: Sequence[Member]) -> Member:
    """The one that holds the oldest message."""
    oldest, *others = members
    for member in others:
        tracker = tracker_of(line.stream)
        tracker.see(oldest.pending[line].held[0][0])
        if tracker.has_seen(member.pending[line].held[0][0]):
            oldest = member
    return oldest
