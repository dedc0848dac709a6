"""What REST shows of a symbol's trades, as a witness for streams that have none: a bot may read a single stream.

Whoever trades leaves a trail of ids.  A symbol is asked about once, and again a few seconds later: the trades between
the two happened while the stream said nothing.  No clock of the exchange is needed for that.  Where there were some, it
is asked again when enough of them may have come; a symbol that turns out to be quiet is asked about more and more
rarely.

Pure; times are monotonic seconds.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from fsnats.binance.streams import Market
from fsnats.window import SlidingWindow
from workers.ingest.pages import Fill

MINUTE = 12  # questions of one worker in a minute: of spot's weight 14 workers' take a tenth, until symbols are known
PAIR = 5.0  # seconds between the first two questions about a symbol
AGAIN, AGAIN_MOST = 30.0, 1800.0  # seconds until the next one about a quiet symbol: doubled each time
_ENOUGH = (5, 8)  # moments that prove something, of one or the other type of stream; see `cadence`
ROWS = 100  # of one answer; more cost the same, and nothing would follow from them
_KEPT = 16  # answers that a trail remembers
# By the answers there were, which symbol is asked about first: a second answer tells most, a third one least.
_RANKS = (1, 0, 2)


class _Row(msgspec.Struct):
    """A trade of either method."""

    a: int = -1
    T: int = 0
    id: int = -1
    time: int = 0


_row = msgspec.json.Decoder(_Row).decode


def question(market: Market, symbol: str) -> Fill:
    """The cheapest request for a symbol's newest trades: 4 of spot's weight, 5 of futures'."""
    return Fill("aggTrades" if market is Market.SPOT else "trades", {"symbol": symbol, "limit": ROWS})


class Trail:
    """One symbol's trades, as far as they were seen."""

    def __init__(self) -> None:
        self.newest: int | None = None
        self._moments = 0  # in which there was a trade, of those seen since the first answer
        self._seen: deque[tuple[float, int]] = deque(maxlen=_KEPT)  # when it was asked, and the moments up to then

    @property
    def answers(self) -> int:
        """How many there were; two stands for more."""
        return min(len(self._seen), 2)

    def saw(self, rows: Sequence[msgspec.Raw], asked: float) -> None:
        """An answer to what was asked then.  Raises msgspec.DecodeError for rows of another shape."""
        trades = [_row(row) for row in rows]
        numbers = {max(each.a, each.id): each.T or each.time for each in trades}
        if self.newest is not None:
            self._moments += len({at for number, at in numbers.items() if number > self.newest})
        self.newest = max([self.newest or 0, *numbers])
        self._seen.append((asked, self._moments))

    def moments(self, since: float) -> int:
        """In how many moments there was a trade, at least, from `since` until the newest answer."""
        return next((self._moments - before for asked, before in self._seen if asked >= since), 0)

    def until_enough(self) -> float | None:
        """Seconds from the newest answer until trades may prove something; None where they do, or there are none."""
        (first, _), (last, moments) = self._seen[0], self._seen[-1]
        enough = next((each for each in _ENOUGH if each > moments), None)
        return (enough - moments) * (last - first) / moments if enough is not None and moments else None


class _Asked(msgspec.Struct, eq=False):
    trail: Trail
    next_at: float
    pause: float = AGAIN


class Trails:
    """Which symbol to ask about next, and what was found out."""

    def __init__(self) -> None:
        self._symbols: dict[str, _Asked] = {}
        self._pace = SlidingWindow(MINUTE, 60.0)
        self._next_at = 0.0

    def due(self, wondering: Mapping[str, float], now: float) -> str | None:
        """The symbol to ask about now, if any; `wondering` are the symbols that need it, and since when."""
        for symbol in self._symbols.keys() - wondering.keys():
            del self._symbols[symbol]
        for symbol in wondering.keys() - self._symbols.keys():
            self._symbols[symbol] = _Asked(Trail(), now)
        if now < self._next_at:
            return None
        waiting = [(_RANKS[each.trail.answers], each.next_at, symbol) for symbol, each in self._symbols.items()]
        symbol = min((each for each in waiting if each[1] <= now), default=(0, 0.0, ""))[2]
        if not symbol or self._pace.delay(now) > 0:
            return None
        self._pace.reserve(now)
        self._symbols[symbol].next_at = now + PAIR
        return symbol

    def answered(self, symbol: str, rows: Sequence[msgspec.Raw], asked: float) -> None:
        """Take an answer to what was asked then.  Raises msgspec.DecodeError for rows of another shape."""
        known = self._symbols.get(symbol)
        if known is None:
            return
        known.trail.saw(rows, asked)
        if known.trail.answers == 1:
            return
        pause = known.trail.until_enough()
        if pause is None:
            pause, known.pause = known.pause, min(2 * known.pause, AGAIN_MOST)
        known.next_at = asked + max(PAIR, pause)

    def not_now(self, symbol: str, until: float) -> None:
        """There was no answer: nothing is asked until then, and this is asked again."""
        self._next_at = max(self._next_at, until)
        if symbol in self._symbols:
            self._symbols[symbol].next_at = until

    def moments(self, symbol: str, since: float) -> int:
        """In how many moments a symbol was traded, at least, since then; 0 where nothing is known."""
        asked = self._symbols.get(symbol)
        return asked.trail.moments(since) if asked is not None else 0
