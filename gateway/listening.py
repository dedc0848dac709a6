"""What one client listens to: at once, or after what comes before has been fetched."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from fsnats import notices
from fsnats.binance.streams import Market, Stream
from fsnats.errors import Unusable
from fsnats.frames import GAP, Frame, key_of
from fsnats.websocket import frames
from gateway.effects import Effect, Form, History, Listen, Resume, Send
from gateway.fanout.candles import is_closed
from gateway.fanout.hub import Hub
from gateway.fanout.joining import CLIENT_MOST, Joining, Met, Room
from gateway.fanout.marks import HISTORY, rendered, shaped, snapshot, told
from gateway.fanout.outbox import Outbox
from gateway.past import Past

Key = tuple[Market, str, Form]


class Teller(Protocol):
    """The client's dialect, as far as it says that something came before what is live."""

    def resumed(self, listen: Listen, missed: int, *, recovered: bool) -> list[Effect]: ...

    def history_ended(self, listen: Listen, count: int, error: str) -> list[Effect]: ...


class Listening:
    """The lanes of one client."""

    __slots__ = ("_before", "_hub", "_listens", "_outbox", "_reads", "_room", "is_over", "is_served")

    def __init__(self, hub: Hub, outbox: Outbox) -> None:
        self._hub = hub
        self._outbox = outbox
        self._listens: dict[Key, Listen] = {}
        # Of those, what has to be fetched for them: what comes before they are live, or (None) the newest value.
        self._before: dict[Key, Joining | None] = {}
        self._reads: asyncio.Event | None = None  # only who waits for it needs one, and it takes 760 bytes
        self._room: Room | None = None  # likewise
        self.is_over = False  # the client is gone
        self.is_served = False  # somebody fetches what it waits for

    def __len__(self) -> int:
        """How many (stream, form) pairs the client listens to."""
        return len(self._listens)

    def begin(self, listen: Listen) -> None:
        """Listen.  Where something has to be fetched first, what is live is held until `resume` or `recall`."""
        key = _key(listen)
        self._listens[key] = listen
        if isinstance(listen.before, Resume | History):
            if self._room is None:
                self._room = Room(CLIENT_MOST)
            joining = self._before[key] = Joining(self._room)
            self._hub.hold(listen.stream, joining)
            return
        self._hub.listen(listen.stream, listen.form, self._outbox)
        if listen.before is not None and not self._show(listen):
            self._before[key] = None

    def leave(self, stream: Stream, form: Form) -> None:
        """Listen no more."""
        key = (stream.market, stream.name, form)
        self._listens.pop(key, None)
        joining = self._before.pop(key, None)
        if joining is not None:
            joining.leave()
            self._hub.let_go(stream, joining)
        else:
            self._hub.leave(stream, form, self._outbox)

    @property
    def waits(self) -> bool:
        """Whether something has to be fetched for it."""
        return bool(self._before)

    def take_unseen(self) -> list[Listen]:
        """Those whose newest value is wanted, once."""
        unseen = [key for key, joining in self._before.items() if joining is None]
        for key in unseen:
            del self._before[key]
        return [self._listens[key] for key in unseen]

    def next_joining(self) -> tuple[Listen, Joining] | None:
        """The first of those that are not live yet."""
        return next(((self._listens[key], each) for key, each in self._before.items() if each is not None), None)

    def end(self) -> None:
        """The client is gone."""
        self.is_over = True
        for listen in list(self._listens.values()):
            self.leave(listen.stream, listen.form)
        self.reads()

    def reads(self) -> None:
        """The client reads again."""
        if self._reads is not None:
            self._reads.set()
            self._reads = None

    async def readable(self) -> None:
        """Return when the client reads, or is gone."""
        while not self.is_over and self._outbox.waiting is not None:
            if self._reads is None:
                self._reads = asyncio.Event()
            await self._reads.wait()

    def _show(self, listen: Listen) -> bool:
        """Send the newest value; False where none is known here."""
        newest = self._hub.newest(listen.stream)
        if newest is None:
            return False
        self._send(listen, newest, snapshot(newest))
        return True

    def offer(self, listen: Listen, newest: Frame) -> None:
        """Send the newest value, which was found elsewhere, unless something newer came, or the client left."""
        if self._listens.get(_key(listen)) is listen and self._hub.newest(listen.stream) is None:
            self._send(listen, newest, snapshot(newest))
            self._hub.flush()

    def resume(
        self, teller: Teller, listen: Listen, joining: Joining, met: Met, *, recovered: bool, last: Frame | None = None
    ) -> None:
        """Send what was missed, say so, and go on live, after `last` where that is known and nothing is live yet."""
        if joining.is_left:
            return
        missed = 0
        for frame in met.before:
            if self._send(listen, frame) and not frame.flags & GAP:
                missed += 1
        self._go_live(listen, joining, teller.resumed(listen, missed, recovered=recovered), met.live, met.before)
        if last is not None:
            self._hub.begin_after(listen.stream, last)

    def recall(self, teller: Teller, listen: Listen, joining: Joining, past: Past, error: str) -> None:
        """Send history, say that it ended, and go on live."""
        if joining.is_left:
            return
        assert isinstance(listen.before, History)
        payloads = past.before(listen.stream, joining.held)
        if listen.form.delivery.closed_only:
            payloads = [payload for payload in payloads if is_closed(payload)]
        payloads = payloads[-listen.before.length :]
        prefix, suffix = listen.form.marked(HISTORY), listen.form.suffix
        try:  # they tell their times themselves
            inners = [shaped(listen.form.shape, listen.stream, payload, 0) for payload in payloads]
        except Unusable as unusable:
            inners, error = [], f"not understood: {unusable}"
        for inner in inners:
            self._hub.touch(self._outbox, frames.text(prefix + inner + suffix))
        self._go_live(listen, joining, teller.history_ended(listen, len(inners), error), joining.held)

    def _go_live(
        self,
        listen: Listen,
        joining: Joining,
        said: Iterable[Effect],
        live: Sequence[Frame],
        before: Sequence[Frame] = (),
    ) -> None:
        del self._before[_key(listen)]
        self._hub.listen(listen.stream, listen.form, self._outbox)
        self._hub.let_go(listen.stream, joining)
        for effect in said:
            assert isinstance(effect, Send)
            self._hub.touch(self._outbox, frames.text(effect.text))
        for frame in live:
            self._send(listen, frame)
        if joining.is_overrun:
            self._tell_overrun(listen, (live or before)[-1:])
        joining.leave()
        self._hub.flush()

    def _tell_overrun(self, listen: Listen, last: Sequence[Frame]) -> None:
        """More came than could wait: what is missing between the last frame that was sent and what is live."""
        newest = self._hub.newest(listen.stream)
        if last and newest is not None and key_of(newest) > key_of(last[0]):
            first_ms, last_ms = (frame.received_ns // 1_000_000 for frame in (last[0], newest))
            notice = notices.gap(listen.stream, first_ms, last_ms, "ms", "more came than could wait")
            self._hub.touch(self._outbox, told(listen.form, notice))

    def _send(self, listen: Listen, frame: Frame, more: bytes = b"") -> bool:
        """Send one frame to this client alone.  False where it is none that the client wants."""
        message = rendered(listen.form, frame, self._hub.turn.hops, listen.stream, more)
        if message is None:
            return False
        self._hub.touch(self._outbox, message)
        return True


def _key(listen: Listen) -> Key:
    return listen.stream.market, listen.stream.name, listen.form
