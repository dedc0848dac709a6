"""What one connection has asked of the exchange, and what it must still ask.  Decides; the carrier sends."""

from collections.abc import Collection

import msgspec

from fsnats.binance import commands

ANSWER = 30.0  # seconds after which a request without an answer counts as refused: some have hung (see `limits`)
AUDIT_EVERY = 30.0  # seconds, at least, between two questions what a connection has subscribed


class Request(msgspec.Struct, frozen=True):
    """A control message to send.  `asked` is when, in monotonic seconds."""

    number: int
    text: bytes
    names: list[str]
    subscribes: bool
    asked: float
    audits: bool = False  # it asks what is subscribed, and names nothing

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return "list" if self.audits else "subscribe" if self.subscribes else "unsubscribe"


class Subscriptions:
    """The difference between what a connection carries and what it should carry, one request at a time.

    An acknowledgement proves nothing (Binance acknowledges rubbish): a stream is `live` at its first event.
    """

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._asked: set[str] = set()
        self._open: dict[int, Request] = {}
        self._refused: list[tuple[float, Request]] = []  # and when
        self._renewing: set[str] = set()  # to be unsubscribed and subscribed
        self._auditing = False  # it is to be asked what is subscribed
        self._audited: float | None = None  # when that was asked last
        self._number = 0
        self.live: set[str] = set()
        self.acknowledged: dict[str, float] = {}  # since when
        self._first_asked: dict[str, float] = {}  # when what is wanted was asked for the first time

    def opened(self) -> None:
        """A new connection: nothing is asked on it yet.  Request numbers go on, so that late answers do not match."""
        self._asked.clear()
        self._open.clear()
        self._refused.clear()
        self._renewing.clear()
        self._auditing, self._audited = False, None
        self.live.clear()
        self.acknowledged.clear()
        self._first_asked.clear()

    @property
    def listening(self) -> dict[str, float]:
        """From when on each stream should speak: when it was acknowledged, or should have been."""
        return {name: asked + ANSWER for name, asked in self._first_asked.items()} | self.acknowledged

    def renew(self, names: set[str]) -> None:
        """Unsubscribe and subscribe again what is asked of these."""
        self._renewing |= names & self._asked

    def audit(self, now: float) -> bool:
        """Ask what the exchange has subscribed here; False when it was asked less than AUDIT_EVERY ago."""
        if self._audited is not None and now - self._audited < AUDIT_EVERY:
            return False
        self._auditing = True
        return True

    def next_request(self, now: float) -> Request | None:
        """The next control message, or None when all is asked.  What is left goes before what is added, so that a
        connection never carries more than its layout says."""
        leaving = (self._asked - self.wanted) | (self._asked & self._renewing)
        for names, subscribes in ((leaving, False), (self.wanted - self._asked, True)):
            if not names:
                continue
            batch = next(commands.batches(sorted(names)))
            self._number += 1
            build = commands.subscribe if subscribes else commands.unsubscribe
            request = Request(self._number, build(batch, self._number), batch, subscribes, now)
            self._open[self._number] = request
            if subscribes:
                self._asked.update(batch)
                for name in batch:
                    self._first_asked.setdefault(name, now)
            else:
                self._renewing.difference_update(batch)
                self._forget(batch)
            return request
        if self._auditing:
            self._auditing, self._audited = False, now
            self._number += 1
            text = commands.list_subscriptions(self._number)
            request = self._open[self._number] = Request(self._number, text, [], False, now, audits=True)
            return request
        return None

    def answered(
        self, number: object, failure: str | None, now: float, listed: Collection[str] | None = None
    ) -> Request | None:
        """The exchange answered a request; returns it, or None for an answer to none of ours.

        `listed` is what it says is subscribed, where that was asked: what it does not know is asked for again.
        """
        request = self._open.pop(number, None) if isinstance(number, int) else None
        if request is None:
            return None
        if failure is not None:
            self._refused.append((now, request))
        elif request.subscribes:
            for name in self._asked.intersection(request.names):
                self.acknowledged[name] = now
        elif listed is not None and request.audits:
            known = set(listed)
            self._forget([name for name, at in self.acknowledged.items() if at <= request.asked and name not in known])
        return request

    def _forget(self, names: list[str]) -> None:
        """These are not asked for any more, as far as the exchange knows."""
        self._asked.difference_update(names)
        self.live.difference_update(names)
        for name in names:
            self.acknowledged.pop(name, None)
            if name not in self.wanted:
                self._first_asked.pop(name, None)

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
    def silent(self) -> set[str]:
        """Asked, but no event yet."""
        return (self._asked & self.wanted) - self.live
