"""Only the first and the last subscription of a stream matter."""

import pytest

from fsnats.binance.streams import parse
from gateway.effects import Form, Leave, Listen
from gateway.protocol.ledger import Ledger
from tests.gateway.protocol.worlds import SPOT

TRADE, TICKER = parse(SPOT, "btcusdt@trade"), parse(SPOT, "btcusdt@ticker")
A, B = Form(b"a", b""), Form(b"b", b"")


def test_second_subscription_of_a_stream_changes_nothing() -> None:
    ledger = Ledger()

    assert ledger.add(TRADE, A) == [Listen(TRADE, A)]
    assert ledger.add(TRADE, A) == []
    assert len(ledger) == 1


def test_stream_is_left_with_its_last_subscription() -> None:
    ledger = Ledger()
    ledger.add(TRADE, A)
    ledger.add(TRADE, A)

    assert ledger.remove(TRADE, A) == []
    assert ledger.remove(TRADE, A) == [Leave(TRADE, A)]
    assert (TRADE, A) not in ledger


def test_forms_of_one_stream_are_counted_apart() -> None:
    ledger = Ledger()
    ledger.add(TRADE, A)

    assert ledger.add(TRADE, B) == [Listen(TRADE, B)]
    assert ledger.remove(TRADE, A) == [Leave(TRADE, A)]
    assert list(ledger) == [(TRADE, B)]


def test_clear_leaves_everything_once() -> None:
    ledger = Ledger()
    ledger.add(TRADE, A)
    ledger.add(TRADE, A)
    ledger.add(TICKER, B)

    assert ledger.clear() == [Leave(TRADE, A), Leave(TICKER, B)]
    assert ledger.clear() == []


def test_removing_what_was_never_added_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Ledger().remove(TRADE, A)
