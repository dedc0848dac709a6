"""What a client says to a gateway and understands of it, over connections that come and go.  Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from fsnats.binance.streams import Market, parse
from fsnats.client.values import Gap, Message
from fsnats.errors import UNREADABLE, Refused, Unavailable, Unusable
from fsnats.notices import breaks_books

_NAMES_AT_ONCE = 300  # of one request: with their places well below the 64 KB that a gateway takes
# What may be asked again later; every other error is the request's own fault.
_PASSING = frozenset({"NOT_READY", "TOO_MANY_REQUESTS", "BUSY", "HISTORY_UNAVAILABLE"})
_TOO_FAST = "TOO_MANY_REQUESTS"
_PAUSE = 1.0  # seconds, where the gateway does not say for how long none is carried out


class Rejected(Unusable):
    """The gateway refuses what was asked; `code` is one of docs/protocol.md's, `part` what was wrong in it."""

    def __init__(self, code: str, message: str, part: object = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.part = part


class Forbidden(Refused):
    """The gateway does not let this client in."""


class TryLater(Unavailable):
    """The gateway asks to come back, in so many seconds where it says so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _Notice(msgspec.Struct):
    """The data of a gap."""

    stream: str = ""
    reason: str = ""
    from_: int = msgspec.field(default=0, name="from")
    to: int = 0
    unit: str = ""
    missed: int | None = None
    resync: bool = False


class _Incoming(msgspec.Struct):
    """Every message of the native protocol, as far as we look at it."""

    type: str = ""
    id: Any = None
    market: Market | None = None
    simulated: bool = False
    stream: str = ""
    epoch: int = 0
    seq: int = 0
    data: msgspec.Raw = msgspec.Raw()
    snapshot: bool = False
    recovered: bool = False
    history: bool = False
    received: float = 0
    missed: int = 0
    code: str = ""
    message: str = ""
    part: Any = None
    error: str = ""
    rawStreams: list[str] = []
    retryAfter: float | None = None


_read = msgspec.json.Decoder(_Incoming).decode
_read_notice = msgspec.json.Decoder(_Notice).decode
_encode = msgspec.json.Encoder().encode


def market_of(name: str) -> Market:
    """A market by its name.  Raises Unusable for another word."""
    try:
        return Market(name)
    except ValueError:
        raise Unusable(f"'{name}': no market; there are {', '.join(Market)}") from None


class Conversation:
    """Streams of one market, wherever they are read: what is read on one connection goes on after it on the next."""

    def __init__(
        self,
        market: Market,
        names: Sequence[str],
        *,
        options: Mapping[str, object] | None = None,
        snapshot: bool = True,
        history: int | None = None,
        places: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        """`places` are those after which to go on, by stream."""
        self._market = market
        self._names = list(dict.fromkeys(names))
        self._catching_up: set[str] = set()
        self._acknowledged: set[str] = set()  # on this connection
        self._options = dict(options or {})
        self._snapshot = snapshot
        self._history = history
        self.places: dict[str, tuple[int, int]] = dict(places or {})
        self._last_id = 0
        self._asked: dict[int, bytes] = {}  # requests that are not answered, by id
        self._refused: list[bytes] = []  # those that came too fast
        self._again_ms = 0  # when the first of them may be asked again
        self._is_asking = False  # one of them
        self.simulated: bool | None = None
        """Whether the data is none of Binance's now; None until a gateway has said so."""

    def opened(self) -> list[bytes]:
        """What to ask of a new connection."""
        known = [name for name in self._names if name in self.places]
        new = [name for name in self._names if name not in self.places]
        self._catching_up = set(known)
        self._asked.clear()
        self._refused.clear()
        self._is_asking = False
        return [*self._requests(known, resume=True), *self._requests(new, resume=False)]

    def unplaced(self) -> list[Gap]:
        """Streams that had not spoken when the last connection was lost: they begin anew, whatever came since."""
        lost, self._acknowledged = self._acknowledged, set()
        return [self._unsure(name) for name in self._names if name in lost and name not in self.places]

    def _requests(self, names: list[str], *, resume: bool) -> Iterator[bytes]:
        left = iter(names)
        while some := list(islice(left, _NAMES_AT_ONCE)):
            self._last_id += 1
            request: dict[str, object] = {
                "type": "subscribe",
                "market": self._market,
                "rawStreams": some,
                "id": self._last_id,
            }
            if self._options:
                request["options"] = self._options
            if resume:
                request["snapshot"] = False
                request["resume"] = {name: dict(zip(("epoch", "seq"), self.places[name], strict=True)) for name in some}
            else:
                request["snapshot"] = self._snapshot
                if self._history is not None:
                    request["history"] = self._history
            encoded = self._asked[self._last_id] = _encode(request)
            yield encoded

    def pause(self, now_ms: int) -> float | None:
        """In how many seconds to ask `again`; None: not before something else is received."""
        return max(0, self._again_ms - now_ms) / 1000 if self._refused and not self._is_asking else None

    def again(self) -> bytes:
        """A request that came too fast: one after the other, each when the one before is answered."""
        self._is_asking = True
        return self._refused.pop(0)

    def received(self, text: str | bytes, now_ms: int) -> Message | Gap | None:
        """Take one message of the gateway; `now_ms` is when it came, in milliseconds since 1970.

        Raises Rejected for what it refuses, TryLater for what it cannot do now, Unavailable for what is no message.
        """
        try:
            incoming = _read(text)
            if incoming.type == "gap":
                return self._gap(_read_notice(incoming.data))
        except UNREADABLE as error:
            raise Unavailable(f"the gateway says what is not understood: {error}") from error
        if incoming.stream and not incoming.type:
            return self._message(incoming, now_ms)
        if incoming.type == "connection":
            self.simulated = incoming.simulated
        elif incoming.type == "resumed":
            self._catching_up.discard(incoming.stream)
            if not incoming.recovered:
                return self._unsure(incoming.stream)
        elif incoming.type == "subscribed":
            self._acknowledged.update(incoming.rawStreams)
            self._asked.pop(incoming.id, None)
            self._is_asking = False
        elif incoming.type == "historyEnd" and incoming.error:
            return Gap(market=self._market, stream=incoming.stream, reason=f"no history: {incoming.error}")
        elif incoming.type == "error":
            if incoming.code == _TOO_FAST and incoming.id in self._asked:
                self._refused.append(self._asked[incoming.id])
                self._again_ms = now_ms + math.ceil((incoming.retryAfter or _PAUSE) * 1000)
                self._is_asking = False
                return None
            if incoming.code in _PASSING:
                raise TryLater(f"{incoming.code}: {incoming.message}", incoming.retryAfter)
            raise Rejected(incoming.code, incoming.message, incoming.part)
        return None

    def _message(self, incoming: _Incoming, now_ms: int) -> Message:
        if incoming.seq and not incoming.history:
            self.places[incoming.stream] = (incoming.epoch, incoming.seq)
        return Message(
            market=incoming.market or self._market,
            stream=incoming.stream,
            payload=bytes(incoming.data),
            epoch=incoming.epoch,
            seq=incoming.seq,
            received_ms=int(incoming.received) or (now_ms if self._is_live(incoming) else 0),
            is_snapshot=incoming.snapshot,
            is_recovered=incoming.recovered,
            is_history=incoming.history,
        )

    def _is_live(self, incoming: _Incoming) -> bool:
        is_late = incoming.snapshot or incoming.recovered or incoming.history
        return not is_late and incoming.stream not in self._catching_up

    def _unsure(self, name: str) -> Gap:
        resync = breaks_books(parse(self._market, name))
        return Gap(market=self._market, stream=name, reason="not certain that nothing is missing", resync=resync)

    def _gap(self, notice: _Notice) -> Gap:
        return Gap(
            market=self._market,
            stream=notice.stream,
            reason=notice.reason,
            first=notice.from_,
            last=notice.to,
            unit=notice.unit,
            missed=notice.missed,
            resync=notice.resync,
        )


def conversation_of(
    names: Sequence[str],
    market: str,
    *,
    snapshot: bool = True,
    history: int | None = None,
    resume: Mapping[str, tuple[int, int]] | None = None,
    max_rate: float | None = None,
    closed_only: bool = False,
) -> Conversation:
    """What a program wants, checked as far as it can be here.  Raises StreamNameError and Unusable."""
    if not names:
        raise Unusable("no stream is named")
    where = market_of(market)
    options: dict[str, object] = {}
    if max_rate is not None:
        if not math.isfinite(max_rate):
            raise Unusable(f"max_rate: {max_rate} is no rate")
        options["maxRate"] = max_rate
    if closed_only:
        options["closedOnly"] = True
    streams = [_name(where, name) for name in names]
    places = dict(_place(where, name, place, streams) for name, place in (resume or {}).items())
    return Conversation(where, streams, options=options, snapshot=snapshot, history=history, places=places)


def _name(market: Market, name: object) -> str:
    if not isinstance(name, str):
        raise Unusable(f"{name!r}: streams are named one by one, as strings")
    return parse(market, name).name


def _place(market: Market, name: str, place: object, streams: Sequence[str]) -> tuple[str, tuple[int, int]]:
    stream = _name(market, name)
    if stream not in streams:
        raise Unusable(f"resume: '{name}' is none of the streams that are read")
    match place:
        case (int(epoch), int(seq)):
            return stream, (epoch, seq)
    raise Unusable(f"resume: the place of '{name}' is (epoch, seq), not {place!r}")
