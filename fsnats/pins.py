"""Pinned streams: kept wanted by name of a session, whether or not somebody listens.

They lie in the JetStream key-value bucket `fsnats_pins`, one value a key, so that two gateways never undo each other:

    <session>.<the stream's subject behind "fsnats.">   a `Pin`
    <session>.connected                                 `true` or `false`; none: true

An empty value stands for none.
"""

import re

import msgspec

from fsnats.binance.streams import Market
from fsnats.catalogue import key_subject
from fsnats.errors import Unusable
from fsnats.subjects import subject_of

BUCKET = "fsnats_pins"
ALL = key_subject(BUCKET, ">")
PINS_MOST = 1000  # of one session

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Pin(msgspec.Struct, frozen=True, order=True):
    """A stream, and since when it is pinned, in milliseconds since 1970."""

    market: Market
    stream: str
    since_ms: int


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
    return key_subject(BUCKET, f"{session}.connected")


class Table:
    """All sessions' pins, put together from what lies in the bucket.  Pure."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def put(self, where: str, value: bytes) -> None:
        """Take one value in; an empty one takes it out."""
        if value:
            self._values[where] = value
        else:
            self._values.pop(where, None)

    def clear(self) -> None:
        """Forget everything: it is read again."""
        self._values.clear()

    @property
    def sessions(self) -> list[str]:
        """Those that have said anything, by name."""
        return sorted({where.removeprefix(ALL[:-1]).partition(".")[0] for where in self._values})

    def is_connected(self, session: str) -> bool:
        """Whether its pins are held."""
        return self._values.get(flag(session)) != b"false"

    def pins(self, session: str) -> list[Pin]:
        """Its pins, in order; what another version wrote is passed over."""
        prefix = key_subject(BUCKET, f"{session}.")
        found = []
        for where, value in self._values.items():
            if where.startswith(prefix) and where != flag(session):
                try:
                    found.append(msgspec.json.decode(value, type=Pin))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
        return sorted(found)

    def held(self) -> set[tuple[Market, str]]:
        """The streams that are wanted for all of them."""
        return {
            (pin.market, pin.stream)
            for session in self.sessions
            if self.is_connected(session)
            for pin in self.pins(session)
        }
