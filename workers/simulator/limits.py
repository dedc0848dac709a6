"""The limits that hold per connection and per IP, counted.  No I/O; `now` is in seconds of a monotonic clock."""

from fsnats.binance.limits import REQUESTS_PER_FIVE_MINUTES
from fsnats.binance.streams import Market
from fsnats.binance.weights import counted_apart
from fsnats.window import SlidingWindow
from workers.simulator.settings import Settings

_MINUTE = 60_000
_FIVE_MINUTES = 300.0  # seconds


class Dials:
    """How often an IP may dial one market's hosts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._windows: dict[tuple[str, Market], SlidingWindow] = {}

    def allows(self, ip: str, market: Market, now: float) -> bool:
        """Count one attempt; attempts that are refused do not count again."""
        key = (ip, market)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = SlidingWindow(self._settings.dials, self._settings.dials_span)
        return charge(window, now)


def charge(window: SlidingWindow, now: float) -> bool:
    """Count an event in a window if it still fits."""
    if window.free(now) == 0:
        return False
    window.reserve(now)
    return True


class Pulse:
    """The pings of one connection: when the next is due, and whether the last one was answered in time."""

    def __init__(self, interval: float, deadline: float, *, any_pong: bool, now: float) -> None:
        self._interval = interval
        self._deadline = deadline
        self._any_pong = any_pong  # futures: an unsolicited pong keeps alive as well
        self._next = now + interval
        self._unanswered: dict[bytes, float] = {}

    def due(self, now: float) -> bool:
        """Whether to ping now; the answer is yes once per interval."""
        if now < self._next:
            return False
        self._next = now + self._interval
        return True

    def pinged(self, payload: bytes, now: float) -> None:
        """A ping left."""
        self._unanswered.setdefault(payload, now)

    def ponged(self, payload: bytes) -> None:
        """A pong arrived; it answers the ping of the same payload and all before it."""
        if self._any_pong:
            self._unanswered.clear()
            return
        if payload in self._unanswered:
            for earlier in list(self._unanswered):
                del self._unanswered[earlier]
                if earlier == payload:
                    break

    def timed_out(self, now: float) -> bool:
        """Whether a ping has waited too long for its pong."""
        return any(now - sent > self._deadline for sent in self._unanswered.values())


class Verdict:
    """What the weight accounting says of one request: `status` 200, 429 or 418, `used` this minute, `retry` seconds."""

    __slots__ = ("retry", "status", "used")

    def __init__(self, status: int, used: int, retry: int = 0) -> None:
        self.status = status
        self.used = used
        self.retry = retry


class Counts:
    """Requests per IP that are counted one by one besides their weight, in any five minutes."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, Market, str], SlidingWindow] = {}

    def charge(self, ip: str, market: Market, method: str, now: int) -> int:
        """Count a request at `now` (milliseconds); returns 0, or in how many seconds there is room for it."""
        name = counted_apart(market, method)
        if not name:
            return 0
        window = self._windows.setdefault(
            (ip, market, name), SlidingWindow(REQUESTS_PER_FIVE_MINUTES[name], _FIVE_MINUTES)
        )
        return 0 if charge(window, now / 1000) else int(window.delay(now / 1000)) + 1


class Weights:
    """REST weight per IP and clock minute; the futures markets share one pool."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._used: dict[tuple[str, str], tuple[int, int]] = {}  # (ip, pool) -> minute, weight
        self._ignored: dict[tuple[str, str], int] = {}
        self._banned: dict[tuple[str, str], int] = {}  # until, in milliseconds

    def charge(self, ip: str, market: Market, weight: int, now: int) -> Verdict:
        """Count a request at `now` (milliseconds since 1970)."""
        key = (ip, "spot" if market is Market.SPOT else "futures")
        until = self._banned.get(key, 0)
        minute, used = self._used.get(key, (0, 0))
        if minute != now // _MINUTE:
            minute, used = now // _MINUTE, 0
            self._ignored[key] = 0
        if now < until:
            return Verdict(418, used, (until - now) // 1000 + 1)
        used += weight
        self._used[key] = (minute, used)
        if used <= self._settings.weight_of_a_minute(market):
            return Verdict(200, used)
        self._ignored[key] = self._ignored.get(key, 0) + 1
        if self._ignored[key] > self._settings.refusals_before_ban:
            self._banned[key] = now + int(self._settings.ban * 1000)
            return Verdict(418, used, int(self._settings.ban) + 1)
        return Verdict(429, used, 60 - now % _MINUTE // 1000)
