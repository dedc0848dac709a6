"""From one connection to its successor without losing or repeating a message.

For a while both carry the same streams.  Per stream the new one is listened to from the moment at which it is certain
that nothing lies between what was published and what it brings:

- when it brings what the old one has brought already, or exactly what comes next;
- when the old one has caught up with its first message, which is held until then;
- when the old one is gone, or has not caught up within GRACE.

From then on the first one that brings a message wins, and the tracker passes over the second: each connection goes
through all messages in order, so that neither can leave a hole before what it brings.

Decides; the feed owns the connections.
"""

from collections.abc import Iterable

import msgspec

from workers.ingest.router import UNREADABLE, Line, Router

GRACE = 3.0  # seconds that a message of the new connection waits for the old one to catch up
_HELD_MOST = 5000  # messages of one stream


class _Pending(msgspec.Struct, eq=False):
    """A stream on which the new connection is ahead."""

    since: float
    held: list[tuple[bytes, int]]


class Handover:
    """One handover.  `now` is monotonic seconds."""

    def __init__(self, router: Router, lines: Iterable[Line]) -> None:
        self._router = router
        self._lines = list(lines)
        self._pending: dict[Line, _Pending] = {}
        self._done: set[Line] = set()
        for line in self._lines:
            line.follow()

    @property
    def is_complete(self) -> bool:
        """Whether the new connection speaks for every stream."""
        return all(line in self._done for line in self._lines)

    def old(self, line: Line, payload: bytes, received_ns: int) -> None:
        """A message of the old connection."""
        self._router.accept(line, payload, received_ns)
        pending = self._pending.get(line)
        if pending is not None and _has_come(line, pending.held[0][0]):
            self._switch(line)

    def new(self, line: Line, payload: bytes, received_ns: int, now: float) -> None:
        """A message of the new connection."""
        if line in self._done:
            self._router.accept(line, payload, received_ns)
            return
        pending = self._pending.get(line)
        if pending is None:
            if _has_come(line, payload) or _joins(line, payload):
                self._done.add(line)
                self._router.accept(line, payload, received_ns)
                return
            pending = self._pending[line] = _Pending(now, [])
        pending.held.append((payload, received_ns))
        if len(pending.held) > _HELD_MOST:
            self._switch(line)

    def look(self, now: float) -> None:
        """Let the new connection speak where the old one does not catch up."""
        for line in [line for line, pending in self._pending.items() if now - pending.since > GRACE]:
            self._switch(line)

    def old_is_gone(self) -> None:
        """The old connection is closed: the new one speaks for every stream."""
        for line in {*self._lines, *self._pending}:
            self._switch(line)
            # The new one may lag, and still bring what the old one has brought.
            line.briefly = True

    def new_is_gone(self) -> None:
        """The new connection failed before the old one was closed: the old one, which is still whole, goes on."""
        self._pending.clear()
        for line in self._lines:
            line.unfollow()

    def _switch(self, line: Line) -> None:
        pending = self._pending.pop(line, None)
        self._done.add(line)
        if pending is not None:
            for payload, received_ns in pending.held:
                self._router.accept(line, payload, received_ns)


def _has_come(line: Line, payload: bytes) -> bool:
    try:
        return line.follow().has_seen(payload)
    except UNREADABLE:
        return True  # nothing to wait for: `accept` counts it


def _joins(line: Line, payload: bytes) -> bool:
    try:
        return line.follow().joins(payload)
    except UNREADABLE:
        return True
