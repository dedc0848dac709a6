"""The options that say how a stream is delivered."""

import msgspec
import pytest

from fsnats.binance.streams import Market, Stream, parse
from fsnats.errors import BadCommand
from gateway.effects import PLAIN, Delivery, OnSlow
from gateway.protocol.delivery import Given, applied, given_in, has, require_fit, spelled

STRICT = Delivery(OnSlow.DISCONNECT)
KLINE, TRADE, TICKER = (parse(Market.SPOT, f"btcusdt@{rest}") for rest in ("kline_1m", "trade", "ticker"))


def given(**options: object) -> Given:
    return given_in({name: msgspec.Raw(msgspec.json.encode(value)) for name, value in options.items()})


def test_what_is_not_given_is_the_sessions() -> None:
    assert applied(given(), STRICT) == STRICT
    assert applied(given(onSlow=None, interval="1m"), PLAIN) == PLAIN
    assert applied(given(onSlow="disconnect"), PLAIN) == STRICT
    assert applied(given(onSlow="gap"), STRICT) == PLAIN
    assert applied(given(maxRate=2), STRICT) == STRICT._replace(max_rate=2.0)
    assert applied(given(maxRate=0.5, closedOnly=False), PLAIN) == Delivery(max_rate=0.5)
    assert applied(given(closedOnly=True), PLAIN) == Delivery(closed_only=True)


def test_a_delivery_is_meant_by_what_is_given_of_it() -> None:
    assert has(STRICT, given())
    assert has(STRICT, given(onSlow="disconnect"))
    assert not has(PLAIN, given(onSlow="disconnect"))


def test_only_what_differs_from_the_plain_delivery_is_spelled() -> None:
    assert spelled(PLAIN) == {}
    assert spelled(STRICT) == {"onSlow": "disconnect"}
    assert spelled(Delivery(max_rate=2.0, closed_only=True)) == {"maxRate": 2, "closedOnly": True}
    assert spelled(Delivery(max_rate=0.5)) == {"maxRate": 0.5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"onSlow": "drop"}, "'onSlow' must be one of gap, disconnect"),
        ({"onSlow": True}, "'onSlow' must be a string"),
        ({"maxRate": 0}, "'maxRate' must be 0.01 to 100 messages a second"),
        ({"maxRate": -1}, "'maxRate' must be 0.01 to 100 messages a second"),
        ({"maxRate": 100.5}, "'maxRate' must be 0.01 to 100 messages a second"),
        ({"maxRate": "2"}, "'maxRate' must be a number"),
        ({"maxRate": True}, "'maxRate' must be a number"),
        ({"closedOnly": 1}, "'closedOnly' must be true or false"),
    ],
)
def test_wrong_values(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadCommand) as error:
        given(**options)
    assert (error.value.code, error.value.message) == ("INVALID_FIELD", message)


@pytest.mark.parametrize("delivery", [PLAIN, STRICT, Delivery(max_rate=1.0), Delivery(closed_only=True)])
def test_every_delivery_fits_candles(delivery: Delivery) -> None:
    require_fit(delivery, [KLINE])


@pytest.mark.parametrize(
    ("delivery", "streams", "message", "part"),
    [
        (
            Delivery(max_rate=1.0),
            [TICKER, TRADE],
            "'maxRate' is for states, of which the newest is enough; btcusdt@trade is not one",
            ["btcusdt@trade"],
        ),
        (
            Delivery(closed_only=True),
            [KLINE, TRADE, TICKER],
            "'closedOnly' is for candles; btcusdt@ticker is not one",
            ["btcusdt@ticker", "btcusdt@trade"],
        ),
        (
            Delivery(max_rate=1.0, closed_only=True),
            [KLINE],
            "'maxRate' does not go with 'closedOnly': closed candles are events",
            None,
        ),
    ],
)
def test_what_does_not_fit_is_named(delivery: Delivery, streams: list[Stream], message: str, part: object) -> None:
    with pytest.raises(BadCommand) as error:
        require_fit(delivery, streams)
    assert (error.value.code, error.value.message, error.value.part) == ("UNSUITABLE_OPTION", message, part)
