"""The options that say how a stream is delivered."""

import msgspec
import pytest

from fsnats.errors import BadCommand
from gateway.effects import PLAIN, Delivery, OnSlow
from gateway.protocol.delivery import Given, applied, given_in, has, spelled

STRICT = Delivery(OnSlow.DISCONNECT)


def given(**options: object) -> Given:
    return given_in({name: msgspec.Raw(msgspec.json.encode(value)) for name, value in options.items()})


def test_what_is_not_given_is_the_sessions() -> None:
    assert applied(given(), STRICT) == STRICT
    assert applied(given(onSlow=None, interval="1m"), PLAIN) == PLAIN
    assert applied(given(onSlow="disconnect"), PLAIN) == STRICT
    assert applied(given(onSlow="gap"), STRICT) == PLAIN


def test_a_delivery_is_meant_by_what_is_given_of_it() -> None:
    assert has(STRICT, given())
    assert has(STRICT, given(onSlow="disconnect"))
    assert not has(PLAIN, given(onSlow="disconnect"))


def test_only_what_differs_from_the_plain_delivery_is_spelled() -> None:
    assert spelled(PLAIN) == {}
    assert spelled(STRICT) == {"onSlow": "disconnect"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"onSlow": "drop"}, "'onSlow' must be one of gap, disconnect"),
        ({"onSlow": True}, "'onSlow' must be a string"),
    ],
)
def test_wrong_values(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadCommand) as error:
        given(**options)
    assert (error.value.code, error.value.message) == ("INVALID_FIELD", message)
