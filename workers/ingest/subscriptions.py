"""What one connection has asked of the exchange, and what it must still ask.  Decides; the carrier sends."""

import msgspec

from fsnats.binance import commands


class Request(msgspec.Struct, frozen=True):
    """A control message to send.  `asked` is when, in monotonic seconds."""

    number: int
    text: bytes
    names: list[str]
    subscribes: bool
    asked: float


class Subscriptions:
    """The difference between what a connection carries and what it should carry, one request at a time.

    An acknowledgement proves nothing (Binance acknowledges rubbish): a stream is `live` at its first event.
    """

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._asked: set[str] = set()
        self._open: dict[int, Request] = {}
        self._refused: list[tuple[float, Request]] = []  # and when
        self._number = 0
        self.live: set[str] = set()

    def opened(self) -> None:
        """A new connection: nothing is asked on it yet.  Request numbers go on, so that late answers do not match."""
        self._asked.clear()
        self._open.clear()
        self._refused.clear()
        self.live.clear()

    def next_request(self, now: float) -> Request | None:
        """The next control message, or None when all is asked.  What is left goes before what is added, so that a
        connection never carries more than its layout says."""
        for names, subscribes in ((self._asked - self.wanted, False), (self.wanted - self._asked, True)):
            if not names:
                continue
            batch = next(commands.batches(sorted(names)))
            self._number += 1
            build = commands.subscribe if subscribes else commands.unsubscribe
            request = Request(self._number, build(batch, self._number), batch, subscribes, now)
            self._open[self._number] = request
            if subscribes:
                self._asked.update(batch)
            else:
                self._asked.difference_update(batch)
                self.live.difference_update(batch)
            return request
        return None

    def answered(self, number: object, failure: str | None, now: float) -> Request | None:
        """The exchange answered a request; returns it, or None for an answer to none of ours."""
        request = self._open.pop(number, None) if isinstance(number, int) else None
        if request is not None and failure is not None:
            self._refused.append((now, request))
        return request

    def again(self, refused_before: float, asked_before: float) -> bool:
        """Forget that what was refused, or never answered, was ever asked: `next_request` asks again.

        Takes what was refused before one moment and what was asked, without an answer, before another; returns
        whether there was any.
        """
        forgotten = [request for at, request in self._refused if at <= refused_before]
        self._refused = [(at, request) for at, request in self._refused if at > refused_before]
        for number in [number for number, request in self._open.items() if request.asked <= asked_before]:
            forgotten.append(self._open.pop(number))
        for request in forgotten:
            if request.subscribes:
                self._asked.difference_update(request.names)
            else:
                self._asked.update(request.names)
        return bool(forgotten)

    @property
    def is_settled(self) -> bool:
        """Whether all that is wanted is asked, and all that was asked is answered."""
        return self._asked == self.wanted and not self._open and not self._refused

    @property
    def silent(self) -> set[str]:
        """Asked, but no event yet."""
        return (self._asked & self.wanted) - self.live
