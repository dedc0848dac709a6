import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]), st.integers(0, 3), st.sampled_from(["pinned", "gone", "foreign", "on", "off"])
        )
    )
)
def test_what_is_held_is_what_lies_in_the_bucket_whatever_came_before(steps: list[tuple[str, int, str]]) -> None:
    table, values = Table(), dict[str, bytes]()
    for session, number, what in steps:
        where = subject(session, Market.SPOT, f"s{number}usdt@ticker")
        if what in ("on", "off"):
            where, value = flag(session), b"true" if what == "on" else b"false"
        elif what == "pinned":
            value = msgspec.json.encode(Pin(Market.SPOT, f"s{number}usdt@ticker", number))
        else:
            value = b"" if what == "gone" else b"{}"
        values[where] = value
        table.put(where, value)

        anew = Table()
        for each, lies in values.items():
            anew.put(each, lies)
        assert (table.held(), table.sessions, len(table)) == (anew.held(), anew.sessions, len(anew))
        connected = {each for each in "ab" if values.get(flag(each)) != b"false"}
        pinned = {where for where, value in values.items() if value.startswith(b'{"market"')}
        names = {where.rpartition(".")[0].rpartition(".")[2] for where in pinned if where.split(".")[2] in connected}
        assert {stream.partition("@")[0] for _, stream in table.held()} == names
