"""A client that speaks fsnats's own protocol: one pure session.

Requests are carried out wholly or not at all: a request with anything wrong in it changes nothing and is answered with
one `error` that names what was wrong.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from fsnats.binance.streams import Market, Stream
from fsnats.changes import Change
from fsnats.errors import BadCommand
from fsnats.normalised import KINDS
from fsnats.symbols import Listing
from gateway.admission.grants import EVERYTHING, Grant
from gateway.effects import PLAIN, Delivery, Effect, Klines, Listen, Send
from gateway.protocol import delivery, fields, forms, historical, relisting, requests
from gateway.protocol.before import Before, before_of
from gateway.protocol.forms import Envelope
from gateway.protocol.naming import streams_by_name, streams_of_symbols
from gateway.protocol.problems import Problem, bad, error_reply, several, with_id
from gateway.protocol.requests import Request
from gateway.protocol.subscriptions import Subscription, Subscriptions
from gateway.protocol.topics import ALL, SYMBOLS, Topic, stream_type_of, topic_of
from gateway.protocol.wire import encode


class NativeSession:
    """One connected client of the native dialect.

    `default` is the market of requests that name none; `listings` is read when needed and may change between calls.
    `usual` is how streams are delivered where a request does not say otherwise.
    """

    def __init__(
        self,
        client_id: str,
        default: Market,
        markets: Collection[Market],
        listings: Mapping[Market, Listing],
        envelope: Envelope = Envelope.TYPED,
        usual: Delivery = PLAIN,
        streams_max: int = 20_000,
        grant: Grant = EVERYTHING,
    ) -> None:
        self.client_id = client_id
        self._default = default
        self._markets = markets
        self._listings = listings
        self._grant = grant
        self._streams_max = streams_max if grant.streams is None else min(streams_max, grant.streams)
        self._delivery = usual
        self._normalises = forms.is_normalised(envelope)
        self._subscriptions = Subscriptions(default, envelope)

    def __repr__(self) -> str:
        return f"<NativeSession {self.client_id} on {self._default}: {len(self._subscriptions)} streams>"

    @property
    def subscriptions(self) -> list[Subscription]:
        """What the client subscribed to."""
        return list(self._subscriptions)

    @property
    def delivered(self) -> list[Stream]:
        """The streams that are listened to, twice where in two forms."""
        return self._subscriptions.streams

    def opening(self) -> list[Effect]:
        """The welcome.  It says so when any carried market is a simulation."""
        welcome: dict[str, object] = {
            "type": "connection",
            "clientId": self.client_id,
            "message": "Connected to Future Socket NATS server",
        }
        listings = [self._listings[market] for market in self._markets if market in self._listings]
        welcome |= {mark: True for mark in ("simulated", "replayed") if any(getattr(one, mark) for one in listings)}
        return [Send(encode(welcome))]

    def receive(self, text: str) -> list[Effect]:
        """Carry out one text message."""
        request_id = None
        try:
            request = requests.request_of(text)
            request_id = requests.request_id_of(request)
            return self._carry_out(request, request_id)
        except BadCommand as error:
            return [Send(error_reply(error.code, error.message, error.part, **with_id(request_id)))]

    def receive_binary(self, data: bytes) -> list[Effect]:
        """Say that requests are text."""
        return [Send(error_reply(Problem.BINARY_NOT_SUPPORTED, "send requests as text messages"))]

    def overrun(self, text: str, rate: float, wait: float) -> list[Effect]:
        """Refuse a request that came too soon, at more than `rate` a second; none is carried out for `wait` seconds."""
        try:
            request_id = requests.request_id_of(requests.request_of(text))
        except BadCommand:
            request_id = None
        message, more = f"more than {rate:g} requests a second", {"retryAfter": round(wait, 3), **with_id(request_id)}
        return [Send(error_reply(Problem.TOO_MANY_REQUESTS, message, None, **more))]

    def catalogue_changed(self, change: Change) -> list[Effect]:
        """Tell the change to a client that asked, and let ALL mean what the market lists now.

        Symbols subscribed by name stay, listed or not: a halted one comes back.  The client is told that they ended.
        """
        listing = self._listings.get(change.market)
        if listing is None:
            return []
        effects: list[Effect] = []
        if change and self._subscriptions.follows(change.market):
            effects.append(Send(relisting.changed(change)))
        for stream in self._subscriptions.named(change.market) if change else ():
            if (reason := change.why_ended(stream, listing)) is not None:
                effects.append(Send(relisting.ended(stream, reason, change.at_ms)))
        return effects + self._subscriptions.refresh(listing)

    def klines_fetched(self, request: Klines, rows: bytes) -> list[Effect]:
        """The reply to `getHistoricalKlines`; `rows` is a JSON array of the exchange's rows."""
        return [Send(historical.fetched(request, rows))]

    def klines_failed(self, request: Klines, code: str, message: str, retry_after: float | None = None) -> list[Effect]:
        """The reply when there are no candles; `retry_after` is in seconds."""
        return [Send(historical.failed(request, code, message, retry_after))]

    def goodbye(self, now_ms: int, closes_in: float) -> list[Effect]:
        """The gateway goes, and closes this connection in so many seconds."""
        return [Send(encode({"type": "goodbye", "reconnect": True, "closesIn": round(closes_in, 3)}))]

    def resumed(self, listen: Listen, missed: int, *, recovered: bool) -> list[Effect]:
        """Everything that was missed of a stream has been sent, or what can be had of it."""
        return [self._resumed(listen.stream, missed, recovered=recovered)]

    def history_ended(self, listen: Listen, count: int, error: str) -> list[Effect]:
        """The history of a stream has been sent: so many events, or none because of an error."""
        return [self._history_ended(listen.stream, count, error)]

    def _preceded(self, effects: list[Effect], before: Before, streams: Iterable[Stream]) -> list[Effect]:
        """What is to come before what is live; where it is live already, that nothing will."""
        begun = {effect.stream for effect in effects if isinstance(effect, Listen)}
        said: list[Effect] = []
        for stream in streams:
            if stream in begun:
                continue
            if stream.name in before.resume:
                said.append(self._resumed(stream, 0, recovered=False))
            elif before.history:
                said.append(self._history_ended(stream, 0, "it is subscribed already"))
        return [*before.applied(effects), *said]

    def _resumed(self, stream: Stream, missed: int, *, recovered: bool) -> Send:
        more = {"stream": stream.name, **self._market(stream), "recovered": recovered, "missed": missed}
        return Send(encode({"type": "resumed", **more}))

    def _history_ended(self, stream: Stream, count: int, error: str) -> Send:
        more = {"stream": stream.name, **self._market(stream), "count": count}
        return Send(encode({"type": "historyEnd", **more, **({"error": error} if error else {})}))

    def _market(self, stream: Stream) -> dict[str, object]:
        return {} if stream.market is self._default else {"market": stream.market}

    def leave_all(self) -> list[Effect]:
        """The client is gone."""
        return self._subscriptions.clear()

    def _carry_out(self, request: Request, request_id: bytes | None) -> list[Effect]:
        match requests.type_of(request):
            case "subscribe" if request.is_raw:
                return self._subscribe_raw(request, request_id)
            case "subscribe":
                return self._subscribe(request, request_id)
            case "unsubscribe":
                return self._unsubscribe(request, request_id)
            case "getHistoricalKlines":
                return self._get_historical_klines(request, request_id)
            case "listSubscriptions":
                return self._list_subscriptions(request_id)
            case "ping":
                return [Send(encode({"type": "pong", **with_id(request_id)}))]

    # One method for each type of request.

    def _subscribe(self, request: Request, request_id: bytes | None) -> list[Effect]:
        market, name = self._market_and_type(request)
        _require(self._grant.why_not(market, None if name == SYMBOLS else name), name)
        if name == SYMBOLS:
            requests.require_no_symbols(request)
            self._subscriptions.follow(market)
            return [self._acknowledge("subscribed", request, request_id)]
        wanted_so = delivery.applied(requests.delivery_of(request), self._delivery)
        topic = topic_of(market, name, requests.options_of(request))._replace(delivery=wanted_so)
        symbols = requests.names_of(request.symbols, "symbols")
        listing = self._listing(market)
        named = streams_of_symbols(topic, symbols, listing)
        has_pattern = any(symbol.upper() == ALL for symbol in symbols)
        wanted = set(named.values())
        if has_pattern:
            wanted.update(topic.streams(topic.everything(listing)).values())
        self._require_form(wanted)
        delivery.require_fit(wanted_so, wanted)
        before = before_of(request.snapshot, request.history, request.resume)
        before.require(wanted)
        self._require_room(len(wanted), lambda: self._subscriptions.news(topic, wanted))
        effects: list[Effect] = [self._acknowledge("subscribed", request, request_id)]
        for subject, stream in named.items():
            effects += self._subscriptions.add(topic, subject, stream)
        if has_pattern:
            effects += self._subscriptions.add_pattern(topic, listing)
        return self._preceded(effects, before, wanted)

    def _subscribe_raw(self, request: Request, request_id: bytes | None) -> list[Effect]:
        market, streams = streams_by_name(request, self._default, self._markets)
        forbidden = {name: why for name, stream in streams.items() if (why := self._grant.why_not_stream(stream))}
        if forbidden:
            raise several(Problem.FORBIDDEN, forbidden)
        listing = self._listing(market)
        refused = {name: why for name, stream in streams.items() if (why := listing.why_not(stream)) is not None}
        if refused:
            raise several(Problem.UNKNOWN_SYMBOL, refused)
        wanted_so = delivery.applied(requests.delivery_of(request), self._delivery)
        self._require_form(streams.values())
        delivery.require_fit(wanted_so, streams.values())
        before = before_of(request.snapshot, request.history, request.resume)
        before.require(set(streams.values()))
        self._require_room(len(streams), lambda: self._subscriptions.news_raw(streams.values(), wanted_so))
        effects: list[Effect] = [self._acknowledge("subscribed", request, request_id)]
        for stream in streams.values():
            effects += self._subscriptions.add_raw(stream, wanted_so)
        return self._preceded(effects, before, streams.values())

    def _require_form(self, streams: Iterable[Stream]) -> None:
        """Refuse what has no normalised form where nothing else is sent."""
        if self._normalises:
            without = sorted({stream.name for stream in streams if stream.kind not in KINDS})
            if without:
                allowed = ", ".join(sorted(KINDS))
                message = f"{without[0]} has no normalised form; there is one of {allowed}"
                raise bad(Problem.NOT_NORMALISED, message, without)

    def _unsubscribe(self, request: Request, request_id: bytes | None) -> list[Effect]:
        effects: list[Effect] = []
        if request.is_raw:
            given = requests.delivery_of(request)
            for stream in streams_by_name(request, self._default, self._markets)[1].values():
                effects += self._subscriptions.remove_raw(stream, lambda each: delivery.has(each, given))
        elif (market_and_type := self._market_and_type(request))[1] == SYMBOLS:
            requests.require_no_symbols(request)
            self._subscriptions.unfollow(market_and_type[0])
        else:
            topics = self._topics_left(request)
            for symbol in requests.names_of(request.symbols, "symbols"):
                for topic in topics:
                    effects += self._subscriptions.remove(topic, symbol.upper())
        return [*effects, self._acknowledge("unsubscribed", request, request_id)]

    def _list_subscriptions(self, request_id: bytes | None) -> list[Effect]:
        held = self.subscriptions
        reply = {
            "type": "subscriptions",
            "streams": [each for each in held if not each.is_pattern],
            "patterns": [each for each in held if each.is_pattern],
            "total": len(self._subscriptions),
        }
        return [Send(encode({**reply, **with_id(request_id)}))]

    def _get_historical_klines(self, request: Request, request_id: bytes | None) -> list[Effect]:
        asked = historical.asked(request, request_id, self._default, self._markets)
        _require(self._grant.why_not(asked.market, historical.kind_of(asked)), asked.market)
        historical.require_listed(asked, self._listing(asked.market))
        return [asked]

    # What they share.

    def _acknowledge(self, kind: str, request: Request, request_id: bytes | None) -> Send:
        named = ("raw_streams",) if request.is_raw else ("stream_type", "symbols")
        return Send(encode({"type": kind, **request.echo(*named, "options", "market"), **with_id(request_id)}))

    def _listing(self, market: Market) -> Listing:
        listing = self._listings.get(market)
        if listing is None:
            raise bad(Problem.NOT_READY, f"the symbols of {market} are not known yet; try again soon", market)
        return listing

    def _market_and_type(self, request: Request) -> tuple[Market, str]:
        name = fields.required(request.stream_type, "streamType", fields.TEXT)
        market = requests.market_of(request, self._default, self._markets, name)
        if name != SYMBOLS:
            stream_type_of(market, name)
        return market, name

    def _topics_left(self, request: Request) -> list[Topic]:
        """The variants an `unsubscribe` means: all that are subscribed and have the options that it gives."""
        market, name = self._market_and_type(request)
        options, given = requests.options_of(request), requests.delivery_of(request)
        held = self._subscriptions.topics(market, name)
        if options.keys() & set(stream_type_of(market, name).options):
            one = topic_of(market, name, options)
            held = [topic for topic in held if topic[:4] == one[:4]]
        return [topic for topic in held if delivery.has(topic.delivery, given)]

    def _require_room(self, most: int, news: Callable[[], int]) -> None:
        if len(self._subscriptions) + most <= self._streams_max:
            return  # the usual case, without counting what is there already
        total = len(self._subscriptions) + news()
        if total > self._streams_max:
            raise bad(Problem.TOO_MANY_STREAMS, f"{total} streams; allowed: {self._streams_max} of one connection")


def _require(why_not: str | None, part: object) -> None:
    if why_not is not None:
        raise bad(Problem.FORBIDDEN, why_not, part)
