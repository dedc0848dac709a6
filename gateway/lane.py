"""One stream in one form: everybody who listens to it gets the same finished frames."""

from collections.abc import Callable
from typing import Protocol

from fsnats.binance.streams import Stream
from gateway.effects import Form, OnSlow

# What it means to a client that a frame never comes.  Plain numbers, since frames are told apart by the million.
REPLY = 0  # its own: the answer to a request, a ping
STATE = 1  # nothing is lost when a newer one of the lane is there
NOTICE = 2  # of a gap in a lane of states: the newest one says enough
EVENT = 3  # each counts
LEFT = 4  # no frame at all: the client left the lane here


class Lane:
    """A stream in a form, and who listens."""

    __slots__ = ("form", "gap", "listeners", "marks", "prefix", "stream", "suffix", "tells")

    def __init__(self, stream: Stream, form: Form) -> None:
        self.stream = stream
        self.form = form
        self.prefix = form.prefix
        self.suffix = form.suffix
        self.gap = form.gap
        self.marks = form.delivery.marks
        # Whether a client can be told, and wants to be, what it has missed.
        self.tells = bool(form.gap) and form.delivery.on_slow is OnSlow.GAP
        # A dict for its order and its constant-time removal; the values mean nothing.
        self.listeners: dict[Listener, None] = {}


# Where a finished frame comes from: the frame itself (so that nothing else takes its id), its lane, when the worker
# received it, in nanoseconds, and one of the numbers above.
Origin = tuple[bytes, Lane | None, int, int]
Origins = dict[int, Origin]
"""Of this turn's frames, by their `id()`."""


class Listener(Protocol):
    """Whoever frames are handed to, by appending them to `frames`.

    At the end of the turn they are written, joined, with `write`; where `waiting` is not None, `hold` gets to sort
    them instead, after everybody else was written to.
    """

    frames: list[bytes]
    waiting: object
    write: Callable[[bytes], None]

    def hold(self, origins: Origins) -> None: ...

    def forget(self, lane: Lane) -> None: ...
