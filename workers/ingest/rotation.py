"""When a connection is replaced by a new one, while all is well.  Pure: times are arguments."""

from collections.abc import Sequence

import msgspec

SPREAD = 120.0  # seconds over which connections are replaced after the time of day that was chosen
_DAY = 24 * 3600.0
_EARLIER = 0.1  # of the age, at most


class Rotation(msgspec.Struct, frozen=True):
    """The rule: `after` an age in seconds, and `at` times of day, UTC, in seconds since midnight."""

    after: float
    at: tuple[float, ...] = ()

    def due(self, opened: float, jitter: float) -> float:
        """The age, in seconds, at which a connection that was opened then (seconds since 1970) is replaced.

        `jitter` from 0 to 1 keeps connections from being replaced together.
        """
        ages = [(moment - opened) % _DAY or _DAY for moment in self.at]
        return min([self.after * (1 - _EARLIER * jitter), *(age + SPREAD * jitter for age in ages)])


def rotation(after: float, at: Sequence[str]) -> Rotation:
    """The rule that settings describe: an age in seconds, and times such as 04:17."""
    return Rotation(after, tuple(int(text[:2]) * 3600.0 + int(text[3:5]) * 60.0 for text in at))
