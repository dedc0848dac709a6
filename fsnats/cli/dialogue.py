"""What the example client says and understands: typed lines in, requests and text out.  Pure.

The requests are those of the native protocol; each carries an `id`, so that an error can be matched to what it
refused.
"""

import shlex
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from fsnats.binance.streams import MARKETS
from fsnats.cli import replies

HELP = """\
subscribe SYMBOL…           s   live data of these symbols (ALL for every one), or of names such as btcusdt@depth20
unsubscribe SYMBOL…         u   no more of it
type TYPE [VARIANT]         t   change the stream type, also of what is subscribed: kline 5m, depth 20, ticker,
                                aggTrade, markPrice 1s, liquidation, symbols (what is listed and delisted) …
market spot|usdm|coinm      m   the market that the next commands mean
show                        l   what is subscribed
history SYMBOL [INTERVAL] [LIMIT]
                            h   past candles
help  quit                  ?  q"""

_OPTION = {"kline": "interval", "continuousKline": "interval", "depth": "level", "markPrice": "updateSpeed"}
_SHORT = {"s": "subscribe", "u": "unsubscribe", "t": "type", "m": "market", "l": "show", "h": "history"}
_SHORT |= {"?": "help", "q": "quit", "exit": "quit"}


class Say(NamedTuple):
    """Show this text."""

    text: str


class Ask(NamedTuple):
    """Send this request."""

    request: dict[str, Any]


class Quit(NamedTuple):
    """The user has enough."""


Effect = Say | Ask | Quit


class Kind(NamedTuple):
    """What is subscribed of a symbol; an empty type stands for raw stream names."""

    market: str
    stream_type: str = ""
    variant: str = ""

    def request(self, verb: str, names: Iterable[str]) -> dict[str, Any]:
        """A request about these symbols or names."""
        market = {"market": self.market} if self.market else {}
        if not self.stream_type:
            return {"type": verb, "rawStreams": list(names), **market}
        option = _OPTION.get(self.stream_type)
        options = {"options": {option: self.variant}} if option and self.variant else {}
        return {"type": verb, "streamType": self.stream_type, "symbols": list(names), **options, **market}


class Dialogue:
    """The state of one user's conversation.  `wanted` outlives connections."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._kind = Kind("", "kline", "1m")
        self._last_id = 0
        self.wanted: dict[Kind, dict[str, None]] = {}
        self.pending: dict[int, dict[str, Any]] = {}

    def opened(self) -> list[Ask]:
        """What to ask of a new connection: everything that is wanted."""
        return [self._ask(kind.request("subscribe", names)) for kind, names in self.wanted.items() if names]

    def closed(self) -> None:
        """The connection is gone, and with it the answers that had not come."""
        self.pending.clear()

    def dismiss(self, request: dict[str, Any]) -> None:
        """This request is not going to be sent."""
        self.pending.pop(request["id"], None)

    def typed(self, line: str) -> list[Effect]:
        """Carry out a line of the user's."""
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        if not words:
            return []
        verb, *rest = words
        verb = _SHORT.get(verb, verb)
        match verb, rest:
            case "subscribe" | "unsubscribe", [_, *_]:
                return list(self._change(verb, [name for word in rest for name in word.split(",") if name]))
            case "type", [stream_type, *variant] if len(variant) <= 1:
                return list(self._retype(Kind(self._kind.market, stream_type, variant[0] if variant else "")))
            case "market", [market] if market in MARKETS:
                self._kind = self._kind._replace(market=market)
                return [Say(f"the next commands mean {market}")]
            case "show", []:
                return [self._ask({"type": "listSubscriptions"})]
            case "history", [symbol, *more] if len(more) <= 2 and (len(more) < 2 or more[1].isdecimal()):
                return [self._history(symbol, *more)]
            case "help", _:
                return [Say(HELP)]
            case "quit", _:
                return [Quit()]
        return [Say(f"not understood: {line.strip()!r}; `help` lists the commands")]

    def _change(self, verb: str, names: list[str]) -> Iterable[Effect]:
        raw = [name for name in names if "@" in name or name.startswith("!")]
        symbols = [name for name in names if name not in raw]
        for kind, group in ((self._kind, symbols), (Kind(self._kind.market), raw)):
            if not group:
                continue
            held = self.wanted.setdefault(kind, {})
            for name in group:
                held.pop(name, None)
                if verb == "subscribe":
                    held[name] = None
            yield self._ask(kind.request(verb, group))

    def _retype(self, kind: Kind) -> Iterable[Effect]:
        before, self._kind = self._kind, kind
        yield Say(f"stream type: {kind.stream_type} {kind.variant}".rstrip())
        moving = self.wanted.pop(before, {}) if before != kind else {}
        if moving:
            yield self._ask(before.request("unsubscribe", moving))
            self.wanted.setdefault(kind, {}).update(moving)
            yield self._ask(kind.request("subscribe", moving))

    def _history(self, symbol: str, interval: str = "1m", limit: str = "10") -> Ask:
        market = {"market": self._kind.market} if self._kind.market else {}
        request = {"type": "getHistoricalKlines", "symbol": symbol, "interval": interval, "limit": int(limit)}
        return self._ask(request | market)

    def _ask(self, request: dict[str, Any]) -> Ask:
        self._last_id += 1
        self.pending[self._last_id] = request
        return Ask({**request, "id": self._last_id})

    def received(self, text: str | bytes) -> str:
        """What a message of the gateway says, for people."""
        message = replies.read(text)
        if message is None:
            return f"a message that cannot be read: {text[:200]!r}"
        request = self.pending.pop(message.id, None) if message.id is not None else None
        if message.type == "error":
            self._forget(request)
        return replies.describe(message, text, self._now_ms())

    def _forget(self, request: dict[str, Any] | None) -> None:
        """A refused subscription must not be asked for again after a reconnect."""
        if request is None or request["type"] != "subscribe":
            return
        for kind, held in self.wanted.items():
            names = request.get("rawStreams") or request["symbols"]
            if kind.request("subscribe", names) == request:
                for name in names:
                    held.pop(name, None)
