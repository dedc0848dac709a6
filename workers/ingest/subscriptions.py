"""What one feed has asked of the exchange, and what it must still ask.  Decides; the feed sends."""

import msgspec

from fsnats.binance import commands


class Request(msgspec.Struct, frozen=True):
    """A control message to send."""

    number: int
    text: bytes
    names: list[str]
    subscribes: bool


class Subscriptions:
    """The difference between what a connection carries and what it should carry, one request at a time.

    An acknowledgement proves nothing (Binance acknowledges rubbish): a stream is `live` at its first event.
    """

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._asked: set[str] = set()
        self._open: dict[int, Request] = {}
        self._number = 0
        self.live: set[str] = set()
        self.refused: dict[int, str] = {}

    def opened(self) -> None:
        """A new connection: nothing is asked on it yet.  Request numbers go on, so that late answers do not match."""
        self._asked.clear()
        self._open.clear()
        self.live.clear()

    def next_request(self) -> Request | None:
        """The next control message, or None when all is asked.  What is left goes before what is added, so that a
        connection never carries more than its layout says."""
        for names, subscribes in ((self._asked - self.wanted, False), (self.wanted - self._asked, True)):
            if not names:
                continue
            batch = next(commands.batches(sorted(names)))
            self._number += 1
            build = commands.subscribe if subscribes else commands.unsubscribe
            request = Request(self._number, build(batch, self._number), batch, subscribes)
            self._open[self._number] = request
            if subscribes:
                self._asked.update(batch)
            else:
                self._asked.difference_update(batch)
                self.live.difference_update(batch)
            return request
        return None

    def answered(self, number: object, failure: str | None) -> Request | None:
        """The exchange answered a request; returns it.  A refused SUBSCRIBE leaves its names unasked for good reason:
        they are not asked again on this connection, and stay not live."""
        request = self._open.pop(number, None) if isinstance(number, int) else None
        if request is not None and failure is not None:
            self.refused[request.number] = failure
        return request

    @property
    def silent(self) -> set[str]:
        """Asked, but no event yet."""
        return (self._asked & self.wanted) - self.live
