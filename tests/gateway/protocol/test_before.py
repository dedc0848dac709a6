import json

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import BadCommand
from gateway.effects import History, Listen, Resume, Send, Snapshot
from gateway.protocol import forms
from gateway.protocol.before import Before, before_of

TRADES = parse(Market.SPOT, "btcusdt@aggTrade")
TICKER = parse(Market.SPOT, "btcusdt@ticker")


def _read(**fields: object) -> Before:
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return before_of(*(raw.get(name, msgspec.UNSET) for name in ("snapshot", "history", "resume")))


def _befores(before: Before) -> list[object]:
    listens = [Listen(stream, forms.BARE) for stream in (TRADES, TICKER)]
    applied = before.applied([Send(b"{}"), *listens])
    assert applied[0] == Send(b"{}")
    return [each.before for each in applied if isinstance(each, Listen)]


def test_states_begin_with_their_newest_value_unless_it_is_not_wanted() -> None:
    assert _befores(_read()) == [None, Snapshot()]
    assert _befores(_read(snapshot=False)) == [None, None]


def test_history_and_resumption_take_the_place_of_a_snapshot() -> None:
    assert _befores(_read(history=5)) == [History(5), History(5)]
    resume = {"btcusdt@ticker": {"epoch": 7, "seq": 3}}
    assert _befores(_read(resume=resume, history=5)) == [History(5), Resume(7, 3)]


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"snapshot": 1}, "'snapshot' must be true or false"),
        ({"history": -1}, "'history' must be 0 to 1000"),
        ({"history": 1001}, "'history' must be 0 to 1000"),
        ({"history": "5"}, "'history' must be an integer"),
        ({"resume": []}, "'resume' must be an object"),
        ({"resume": {"a@trade": 5}}, "'resume' of 'a@trade' must be an object with integers 'epoch' and 'seq'"),
        ({"resume": {"a@trade": {"epoch": 1}}}, "'resume' of 'a@trade' must be an object"),
        ({"resume": {"a@trade": {"epoch": 1, "seq": -1}}}, "'epoch' and 'seq' are not negative"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(fields: dict[str, object], part: str) -> None:
    with pytest.raises(BadCommand) as caught:
        _read(**fields)
    assert part in caught.value.message


def test_only_what_is_subscribed_can_be_resumed() -> None:
    with pytest.raises(BadCommand, match="ethusdt@trade"):
        _read(resume={"ethusdt@trade": {"epoch": 1, "seq": 1}}).require({TRADES})


@pytest.mark.parametrize("name", ["btcusdt@ticker", "btcusdt@kline_1d@+08:00", "btcusdt@depth"])
def test_only_what_rest_remembers_has_a_history(name: str) -> None:
    with pytest.raises(BadCommand, match="has none"):
        _read(history=5).require({parse(Market.SPOT, name)})
    _read(history=5).require({TRADES, parse(Market.SPOT, "btcusdt@kline_1d")})
