"""One stream in one form: everybody who listens to it gets the same finished frames."""

from collections.abc import Callable
from typing import Protocol

from fsnats.binance.streams import Stream
from fsnats.frames import Frame
from gateway.effects import Form, OnSlow, Shape
from gateway.fanout.pacing import Pace


class Lane:
    """A stream in a form, and who listens.

    `pace` is there where not every message goes at once; then `newcomers` are those who have had none yet.
    """

    __slots__ = (
        "deflated",
        "form",
        "is_shaped",
        "listeners",
        "marks",
        "newcomers",
        "pace",
        "prefix",
        "stream",
        "suffix",
        "tells",
    )

    def __init__(self, stream: Stream, form: Form) -> None:
        self.stream = stream
        self.form = form
        self.prefix = form.prefix
        self.suffix = form.suffix
        self.deflated = form.deflated
        self.is_shaped = form.shape is not Shape.PAYLOAD
        self.marks = form.delivery.marks
        # Whether a client can be told, and wants to be, what it has missed.
        self.tells = bool(form.gap) and form.delivery.on_slow is OnSlow.GAP
        # A dict for its order and its constant-time removal; the values mean nothing.
        self.listeners: dict[Listener, None] = {}
        self.newcomers: dict[Listener, None] = {}
        rate = form.delivery.max_rate
        self.pace: Pace[Frame] | None = None if rate is None else Pace(rate)


class Listener(Protocol):
    """Whoever frames are handed to, by appending them to `frames`.

    At the end of the turn they are joined and given to `send`, which says how much of them went and raises OSError as
    a socket does; what did not go is for `keep`.  While `waiting` is not None they stay where they are, for the
    listener to do something else with them.
    """

    frames: list[bytes]
    send: Callable[[bytes], int]

    def keep(self, rest: bytes) -> None: ...

    @property
    def waiting(self) -> object: ...

    def forget(self, lane: Lane) -> None:
        """It does not listen to this lane any more."""
