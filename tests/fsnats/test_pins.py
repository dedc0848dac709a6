import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from fsnats.pins import Pin, Table, checked, flag, subject


def put(table: Table, session: str, name: str, market: Market = Market.SPOT) -> None:
    table.put(subject(session, market, name), msgspec.json.encode(Pin(market, name, 7)))


def test_sessions_have_pins_of_their_own_and_the_same_stream_is_held_once() -> None:
    table = Table()
    put(table, "a", "btcusdt@ticker")
    put(table, "a", "币安usdt@kline_1m")
    put(table, "b", "btcusdt@ticker")

    assert table.sessions == ["a", "b"]
    assert [pin.stream for pin in table.pins("a")] == ["btcusdt@ticker", "币安usdt@kline_1m"]
    assert table.held() == {(Market.SPOT, "btcusdt@ticker"), (Market.SPOT, "币安usdt@kline_1m")}


def test_a_disconnected_session_keeps_its_pins_and_holds_none_of_them() -> None:
    table = Table()
    put(table, "a", "btcusdt@ticker")
    put(table, "b", "ethusdt@ticker")
    table.put(flag("a"), b"false")

    assert not table.is_connected("a")
    assert len(table.pins("a")) == 1
    assert table.held() == {(Market.SPOT, "ethusdt@ticker")}
    table.put(flag("a"), b"true")
    assert len(table.held()) == 2


def test_an_empty_value_takes_a_pin_out_and_what_cannot_be_read_is_passed_over() -> None:
    table = Table()
    put(table, "a", "btcusdt@ticker")
    table.put(subject("a", Market.SPOT, "btcusdt@ticker"), b"")
    table.put(subject("a", Market.SPOT, "ethusdt@ticker"), b"{}")

    assert table.held() == set()
    table.clear()
    assert table.sessions == []


@pytest.mark.parametrize("name", ["", "a.b", "*", ">", "a b", "x" * 65, "é"])
def test_a_session_is_named_by_what_a_subject_can_hold(name: str) -> None:
    with pytest.raises(Unusable, match="letters, digits"):
        checked(name)
    assert checked("Default_1-x") == "Default_1-x"
