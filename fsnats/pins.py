"""Pinned streams: kept wanted by name of a session, whether or not somebody listens.

They lie in the JetStream key-value bucket `fsnats_pins`, one value a key, so that two gateways never undo each other:

    <session>.<the stream's subject behind "fsnats.">   a `Pin`
    <session>.connected                                 `true` or `false`; none: true

An empty value stands for none.
"""

import re
from collections import Counter

import msgspec

from fsnats.binance.streams import Market
from fsnats.catalogue import key_subject
from fsnats.errors import UNREADABLE, Unusable
from fsnats.subjects import subject_of

BUCKET = "fsnats_pins"
ALL = key_subject(BUCKET, ">")
PINS_MOST = 1000  # of one session
VALUES_MOST = 10_000  # of all sessions: every gateway has all of them, and reads them again and again

_PREFIX = key_subject(BUCKET, "")
_FLAG = "connected"
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Pin(msgspec.Struct, frozen=True, order=True):
    """A stream, and since when it is pinned, in milliseconds since 1970."""

    market: Market
    stream: str
    since_ms: int


_decode = msgspec.json.Decoder(Pin).decode


def checked(session: str) -> str:
    """A session's name.  Raises Unusable for one that cannot be a part of a subject."""
    if not _SESSION.fullmatch(session):
        raise Unusable(f"session '{session[:80]}': 1 to 64 letters, digits, '_' and '-'")
    return session


def subject(session: str, market: Market, name: str) -> str:
    """Where a pin is put."""
    return key_subject(BUCKET, f"{session}.{subject_of(market, name).partition('.')[2]}")


def flag(session: str) -> str:
    """Where it is put whether a session is connected."""
    return key_subject(BUCKET, f"{session}.{_FLAG}")


class _Session:
    """What lies in the bucket of one session."""

    __slots__ = ("flag", "pins")

    def __init__(self) -> None:
        self.flag = b""
        self.pins: dict[str, Pin] = {}

    @property
    def is_connected(self) -> bool:
        return self.flag != b"false"


class Table:
    """All sessions' pins, put together from what lies in the bucket.  Pure."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._held: Counter[tuple[Market, str]] = Counter()  # by how many sessions

    def __len__(self) -> int:
        """How many values these are."""
        return sum(len(session.pins) + bool(session.flag) for session in self._sessions.values())

    def put(self, where: str, value: bytes) -> None:
        """Take one value in; an empty one takes it out, and what another version wrote is none."""
        name, _, rest = where.removeprefix(_PREFIX).partition(".")
        session = self._sessions.setdefault(name, _Session())
        if rest == _FLAG:
            before, session.flag = session.is_connected, value
            if session.is_connected != before:
                for pin in session.pins.values():
                    self._count(pin, 1 if session.is_connected else -1)
        else:
            self._change(session, rest, session.pins.pop(rest, None), _read(value) if value else None)
        if not session.flag and not session.pins:
            del self._sessions[name]

    def clear(self) -> None:
        """Forget everything: it is read again."""
        self._sessions.clear()
        self._held.clear()

    @property
    def sessions(self) -> list[str]:
        """Those that have said anything, by name."""
        return sorted(self._sessions)

    def is_connected(self, session: str) -> bool:
        """Whether its pins are held."""
        return session not in self._sessions or self._sessions[session].is_connected

    def pins(self, session: str) -> list[Pin]:
        """Its pins, in order."""
        return sorted(self._sessions[session].pins.values()) if session in self._sessions else []

    def held(self) -> set[tuple[Market, str]]:
        """The streams that are wanted for all of them."""
        return set(self._held)

    def _change(self, session: _Session, key: str, before: Pin | None, after: Pin | None) -> None:
        if after is not None:
            session.pins[key] = after
        for pin, more in ((before, -1), (after, 1)):
            if pin is not None and session.is_connected:
                self._count(pin, more)

    def _count(self, pin: Pin, more: int) -> None:
        stream = (pin.market, pin.stream)
        self._held[stream] += more
        if not self._held[stream]:
            del self._held[stream]


def _read(value: bytes) -> Pin | None:
    try:
        return _decode(value)
    except UNREADABLE:
        return None
