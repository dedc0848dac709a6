"""A client that speaks Binance's own WebSocket protocol: one pure session.

Everything is acknowledged, as Binance does: a name nobody delivers is listed by LIST_SUBSCRIPTIONS, shown to the
operator as Unknown, and never listened to.  When its symbol is listed later, it starts to deliver.
"""

import re
from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

from fsnats.binance.limits import STREAMS_PER_CONNECTION
from fsnats.binance.streams import Market, Stream
from fsnats.changes import Change
from fsnats.errors import StreamNameError
from fsnats.symbols import Listing
from gateway import closing
from gateway.admission.grants import EVERYTHING, Grant
from gateway.effects import Close, Effect, Form, Send, Unknown
from gateway.protocol import forms
from gateway.protocol.commands import (
    INVALID_JSON,
    INVALID_REQUEST,
    TOO_MANY_SUBSCRIPTIONS,
    GetCombined,
    ListSubscriptions,
    Rejected,
    SetCombined,
    Subscribe,
    Unsubscribe,
    command_of,
    failure,
    result,
)
from gateway.protocol.ledger import Ledger
from gateway.protocol.names import known
from gateway.protocol.wire import encode

_CLOSE_INVALID = Close(closing.INVALID_REQUEST.code, closing.INVALID_REQUEST.reason)
_LISTEN_KEY = re.compile(r"[A-Za-z0-9]{60,}")


class _Asked(msgspec.Struct):
    """One name the client asked for.  `stream` is None where the market has no such stream."""

    stream: Stream | None
    delivers: bool = False
    reported: bool = False  # as Unknown; once is enough


class BinanceSession:
    """One connected client of the Binance dialect, on one market.

    `listings` is read when needed and may change between calls.  A `silent` session acknowledges and delivers nothing.
    """

    def __init__(
        self,
        market: Market,
        combined: bool,
        streams: Sequence[str],
        listings: Mapping[Market, Listing],
        silent: bool = False,
        grant: Grant = EVERYTHING,
        streams_max: int = STREAMS_PER_CONNECTION,
    ) -> None:
        self.market = market
        self._combined = combined
        self._initial = tuple(streams)
        self._listings = listings
        self._silent = silent
        self._grant = grant
        self._streams_max = min(streams_max, STREAMS_PER_CONNECTION, grant.streams or STREAMS_PER_CONNECTION)
        self._asked: dict[str, _Asked] = {}  # by name as the client gave it
        self._ledger = Ledger()

    def __repr__(self) -> str:
        framing = "combined" if self._combined else "raw"
        return f"<BinanceSession {self.market} {framing}: {len(self._asked)} asked, {len(self._ledger)} delivered>"

    @property
    def subscriptions(self) -> list[str]:
        """The names the client asked for, as it spelled them."""
        return list(self._asked)

    @property
    def delivered(self) -> list[Stream]:
        """The streams that are listened to."""
        return [stream for stream, _ in self._ledger]

    def opening(self) -> list[Effect]:
        """What the streams in the URL ask for.  There is no acknowledgement of those."""
        return self._subscribe(list(self._initial), [], None)

    def receive(self, text: str) -> list[Effect]:
        """Carry out one text message."""
        try:
            command = command_of(text)
        except Rejected as error:
            effects: list[Effect] = [Send(failure(error.code, error.message, error.request_id))]
            if error.code == INVALID_JSON and self.market is not Market.SPOT:
                effects.append(_CLOSE_INVALID)  # futures, since 2023-06-22
            return effects
        match command:
            case Subscribe(names, request_id):
                return self._subscribe(names, [Send(result(None, request_id))], request_id)
            case Unsubscribe(names, request_id):
                effects = [effect for name in names for effect in self._forget(name)]
                return [*effects, Send(result(None, request_id))]
            case ListSubscriptions(request_id):
                return [Send(result(self.subscriptions, request_id))]
            case SetCombined(combined, request_id):
                return [Send(result(None, request_id)), *self._reframe(combined)]
            case GetCombined(request_id):
                return [Send(result(self._combined, request_id))]
            case _:
                assert_never(command)

    def receive_binary(self, data: bytes) -> list[Effect]:
        """Close, as Binance does."""
        return [_CLOSE_INVALID]

    def overrun(self, text: str, rate: float, wait: float) -> list[Effect]:
        """Close, as Binance does with whoever sends more than `rate` messages a second."""
        return [Close(closing.TOO_MANY_REQUESTS.code, closing.TOO_MANY_REQUESTS.reason)]

    def catalogue_changed(self, change: Change) -> list[Effect]:
        """Start what is listed now and was not before.  What delivers goes on: a halted symbol comes back."""
        if change.market is not self.market:
            return []
        return [effect for name, asked in self._asked.items() for effect in self._start(name, asked)]

    def goodbye(self, now_ms: int, closes_in: float) -> list[Effect]:
        """The gateway goes: the event that Binance sends before it does."""
        event = {"e": "serverShutdown", "E": now_ms}
        if self._silent:
            return []
        return [Send(encode({"stream": "!serverShutdown", "data": event} if self._combined else event))]

    def leave_all(self) -> list[Effect]:
        """The client is gone."""
        self._asked.clear()
        return self._ledger.clear()

    def _subscribe(self, names: list[str], reply: list[Effect], request_id: bytes | None) -> list[Effect]:
        fresh = [name for name in dict.fromkeys(names) if name not in self._asked]
        if len(self._asked) + len(fresh) > self._streams_max:
            return [Send(failure(TOO_MANY_SUBSCRIPTIONS, "Too many subscriptions", request_id)), _CLOSE_INVALID]
        forbidden = self.forbidden(fresh)
        if forbidden is not None:
            return [Send(failure(INVALID_REQUEST, f"Invalid request: {forbidden}", request_id))]
        effects = reply
        for name in fresh:
            asked = self._asked[name] = _Asked(self._parse(name))
            effects += self._start(name, asked)
        return effects

    def forbidden(self, names: Sequence[str]) -> str | None:
        """What the client may not read of these, and why; None where it may read them all."""
        for name in names if self._grant is not EVERYTHING else ():
            stream = self._parse(name)
            why = None if stream is None else self._grant.why_not_stream(stream)
            if why is not None:
                return f"{name}: {why}"
        return None

    def _parse(self, name: str) -> Stream | None:
        try:
            return known(self.market, name)
        except StreamNameError:
            return None

    def _start(self, name: str, asked: _Asked) -> list[Effect]:
        """Deliver a name if anything can be delivered under it now."""
        if asked.delivers or self._silent:
            return []
        if asked.stream is not None:
            listing = self._listings.get(self.market)
            if listing is None:
                return []  # decided by catalogue_changed, as soon as the symbols are known
            if listing.why_not(asked.stream) is None:
                asked.delivers = True
                return self._ledger.add(asked.stream, self._form(asked.stream))
        if asked.reported:
            return []
        asked.reported = True
        # A user data stream of an older client: the key is a secret, and operators' screens are no place for it.
        return [Unknown(self.market, "<listenKey>" if _LISTEN_KEY.fullmatch(name) else name)]

    def _forget(self, name: str) -> list[Effect]:
        asked = self._asked.pop(name, None)
        if asked is None or asked.stream is None or not asked.delivers:
            return []
        return self._ledger.remove(asked.stream, self._form(asked.stream))

    def _reframe(self, combined: bool) -> list[Effect]:
        if combined == self._combined:
            return []
        effects = self._ledger.clear()
        self._combined = combined
        for asked in self._asked.values():
            if asked.delivers and asked.stream is not None:
                effects += self._ledger.add(asked.stream, self._form(asked.stream))
        return effects

    def _form(self, stream: Stream) -> Form:
        return forms.combined(stream) if self._combined else forms.BARE
