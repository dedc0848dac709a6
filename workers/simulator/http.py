"""The HTTP side of the port: the exchange's REST under each market's prefix, and the simulator's own controls.

GET  /<market>/api|fapi|dapi/…        the exchange
GET  /sim/ledger                      counts, violations, connections, progress of a replay
GET  /sim/ledger/events?market=…&stream=…&after=…   who the events of a stream were (where the simulator is judged)
POST /sim/faults/<name>?…             see faults.py
POST /sim/list?market=…&symbol=…&status=…   list a symbol, or give it a status: TRADING where none is named
POST /sim/delist?market=…&symbol=…    stop its trading; /sim/remove takes it off the list afterwards
POST /sim/replay/start                start a replay that waits
"""

import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from fsnats.binance.endpoints import method_at
from fsnats.binance.parameters import RestError
from fsnats.binance.streams import MARKETS, Market
from fsnats.clock import Clock
from fsnats.errors import BadCommand
from fsnats.symbols import TRADING
from workers.simulator import ledger
from workers.simulator.connection import SIMULATED
from workers.simulator.faults import Faults, invoke
from workers.simulator.hub import Hub
from workers.simulator.limits import Counts, Verdict, Weights
from workers.simulator.rest import Rest
from workers.simulator.victim import ILLEGAL

Scope = MutableMapping[str, Any]  # ASGI's own types are no narrower
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_GZIP_FROM = 1024  # bytes; smaller bodies grow


class Owner(Protocol):
    """What the controls act on."""

    clock: Clock
    ledger: ledger.Ledger
    faults: Faults
    weights: Weights
    counts: Counts
    hub: Hub

    def snapshot(self) -> dict[str, object]: ...

    def list_symbol(self, market: Market, symbol: str, status: str = TRADING) -> None: ...

    def delist_symbol(self, market: Market, symbol: str) -> None: ...

    def remove_symbol(self, market: Market, symbol: str) -> None: ...

    def start_replay(self) -> None: ...


class Reply(msgspec.Struct):
    """One HTTP reply."""

    status: int
    body: bytes
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class App:
    """An ASGI application."""

    def __init__(self, owner: Owner, rest: Rest) -> None:
        self._owner = owner
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        path: str = scope["path"]
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        ip: str = scope["client"][0] if scope.get("client") else ""
        if path.startswith("/sim/"):
            reply = self._control(scope["method"], path[5:], query)
        else:
            callers = self._owner.ledger.callers
            callers[ip] = callers.get(ip, 0) + 1
            reply = self._refused(ip) or await self._exchange(scope["method"], path, dict(query), ip)
        accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
        if b"gzip" in accepted and len(reply.body) >= _GZIP_FROM:
            reply.body = gzip.compress(reply.body, 1)
            reply.headers["Content-Encoding"] = "gzip"
        headers = {"Content-Type": "application/json;charset=UTF-8", SIMULATED: "true", **reply.headers}
        headers["Content-Length"] = str(len(reply.body))
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})

    def _refused(self, ip: str) -> Reply | None:
        """What a fault answers, whatever is asked."""
        faults = self._owner.faults
        if not faults.accepting:
            return Reply(503, b"")
        if faults.is_illegal(ip):
            return Reply(451, ILLEGAL.encode())
        limited = faults.limited("rest", ip)
        return self._limited(*limited) if limited is not None else None

    async def _exchange(self, method: str, path: str, query: dict[str, str], ip: str) -> Reply:
        first, _, rest = path[1:].partition("/")
        found = method_at("/" + rest, Market(first) if first in MARKETS else None)
        if found is None or first != found[0]:
            return Reply(404, b"")
        market, name = found
        if method != "GET":
            return Reply(405, b"")
        requests = self._owner.ledger.requests
        requests[market, "/" + rest] = requests.get((market, "/" + rest), 0) + 1
        now = self._owner.clock.time_ns() // 1_000_000
        verdict = self._owner.weights.charge(ip, market, self._rest.weight(market, name, query), now)
        headers = {"X-MBX-USED-WEIGHT-1M": str(verdict.used), "X-MBX-USED-WEIGHT": str(verdict.used)}
        if verdict.status != 200:
            limit = "weight" if verdict.status == 429 else "ban"
            self._note(limit, market, ip, f"{name}, {verdict.used} used", now)
            return Reply(verdict.status, _too_much(verdict, now), {**headers, "Retry-After": str(verdict.retry)})
        retry = self._owner.counts.charge(ip, market, name, now)
        if retry:
            verdict = Verdict(429, verdict.used, retry)
            self._note("requests", market, ip, name, now)
            return Reply(429, _too_much(verdict, now), {**headers, "Retry-After": str(retry)})
        now += self._owner.hub.skew if name == "time" else 0
        try:
            return Reply(200, await self._rest.answer(market, name, query, now), headers)
        except RestError as error:
            return Reply(error.status, error.body, headers)

    def _limited(self, status: int, retry: int) -> Reply:
        if status == 403:
            return Reply(403, b"<html><body>Request blocked.</body></html>")  # a firewall's page, not the exchange's
        now = self._owner.clock.time_ns() // 1_000_000
        return Reply(status, _too_much(Verdict(status, 0, retry), now), {"Retry-After": str(retry)})

    def _note(self, limit: str, market: Market, ip: str, what: str, now: int) -> None:
        self._owner.ledger.violate(ledger.Violation(limit, market, 0, ip, what, now))

    def _control(self, method: str, path: str, query: list[tuple[str, str]]) -> Reply:
        if path == "ledger" and method == "GET":
            return Reply(200, msgspec.json.encode(self._owner.snapshot()))
        if method != "POST" and path != "ledger/events":
            return Reply(405, b"")
        try:
            if path == "ledger/events":
                return Reply(200, msgspec.json.encode(self._events(dict(query))))
            return Reply(200, msgspec.json.encode({"result": self._act(path, query)}))
        except BadCommand as error:
            return Reply(400, msgspec.json.encode({"error": error.message}))

    def _events(self, query: dict[str, str]) -> dict[str, object]:
        market, stream, after = query.get("market", ""), query.get("stream", ""), query.get("after", "0")
        if market not in MARKETS or not stream or not after.isdigit():
            raise BadCommand("option", f"needs market ({', '.join(sorted(MARKETS))}), stream and perhaps after=NUMBER")
        return self._owner.ledger.of(Market(market), stream).since(int(after))

    def _act(self, path: str, query: list[tuple[str, str]]) -> int | None:
        kind, _, name = path.partition("/")
        if kind == "faults":
            return invoke(self._owner.faults, name, query)
        if path in ("list", "delist", "remove"):
            self._change_list(path, dict(query))
            return None
        if path == "replay/start":
            self._owner.start_replay()
            return None
        raise BadCommand("path", f"no such control '{path}'")

    def _change_list(self, path: str, options: dict[str, str]) -> None:
        name, symbol = options.get("market"), options.get("symbol")
        if name not in MARKETS or not symbol:
            raise BadCommand("option", f"{path} needs market ({', '.join(sorted(MARKETS))}) and symbol")
        market = Market(name)
        match path:
            case "list":
                self._owner.list_symbol(market, symbol, options.get("status", TRADING))
            case "delist":
                self._owner.delist_symbol(market, symbol)
            case _:
                self._owner.remove_symbol(market, symbol)


def _too_much(verdict: Verdict, now: int) -> bytes:
    if verdict.status == 429:
        text = (
            "Too many requests; current limit of IP is used up for this minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
    else:
        text = (
            f"Way too much request weight used; IP banned until {now + verdict.retry * 1000}. "
            "Please use the websocket for live updates to avoid bans."
        )
    return msgspec.json.encode({"code": -1003, "msg": text})
