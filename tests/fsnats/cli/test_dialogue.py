"""The example client's conversation, without I/O."""

import msgspec
import pytest

from fsnats.cli.dialogue import Ask, Dialogue, Quit, Say


@pytest.fixture
def dialogue() -> Dialogue:
    return Dialogue(lambda: 0.0)


def asked(dialogue: Dialogue, line: str) -> list[dict[str, object]]:
    return [effect.request for effect in dialogue.typed(line) if isinstance(effect, Ask)]


def test_the_market_is_named_once_it_was_chosen(dialogue: Dialogue) -> None:
    assert "market" not in asked(dialogue, "s btcusdt")[0]
    dialogue.typed("market usdm")
    assert asked(dialogue, "s btcusdt")[0]["market"] == "usdm"
    assert asked(dialogue, "history btcusdt")[0]["market"] == "usdm"


@pytest.mark.parametrize(
    ("line", "options"),
    [("t depth 20", {"level": "20"}), ("t markPrice 1s", {"updateSpeed": "1s"}), ("t ticker", None), ("t depth", None)],
)
def test_a_variant_becomes_the_option_of_its_type(dialogue: Dialogue, line: str, options: object) -> None:
    dialogue.typed(line)
    assert asked(dialogue, "s btcusdt")[0].get("options") == options


def test_a_new_connection_is_asked_for_what_is_wanted_and_no_more(dialogue: Dialogue) -> None:
    for line in ("s btcusdt ethusdt", "u btcusdt", "s !miniTicker@arr", "t ticker", "s bnbusdt", "u bnbusdt"):
        dialogue.typed(line)
    dialogue.closed()
    wanted = [ask.request.get("symbols") or ask.request["rawStreams"] for ask in dialogue.opened()]
    assert wanted == [["!miniTicker@arr"], ["ethusdt"]]


def test_a_refused_subscription_is_not_asked_for_again(dialogue: Dialogue) -> None:
    (request,) = asked(dialogue, "s nope")
    dialogue.received(msgspec.json.encode({"type": "error", "code": "X", "message": "no", "id": request["id"]}))
    assert dialogue.opened() == []


def test_what_is_unanswered_is_known(dialogue: Dialogue) -> None:
    (request,) = asked(dialogue, "show")
    assert list(dialogue.pending) == [request["id"]]
    dialogue.received(msgspec.json.encode({"type": "subscriptions", "streams": [], "id": request["id"]}))
    assert not dialogue.pending


@pytest.mark.parametrize("line", ["s", "market moon", "t", "history", "history a 1m x", "t kline 1m 2m", "'"])
def test_what_is_not_understood_changes_nothing(dialogue: Dialogue, line: str) -> None:
    (effect,) = dialogue.typed(line)
    assert isinstance(effect, Say)
    assert not dialogue.wanted


def test_the_rest(dialogue: Dialogue) -> None:
    assert dialogue.typed("") == []
    assert dialogue.typed("q") == [Quit()]
    assert isinstance(dialogue.typed("?")[0], Say)
    assert "cannot be read" in dialogue.received("{")
    assert dialogue.received('{"type":"gap","x":1}') == '{"type":"gap","x":1}'
