"""How far a replay may run ahead of the gateways, so that nobody who reads at all loses anything.  Pure.

After every few messages the player asks the gateways how far they are (`fsnats.headway`).  It goes on while all of them
have answered all but the newest questions, and while none has a client that does not take what there is for it.
Whoever takes nothing at all is waited for once, and then no more.
"""

import msgspec

from fsnats.headway import Headway

AHEAD = 2  # questions that may be open
PATIENCE = 5.0  # seconds for a gateway that does not answer, or for slow clients who take nothing at all


class _Gateway(msgspec.Struct):
    heard: float
    answered: int
    headway: Headway
    moved: float  # when it had delivered more than before
    given_up: int = 0  # slow clients that nobody waits for


class Brake:
    """Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._asked = 0
        self._since = 0.0  # when the oldest question that is still open was asked
        self._gateways: dict[str, _Gateway] = {}

    def ask(self, now: float) -> int:
        """The number of the next question."""
        if self._asked == self._answered:
            self._since = now
        self._asked += 1
        return self._asked

    def answer(self, number: int, headway: Headway, now: float) -> None:
        """Take a gateway's answer to a question."""
        known = self._gateways.get(headway.gateway)
        if known is None:
            known = self._gateways[headway.gateway] = _Gateway(now, number, headway, now)
        # Whoever waits for nobody is waited for again as soon as there are fewer of them.
        known.given_up = min(known.given_up, headway.slow_clients)
        before = known.headway
        if headway.delivered != before.delivered or headway.slow_clients > before.slow_clients:
            known.moved = now
        known.answered = max(known.answered, number)
        known.heard, known.headway = now, headway

    def is_open(self, now: float, ahead: int = AHEAD) -> bool:
        """Whether more may be sent, with so many questions open."""
        self._forget(now)
        for gateway in self._gateways.values():
            if gateway.headway.slow_clients > gateway.given_up:
                if now - gateway.moved < PATIENCE:
                    return False
                gateway.given_up = gateway.headway.slow_clients
        return self._asked - self._answered < ahead

    @property
    def gateways(self) -> int:
        """How many gateways there are."""
        return len(self._gateways)

    @property
    def given_up(self) -> int:
        """How many clients nobody waits for: they do not read."""
        return sum(gateway.given_up for gateway in self._gateways.values())

    @property
    def _answered(self) -> int:
        return min((gateway.answered for gateway in self._gateways.values()), default=self._asked)

    def _forget(self, now: float) -> None:
        """Forget gateways that are gone."""
        for name, gateway in list(self._gateways.items()):
            if gateway.answered < self._asked and now - max(gateway.heard, self._since) > PATIENCE:
                del self._gateways[name]
