"""Where a stream stands: which of its messages is the next one, which came already, and what is missing between two.

Trade and aggTrade ids, book ids and event times are all that Binance gives for it:

    aggTrade    `a`, consecutive per symbol
    trade       `t`; consecutive on spot, on futures only growing (some fills are not published)
    depth       spot: `U` is the previous `u` + 1; futures: `pu` is the previous `u`
    others      `u`, `lastUpdateId` or the event time `E`; messages of one instant are told apart by their bytes
                (candles as well: the last word on a bar may come after the first one on the next)

Pure: a tracker sees payloads and says what they are.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

import msgspec

from fsnats.binance.streams import Market, Stream


class Missing(msgspec.Struct, frozen=True):
    """A hole: the first and last id that did not come, and which id that is (`a`, `t`, `u` or `ms` for times)."""

    first: int
    last: int
    unit: str


class Seen(Enum):
    """What a payload is to its stream."""

    NEXT = "next"  # it follows what came before
    OLD = "old"  # it came already, or something newer did


# Looked up with every message: as names of their own they cost a fifth.
NEXT, OLD = Seen.NEXT, Seen.OLD

Verdict = Seen | Missing
"""`Missing`: it is new, but something before it did not come."""


class Tracker(Protocol):
    """Follows one stream.  The first payload after `forget` or construction is always NEXT."""

    def see(self, payload: bytes) -> Verdict:
        """Take the next payload into account.  Raises msgspec.DecodeError for what is not of the stream's kind."""
        ...

    def has_seen(self, payload: bytes) -> bool:
        """Whether this payload, or a newer one, came already.  Raises msgspec.DecodeError."""
        ...

    def joins(self, payload: bytes) -> bool:
        """Whether ids prove that nothing lies between the newest payload and this one."""
        ...

    def between(self, payload: bytes) -> Missing | None:
        """The ids or times strictly between the newest payload and this one, where there are any."""
        ...


BACK = 10_000  # milliseconds by which a time may be older than the newest one and still be that of a late copy
_RECENT = 64  # messages: several seconds of the fastest stream that only times order
_BEHIND = 8  # places where connections are that are further behind: there are no more of one stream


class _AggTrade(msgspec.Struct, gc=False):
    id: int = msgspec.field(name="a")


class _Trade(msgspec.Struct, gc=False):
    id: int = msgspec.field(name="t")


class _Diff(msgspec.Struct):
    U: int
    u: int
    pu: int | None = None


class _Clocked(msgspec.Struct):
    """Whatever orders the messages of the other kinds."""

    E: int | None = None
    u: int | None = None
    lastUpdateId: int | None = None  # spot's partial depth
    t: int | None = None  # referencePrice


_agg_trade = msgspec.json.Decoder(_AggTrade).decode
_trade = msgspec.json.Decoder(_Trade).decode
_diff = msgspec.json.Decoder(_Diff).decode
_clocked = msgspec.json.Decoder(_Clocked).decode
_clocked_rows = msgspec.json.Decoder(list[_Clocked]).decode


class Trades:
    """aggTrade and trade: one id a message."""

    def __init__(self, unit: str, consecutive: bool) -> None:
        self._unit = unit
        self._consecutive = consecutive
        self._decode: Callable[[bytes], _AggTrade | _Trade] = _agg_trade if unit == "a" else _trade
        self.last: int | None = None

    def has_seen(self, payload: bytes) -> bool:
        return self.last is not None and self._decode(payload).id <= self.last

    def joins(self, payload: bytes) -> bool:
        return self.last is not None and self._decode(payload).id == self.last + 1

    def between(self, payload: bytes) -> Missing | None:
        return _between(self.last, self._decode(payload).id, self._unit)

    def see(self, payload: bytes) -> Verdict:
        number, last = self._decode(payload).id, self.last
        if last is None or number == last + 1:
            self.last = number
            return NEXT
        if number <= last:
            return OLD
        self.last = number
        return Missing(last + 1, number - 1, self._unit) if self._consecutive else NEXT


class Diffs:
    """Diff depth: each message spans ids, and names the one before."""

    def __init__(self, futures: bool) -> None:
        self._futures = futures
        self.last: int | None = None

    def has_seen(self, payload: bytes) -> bool:
        return self.last is not None and _diff(payload).u <= self.last

    def joins(self, payload: bytes) -> bool:
        return self.last is not None and self._follows(_diff(payload), self.last)

    def between(self, payload: bytes) -> Missing | None:
        return _between(self.last, _diff(payload).U, "u")

    def _follows(self, diff: _Diff, last: int) -> bool:
        return diff.pu == last if self._futures else last + 1 >= diff.U

    def see(self, payload: bytes) -> Verdict:
        diff, last = _diff(payload), self.last
        if last is not None and diff.u <= last:
            return OLD
        self.last = diff.u
        if last is None or self._follows(diff, last):
            return NEXT
        end = (diff.pu or diff.U) if self._futures else diff.U - 1
        return Missing(last + 1, max(end, last + 1), "u")  # a `pu` of before `last` breaks the sequence as well


class Clocked:
    """Streams that only a time or a growing id orders: nothing tells what is missing.

    Times may be put back.  What is older than the newest one by more than BACK is new, unless its bytes came lately, or
    it goes on from where a connection was that is so far behind.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self._recent: dict[int, int] = {}  # hashes of the newest ones, cheaper to look for than an id is to read
        self._copied = 0  # where the newest copy was
        self._behind: list[int] = []  # where connections are, or may be, that are further behind than BACK

    def has_seen(self, payload: bytes) -> bool:
        return self.last is not None and _instant(payload)[0] <= self.last

    def joins(self, payload: bytes) -> bool:
        return False  # a time says nothing about what lies before it

    def between(self, payload: bytes) -> Missing | None:
        instant, is_time = _instant(payload)
        return _between(self.last, instant, "ms" if is_time else "u")

    def see(self, payload: bytes) -> Verdict:
        key = hash(payload)
        if (copied := self._recent.get(key)) is not None:
            self._copied = copied
            return OLD
        (instant, is_time), last = _instant(payload), self.last
        if last is not None and instant < last:
            if not is_time or instant >= last - BACK:
                self._copied = instant
                return OLD
            if self._is_behind(instant):
                return OLD
        elif last is None:
            self._copied = instant  # from here others begin
        elif instant > last + BACK:
            self._note(last)  # who brought that may be there still
        self.last = instant
        self._recent[key] = instant
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        return NEXT

    def _is_behind(self, instant: int) -> bool:
        """Whether a connection that is far behind goes on with this; if not, one may do so from here."""
        came = next((one for one in (self._copied, *self._behind) if 0 <= instant - one <= BACK), None)
        if came in self._behind:
            self._behind.remove(came)
        self._note(instant)
        return came is not None

    def _note(self, instant: int) -> None:
        self._behind = [*self._behind[1 - _BEHIND :], instant]


def _between(last: int | None, number: int, unit: str) -> Missing | None:
    return Missing(last + 1, number - 1, unit) if last is not None and number > last + 1 else None


def _instant(payload: bytes) -> tuple[int, bool]:
    """What orders a payload among its stream's, and whether that is a time."""
    if payload.startswith(b"["):
        rows = _clocked_rows(payload)
        if not rows:
            raise msgspec.ValidationError("an array without rows says no time")
        row = rows[0]
    else:
        row = _clocked(payload)
    for value in (row.u, row.lastUpdateId):
        if value is not None:
            return value, False
    for value in (row.E, row.t):
        if value is not None:
            return value, True
    raise msgspec.ValidationError("nothing says when this was")


def tracker_of(stream: Stream) -> Tracker:
    """The tracker that fits a stream."""
    spot = stream.market is Market.SPOT
    match stream.kind:
        case "aggTrade":
            return Trades("a", consecutive=True)
        case "trade":
            return Trades("t", consecutive=spot)
        case "depth" | "rpiDepth":
            return Diffs(not spot)
    return Clocked()


# Kinds whose sequence is looked at always: only they can tell that something is missing.
ALWAYS = frozenset({"aggTrade", "trade", "depth", "rpiDepth"})
