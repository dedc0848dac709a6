"""One hole on its way to being filled: what is to be asked for, what came, and what may go out now.

While the hole keeps newer messages waiting, what came goes out in the order of its ids.  Once it was `let_go` what had
not come is announced as late, and goes out as it comes.  Pure; times are monotonic seconds.
"""

import heapq
from collections import deque

import msgspec

from workers.ingest.pages import PAGE, Answer
from workers.ingest.track import Missing

# Reasons of notices.
ON_ITS_WAY = "late"  # it is still being fetched
LOST = "cannot be fetched"
AGAIN_FIRST, AGAIN_MOST = 0.3, 10.0  # seconds before REST, which lags the stream by a moment, is asked again


class Told(msgspec.Struct, frozen=True):
    """A part of the hole that a notice tells of, and its reason."""

    missing: Missing
    reason: str


Piece = bytes | Told
"""What goes out in the place of what is missing: a payload, or a notice."""


class _Page(msgspec.Struct):
    """A part that one request may bring."""

    missing: Missing
    not_before: float = 0.0
    tries: int = 0


class Hole:
    """Ask for what `next_page` says until nothing is left or patience ends; publish what `in_order` and `late` give."""

    def __init__(self, missing: Missing, pages: list[Missing], now: float, wait: float = 0.0) -> None:
        """`pages` are in order and end where the hole ends; what lies before the first one is given up at once.

        Nothing is to be asked for before so many seconds are over.
        """
        self.missing = missing
        self.since = now
        self.was_let_go = False
        self._pages = [_Page(page, now + wait) for page in pages]
        self._asked: dict[Missing, _Page] = {}
        self._ordered: list[tuple[int, list[Piece]]] = []  # a heap, by where the pieces begin
        self._late: deque[list[Piece]] = deque()
        begin = pages[0].first if pages else missing.last + 1
        if begin > missing.first:
            self._add(missing.first, [Told(Missing(missing.first, begin - 1, missing.unit), LOST)])

    @property
    def in_flight(self) -> int:
        """How many pages are asked for now."""
        return len(self._asked)

    @property
    def is_settled(self) -> bool:
        """Whether it is known of every part what becomes of it."""
        return not self._pages and not self._asked

    @property
    def is_done(self) -> bool:
        """Whether everything went out as well."""
        return self.is_settled and not self._ordered and not self._late

    def next_page(self, now: float) -> Missing | None:
        """The first page that may be asked for now; until it is `answered` or `failed` it is in flight."""
        for index, page in enumerate(self._pages):
            if page.not_before <= now:
                del self._pages[index]
                self._asked[page.missing] = page
                return page.missing
        return None

    def answered(self, page: Missing, answer: Answer, now: float) -> None:
        """Take an answer to a page into account."""
        asked = self._asked.pop(page, None)
        if asked is None:
            return  # it was given up meanwhile
        absent = [(part.first, Told(part, LOST)) for part in answer.absent]
        pieces: list[tuple[int, Piece]] = [*answer.come, *absent]
        if absent:
            pieces.sort(key=lambda piece: piece[0])
        if pieces:
            self._add(pieces[0][0], [piece for _, piece in pieces])
        if answer.rest is not None:
            tries = 0 if pieces else asked.tries
            pause = 0.0 if len(pieces) >= PAGE else min(AGAIN_FIRST * 2**tries, AGAIN_MOST)
            self._put_back(_Page(answer.rest, now + pause, tries + 1))

    def failed(self, page: Missing) -> None:
        """The page could not be asked for now."""
        asked = self._asked.pop(page, None)
        if asked is not None:
            self._put_back(asked)

    def refused(self, page: Missing) -> None:
        """REST does not give this page, now or later."""
        if self._asked.pop(page, None) is not None:
            self._add(page.first, [Told(page, LOST)])

    def let_go(self) -> None:
        """Keep nothing waiting any more: what has not come is announced, and comes late."""
        if self.was_let_go:
            return
        for part in _joined([page.missing for page in (*self._pages, *self._asked.values())]):
            self._add(part.first, [Told(part, ON_ITS_WAY)])
        self.was_let_go = True

    def give_up(self) -> None:
        """Ask for nothing more: what has not come is lost."""
        parts = _joined([page.missing for page in (*self._pages, *self._asked.values())])
        self._pages.clear()
        self._asked.clear()
        for part in parts:
            self._add(part.first, [Told(part, LOST)])

    def in_order(self) -> list[Piece]:
        """The next pieces, at most a page of them, that belong before what was held; empty when there are none now."""
        open_ = [page.missing.first for page in (*self._pages, *self._asked.values())]
        if not self._ordered or (not self.was_let_go and open_ and self._ordered[0][0] > min(open_)):
            return []
        return heapq.heappop(self._ordered)[1]

    def late(self) -> list[Piece]:
        """The next pieces, at most a page of them, that came after the hole was let go."""
        return self._late.popleft() if self._late else []

    @property
    def blocks(self) -> bool:
        """Whether what was held behind it has to wait on."""
        return bool(self._ordered) or not (self.was_let_go or self.is_settled)

    def _add(self, first: int, pieces: list[Piece]) -> None:
        if self.was_let_go:
            self._late.append(pieces)
        else:
            heapq.heappush(self._ordered, (first, pieces))

    def _put_back(self, page: _Page) -> None:
        self._pages.append(page)
        self._pages.sort(key=lambda each: each.missing.first)


def _joined(parts: list[Missing]) -> list[Missing]:
    """Parts in order, neighbours made one."""
    joined: list[Missing] = []
    for part in sorted(parts, key=lambda each: each.first):
        if joined and joined[-1].last + 1 == part.first:
            part = Missing(joined.pop().first, part.last, part.unit)
        joined.append(part)
    return joined
