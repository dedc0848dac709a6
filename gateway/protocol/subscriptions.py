"""What one native session has subscribed to, and the Listen and Leave effects of changing that.

A subscription is a topic with a symbol, a topic with ALL (a pattern, whose streams follow the catalogue), or a raw
stream name in one kind of delivery.  They overlap freely: a stream is left when the last subscription that wants it, in
its form, is gone.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from fsnats.binance.streams import Market, Stream
from fsnats.symbols import Listing
from gateway.effects import Delivery, Effect, Form
from gateway.protocol import forms
from gateway.protocol.delivery import spelled
from gateway.protocol.ledger import Ledger
from gateway.protocol.topics import ALL, SYMBOLS, Topic


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One subscription, as `listSubscriptions` and the operator see it.

    `stream` is `*@…` for ALL, whose `streams` counts what that means now, and empty for the changes of a market's list.
    `stream_type` is empty for a raw name.  `options` are those of its delivery.
    """

    market: Market
    stream: str = ""
    stream_type: str = ""
    streams: int = 1
    options: dict[str, object] = {}

    @property
    def is_pattern(self) -> bool:
        """Whether it is ALL."""
        return self.stream.startswith("*")


class Subscriptions:
    """The subscriptions of one session."""

    def __init__(self, default: Market, envelope: forms.Envelope) -> None:
        self._default = default
        self._envelope = envelope
        self._typed: dict[Topic, dict[str, Stream]] = {}
        self._patterns: dict[Topic, dict[str, Stream]] = {}
        self._raw: dict[Stream, dict[Delivery, None]] = {}
        self._followed: dict[Market, None] = {}
        self._ledger = Ledger()

    def __len__(self) -> int:
        """How many (stream, form) pairs are listened to."""
        return len(self._ledger)

    def __iter__(self) -> Iterator[Subscription]:
        for topic, streams in self._typed.items():
            for stream in streams.values():
                yield Subscription(topic.market, stream.name, topic.stream_type, 1, spelled(topic.delivery))
        for stream, deliveries in self._raw.items():
            for delivery in deliveries:
                yield Subscription(stream.market, stream.name, "", 1, spelled(delivery))
        for market in self._followed:
            yield Subscription(market, stream_type=SYMBOLS)
        for topic, streams in self._patterns.items():
            name = topic.name("*")
            yield Subscription(topic.market, name, topic.stream_type, len(streams), spelled(topic.delivery))

    @property
    def streams(self) -> list[Stream]:
        """The streams that are listened to, twice where in two forms."""
        return [stream for stream, _ in self._ledger]

    def news(self, topic: Topic, streams: Iterable[Stream]) -> int:
        """How many (stream, form) pairs these would add."""
        return self._news((stream, self._form(topic, stream)) for stream in streams)

    def news_raw(self, streams: Iterable[Stream], delivery: Delivery) -> int:
        """The same of raw names."""
        return self._news((stream, self._form_raw(stream, delivery)) for stream in streams)

    def _news(self, entries: Iterable[tuple[Stream, Form]]) -> int:
        return sum(entry not in self._ledger for entry in set(entries))

    def add(self, topic: Topic, subject: str, stream: Stream) -> list[Effect]:
        """Subscribe one symbol."""
        held = self._typed.setdefault(topic, {})
        if subject in held:
            return []
        held[subject] = stream
        return self._ledger.add(stream, self._form(topic, stream))

    def add_pattern(self, topic: Topic, listing: Listing) -> list[Effect]:
        """Subscribe all symbols, also those listed later."""
        self._patterns.setdefault(topic, {})
        return self._follow(topic, listing)

    def add_raw(self, stream: Stream, delivery: Delivery) -> list[Effect]:
        """Subscribe one raw name."""
        held = self._raw.setdefault(stream, {})
        if delivery in held:
            return []
        held[delivery] = None
        return self._ledger.add(stream, self._form_raw(stream, delivery))

    def follow(self, market: Market) -> None:
        """Subscribe the changes of a market's list."""
        self._followed[market] = None

    def unfollow(self, market: Market) -> None:
        """Unsubscribe the changes of a market's list."""
        self._followed.pop(market, None)

    def follows(self, market: Market) -> bool:
        """Whether the changes of a market's list are subscribed."""
        return market in self._followed

    def named(self, market: Market) -> list[Stream]:
        """The streams of a market that are subscribed by name, each once."""
        typed = (stream for streams in self._typed.values() for stream in streams.values())
        return [stream for stream in dict.fromkeys([*typed, *self._raw]) if stream.market is market]

    def topics(self, market: Market, stream_type: str) -> list[Topic]:
        """The variants of a stream type that are subscribed now."""
        held = dict.fromkeys([*self._typed, *self._patterns])
        return [topic for topic in held if topic.market is market and topic.stream_type == stream_type]

    def remove(self, topic: Topic, subject: str) -> list[Effect]:
        """Unsubscribe one symbol; ALL removes the pattern and every symbol.  What is not subscribed is no error."""
        if subject != ALL:
            return self._remove_typed(topic, [subject])
        effects = self._remove_typed(topic, list(self._typed.get(topic, ())))
        for stream in self._patterns.pop(topic, {}).values():
            effects += self._ledger.remove(stream, self._form(topic, stream))
        return effects

    def remove_raw(self, stream: Stream, is_meant: Callable[[Delivery], bool]) -> list[Effect]:
        """Unsubscribe one raw name, in every delivery that is meant."""
        held = self._raw.get(stream)
        if held is None:
            return []
        effects: list[Effect] = []
        for delivery in list(filter(is_meant, held)):
            del held[delivery]
            effects += self._ledger.remove(stream, self._form_raw(stream, delivery))
        if not held:
            del self._raw[stream]
        return effects

    def refresh(self, listing: Listing) -> list[Effect]:
        """Let the patterns of a market follow its catalogue."""
        followed = [topic for topic in self._patterns if topic.market is listing.market]
        return [effect for topic in followed for effect in self._follow(topic, listing)]

    def clear(self) -> list[Effect]:
        """Unsubscribe everything."""
        self._typed.clear()
        self._patterns.clear()
        self._raw.clear()
        self._followed.clear()
        return self._ledger.clear()

    def _follow(self, topic: Topic, listing: Listing) -> list[Effect]:
        held = self._patterns[topic]
        wanted = topic.everything(listing)
        effects: list[Effect] = []
        for subject in [subject for subject in held if subject not in wanted]:
            stream = held.pop(subject)
            effects += self._ledger.remove(stream, self._form(topic, stream))
        for subject, stream in topic.streams(wanted - held.keys()).items():
            held[subject] = stream
            effects += self._ledger.add(stream, self._form(topic, stream))
        return effects

    def _remove_typed(self, topic: Topic, subjects: list[str]) -> list[Effect]:
        held = self._typed.get(topic)
        if held is None:
            return []
        effects: list[Effect] = []
        for subject in subjects:
            stream = held.pop(subject, None)
            if stream is not None:
                effects += self._ledger.remove(stream, self._form(topic, stream))
        if not held:
            del self._typed[topic]
        return effects

    def _form(self, topic: Topic, stream: Stream) -> Form:
        name_market = stream.market is not self._default
        return forms.typed(topic.stream_type, stream, self._envelope, topic.delivery, name_market=name_market)

    def _form_raw(self, stream: Stream, delivery: Delivery) -> Form:
        name_market = stream.market is not self._default
        return forms.raw(stream, delivery, name_market=name_market, envelope=self._envelope)
