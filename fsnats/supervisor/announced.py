"""What a futures market announced (`!contractInfo`) and its list does not show yet: when to look at the list.  Pure.

A burst of announcements causes one look.  The list may lag behind the announcement, so it is looked at again for a
while.  Times are seconds of one monotonic clock.
"""

import msgspec

from fsnats.symbols import TRADING, Listing

SETTLE = 0.5  # seconds that others of a burst have to come
PAUSE = 5.0  # seconds, at least, between two looks that announcements cause; a futures list weighs 1 of 2,400 a minute
PATIENCE = 60.0  # seconds after an announcement in which the list may come to show it
_MOST = 5000  # symbols remembered: more than all markets list


class Announcement(msgspec.Struct, frozen=True):
    """What we read of `!contractInfo`: brackets and dates change too, and do not concern us."""

    s: str
    cs: str


class Announced:
    """One market's announcements."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[str, float]] = {}  # symbol -> its status, and when that was announced
        self._looked = float("-inf")
        self.due: float | None = None  # when to look; None: nothing waits

    def hear(self, announcement: Announcement, listing: Listing | None, now: float) -> None:
        """Take one announcement; `listing` is what is known of the market."""
        symbol, status = announcement.s, announcement.cs
        if _shows(listing, symbol, status):
            self._waiting.pop(symbol, None)
        elif symbol in self._waiting or len(self._waiting) < _MOST:
            self._waiting[symbol] = (status, now)
            if self.due is None:
                self.due = max(now + SETTLE, self._looked + PAUSE)

    def missed(self, now: float) -> None:
        """Announcements were lost: look, whatever they said."""
        soon = max(now, self._looked + PAUSE)
        self.due = soon if self.due is None else min(self.due, soon)

    def looked(self, listing: Listing | None, now: float) -> list[str]:
        """The list was looked at; None: in vain.  Returns the symbols that are waited for no longer."""
        self._looked = now
        self._waiting = {
            symbol: (status, since)
            for symbol, (status, since) in self._waiting.items()
            if not _shows(listing, symbol, status)
        }
        late = [symbol for symbol, (_, since) in self._waiting.items() if now - since >= PATIENCE]
        for symbol in late:
            del self._waiting[symbol]
        self.due = now + PAUSE if self._waiting else None
        return late


def _shows(listing: Listing | None, symbol: str, status: str) -> bool:
    if listing is None:
        return False
    known = listing.by_name.get(symbol)
    # What is not listed does not trade: an end, or a beginning yet to come, is no news of it.
    return status != TRADING if known is None else known.status == status
