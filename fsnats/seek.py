"""Where in the replay window a stream's frames after a given one begin.  Pure.

The window numbers all frames of a market in one count (the position); a stream's own are found only by asking for the
first one at or after a position.  Frames lie in growing order of (epoch, seq), and recent ones are asked for most, so
the search gallops back from the newest frame and then closes in, guessing by the sequence.
"""

from typing import NamedTuple

from fsnats.frames import Key

NEAR = 32  # frames too many that are sooner read than avoided by another question
_FIRST_STEP = 256  # positions; a busy market makes as many in some tens of milliseconds
_STRIDE = 8


class Place(NamedTuple):
    """One frame of the stream: its position in the window and its key."""

    position: int
    key: Key


class Seek:
    """One search: ask for `probe()`, tell what was there by `found`, until there is nothing to ask.

    Then `start` is a position from which the stream's frames after `wanted` can be read, with few before them.
    """

    def __init__(self, wanted: Key, newest: Place) -> None:
        """`newest` is the stream's newest frame, and newer than `wanted`."""
        self._wanted = wanted
        self._low: Place | None = None  # the newest frame known to be at or before what is wanted
        self._high = newest  # the oldest one known to be after it
        self._edge = newest.position  # between here and `_high` no frame lies
        self._step = _FIRST_STEP
        self._halving = False

    @property
    def start(self) -> int:
        """The position to read from."""
        return self._edge if self._low is None else self._low.position + 1

    def probe(self) -> int | None:
        """The next position to look from; None when the search is over."""
        low, high = self._low, self._high
        if low is None:
            return max(1, self._edge - self._step) if self._edge > 1 else None
        if self._edge - low.position <= 1 or self._is_near(low.key):
            return None
        # A guess is off where the rate changes; halving every other time bounds how long it can be off.
        self._halving = not self._halving
        if self._halving and low.key[0] == high.key[0]:
            share = (self._wanted[1] - low.key[1]) / (high.key[1] - low.key[1])
            guess = low.position + int(share * (high.position - low.position))
        else:
            guess = (low.position + self._edge) // 2
        return min(max(guess, low.position + 1), self._edge - 1)

    def found(self, probed: int, place: Place) -> None:
        """The first frame at or after the position that was probed."""
        if place.key <= self._wanted:
            self._low = place
        else:
            self._high, self._edge = place, probed
            self._step *= _STRIDE

    def _is_near(self, low: Key) -> bool:
        return low[0] == self._wanted[0] and self._wanted[1] - low[1] <= NEAR
