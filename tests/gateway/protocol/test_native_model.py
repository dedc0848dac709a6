"""The native session against a model that is nothing but sets."""

import json
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.changes import between
from fsnats.symbols import Listing
from gateway.effects import Close, Effect, Form, Leave, Listen, Send
from gateway.protocol.native import NativeSession
from tests.gateway.protocol.worlds import EVERY, SPOT, USDM, listing, sent

# Few words, so that histories meet themselves: unsubscribe what they subscribed, overlap, come back.
SYMBOLS = ("AUSDT", "BUSDT")
VARIANTS: dict[tuple[str, str | int | None], str] = {
    ("kline", None): "kline_1m",
    ("kline", "1m"): "kline_1m",
    ("kline", "5m"): "kline_5m",
    ("depth", None): "depth",
    ("depth", 5): "depth5",
}
OPTION = {"kline": "interval", "depth": "level"}


class Step(NamedTuple):
    """One request, in the words of the model.  `value` is the option's, or None where there are no options."""

    kind: str
    market: Market
    stream_type: str  # empty: raw
    value: str | int | None
    names: tuple[str, ...]

    def text(self) -> str:
        fields: dict[str, object] = {"type": self.kind, "market": self.market}
        if not self.stream_type:
            return json.dumps({**fields, "rawStreams": self.names})
        if self.value is not None:
            fields["options"] = {OPTION[self.stream_type]: self.value}
        return json.dumps({**fields, "streamType": self.stream_type, "symbols": self.names})


class Model:
    """Subscriptions as a set of (market, type, variant, symbol or ALL), and of (market, raw name)."""

    def __init__(self) -> None:
        self.typed: set[tuple[Market, str, str, str]] = set()
        self.raw: set[tuple[Market, str]] = set()

    def accepts(self, step: Step, listings: dict[Market, Listing]) -> bool:
        if step.kind == "unsubscribe":
            return True
        symbols = {name.partition("@")[0].upper() for name in step.names} - {"ALL"}
        return symbols <= listings[step.market].trading

    def apply(self, step: Step) -> None:
        names = {name.upper() for name in step.names}
        if not step.stream_type:
            raw = {(step.market, name.lower()) for name in step.names}
            self.raw = self.raw | raw if step.kind == "subscribe" else self.raw - raw
        elif step.kind == "subscribe":
            variant = VARIANTS[step.stream_type, step.value]
            self.typed |= {(step.market, step.stream_type, variant, name) for name in names}
        else:
            variants = {VARIANTS[step.stream_type, step.value]} if step.value is not None else set(VARIANTS.values())
            self.typed = {
                each
                for each in self.typed
                if each[:2] != (step.market, step.stream_type)
                or each[2] not in variants
                or ("ALL" not in names and each[3] not in names)
            }

    def wanted(self, listings: dict[Market, Listing]) -> set[tuple[Market, str, str]]:
        """(market, stream, "typed" or "raw")."""
        found = {(market, name, "raw") for market, name in self.raw}
        for market, _, variant, name in self.typed:
            symbols = listings[market].trading if name == "ALL" else {name}
            found |= {(market, f"{symbol.lower()}@{variant}", "typed") for symbol in symbols}
        return found


def spelled(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, name.lower()])


symbols = st.sampled_from([*SYMBOLS, *SYMBOLS, "ALL", "ALL", "NOSUCH"]).flatmap(spelled)
raw_names = st.builds(
    lambda symbol, rest: f"{symbol.lower()}@{rest}",
    st.sampled_from([*SYMBOLS, "NOSUCH"]),
    st.sampled_from(sorted(set(VARIANTS.values()))),
)
kinds = st.sampled_from(["subscribe", "subscribe", "unsubscribe"])
markets = st.sampled_from([SPOT, SPOT, USDM])


@st.composite
def requests_of_the_model(draw: st.DrawFn) -> Step:
    kind, market = draw(kinds), draw(markets)
    if draw(st.booleans()):
        return Step(kind, market, "", None, tuple(draw(st.lists(raw_names, min_size=1, max_size=2))))
    stream_type, value = draw(st.sampled_from(sorted(VARIANTS, key=str)))
    return Step(kind, market, stream_type, value, tuple(draw(st.lists(symbols, min_size=1, max_size=2))))


steps = requests_of_the_model()
catalogues = st.tuples(markets, st.sets(st.sampled_from(SYMBOLS)))


class Connection:
    """Carries effects out as the gateway does, and insists that every Listen and Leave changes something."""

    def __init__(self) -> None:
        self.open: set[tuple[Market, str, Form]] = set()

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Listen(stream, form):
                    entry = (stream.market, stream.name, form)
                    assert entry not in self.open
                    self.open.add(entry)
                case Leave(stream, form):
                    self.open.remove((stream.market, stream.name, form))

    def heard(self) -> set[tuple[Market, str, str]]:
        """What is open, with the kind of its envelope."""
        found = set()
        for market, name, form in self.open:
            message = json.loads(form.prefix + b"{}" + form.suffix)
            assert message.get("market", SPOT) == market
            assert message.get("stream", name) == name
            found.add((market, name, "typed" if "type" in message else "raw"))
        assert len(found) == len(self.open)
        return found


@settings(max_examples=300)
@given(st.lists(steps | steps | catalogues, min_size=6, max_size=30))
def test_what_is_listened_to_is_what_was_subscribed(history: list[Step | tuple[Market, set[str]]]) -> None:
    listings = {market: listing(market, *SYMBOLS) for market in EVERY}
    client = NativeSession("c", SPOT, EVERY, listings)
    model, connection = Model(), Connection()
    for step in history:
        if not isinstance(step, Step):
            market, symbols_listed = step
            before, listings[market] = listings[market], listing(market, *sorted(symbols_listed))
            connection.carry_out(client.catalogue_changed(between(before, listings[market])))
        else:
            effects = client.receive(step.text())
            connection.carry_out(effects)
            (reply,) = sent(effects)
            if model.accepts(step, listings):
                model.apply(step)
                assert reply["type"] == step.kind + "d"
            else:
                assert reply["type"] == "error"
                assert len(effects) == 1
        assert connection.heard() == model.wanted(listings)
    assert len(client.delivered) == len(connection.open)
    connection.carry_out(client.leave_all())
    assert connection.open == set()


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | symbols | raw_names,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
requests = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["subscribe", "unsubscribe", "listSubscriptions", "ping"]) | values,
    },
    optional={
        "id": values,
        "streamType": st.sampled_from(["kline", "depth", "markPrice", "liquidation"]) | values,
        "symbols": st.lists(symbols) | values,
        "rawStreams": st.lists(raw_names) | values,
        "options": st.dictionaries(st.sampled_from(["interval", "level", "updateSpeed", "contractType"]), values)
        | values,
        "market": st.sampled_from(["spot", "usdm", "coinm"]) | values,
        "isFutures": values,
    },
)


@given(st.text() | st.text('{}[]",:typeping0 ') | requests.map(json.dumps) | values.map(json.dumps))
def test_any_text_is_answered_once_and_an_error_changes_nothing(text: str) -> None:
    listings = {market: listing(market, *SYMBOLS) for market in EVERY}
    client = NativeSession("c", SPOT, EVERY, listings)
    client.receive('{"type":"subscribe","streamType":"kline","symbols":["ALL","ausdt"]}')
    client.receive('{"type":"subscribe","rawStreams":["ausdt@depth5"]}')
    before, open_before = client.subscriptions, client.delivered

    effects = client.receive(text)

    (reply,) = sent(effects)
    assert {type(effect) for effect in effects} <= {Send, Listen, Leave, Close}
    if reply["type"] == "error":
        assert len(effects) == 1
        assert client.subscriptions == before
        assert client.delivered == open_before
