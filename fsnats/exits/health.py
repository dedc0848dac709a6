"""How an exit does: when it may be tried again, and how far to trust it.  Pure: time is an argument."""

import math

from fsnats.exits.verdicts import REACTIONS, Verdict

_LOST = 0.5  # a failure halves the trust
_WON = 0.5  # a success takes half of the doubt away, and so does time
_FORGETTING = 300.0  # seconds in which half of the doubt is forgotten
_PROBE = 20.0  # seconds in which a probe has either worked or failed
_ASK_AGAIN = 1.0  # seconds after which it is worth asking whether it has


class Health:
    """One exit, for one area."""

    def __init__(self) -> None:
        self.until = 0.0  # nobody tries before
        self.reason = ""
        self.verdict: Verdict | None = None
        self.is_probed = False  # somebody tries now, alone
        self._failures = 0
        self._doubt = 0.0
        self._judged = 0.0

    def score(self, now: float) -> float:
        """Trust, from 0 to 1."""
        return 1.0 - self._doubt * math.exp2((self._judged - now) / _FORGETTING)

    def wait(self, now: float) -> float:
        """Seconds until it may be tried, or until somebody who does so may have found out."""
        left = max(0.0, self.until - now)
        return min(left, _ASK_AGAIN) if self.is_probed else left

    def failed(self, verdict: Verdict, reason: str, now: float, asked: float | None = None) -> bool:
        """Count a failure; returns whether it is news.

        Many workers fail of one cause: what comes in while nobody should try any more does not double the delay.
        """
        reaction = REACTIONS[verdict]
        delay = reaction.first * 2.0 ** min(self._failures if verdict is self.verdict else 0, 16)
        until = now + min(delay, reaction.most)
        if reaction.asked and asked is not None:
            until = now + asked
        if self.wait(now) > 0 and not self.is_probed:
            if verdict is self.verdict:
                if reaction.asked and asked is not None:
                    self.until = max(self.until, until)
                return False
            if until < self.until:
                return False
        self._failures = self._failures + 1 if verdict is self.verdict else 1
        self._doubt, self._judged = 1.0 - self.score(now) * _LOST, now
        self.until, self.reason, self.verdict = until, reason, verdict
        self.is_probed = False
        return True

    def worked(self, now: float) -> None:
        """It carries data again."""
        self._doubt, self._judged = (1.0 - self.score(now)) * _WON, now
        self._failures = 0
        self.verdict, self.reason, self.until, self.is_probed = None, "", 0.0, False

    def tried(self, now: float) -> None:
        """Somebody tries.  After a failure that time alone does not heal, nobody else does meanwhile."""
        if self.verdict is not None and REACTIONS[self.verdict].probe:
            self.until = now + _PROBE
            self.is_probed = True
