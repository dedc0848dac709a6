"""Reading requests, and echoing ids byte for byte."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.wire import BadId, NotAnObject, NotJson, id_of, read


class Thing(msgspec.Struct):
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


decoder = msgspec.json.Decoder(Thing)


@pytest.mark.parametrize("text", ["", "{", "[", '{"id":', "[tru", "ping", '{"id":01}', "{}x", "NaN", '"\ud800'])
def test_text_that_is_not_json(text: str) -> None:
    with pytest.raises(NotJson):
        read(text, decoder)


@pytest.mark.parametrize("text", ["5", "null", '"x"', "[]", "[1, 2]", "true"])
def test_json_that_is_not_an_object(text: str) -> None:
    with pytest.raises(NotAnObject):
        read(text, decoder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"id":' * 100_000, '{"id":' + "[" * 100_000])
def test_bottomless_nesting_is_not_json(text: str) -> None:
    with pytest.raises(NotJson):
        read(text, decoder)


@pytest.mark.parametrize(
    "spelled", ["0", "-1", "7", "9223372036854775807", "18446744073709551615", '""', '"a"', "null"]
)
def test_id_keeps_its_spelling(spelled: str) -> None:
    assert id_of(read(f'{{"id": {spelled} }}', decoder).id) == spelled.encode()


@pytest.mark.parametrize("spelled", ["1.0", "1e3", "true", "[]", "{}", "18446744073709551616", "-9223372036854775809"])
def test_id_of_another_type_is_refused(spelled: str) -> None:
    with pytest.raises(BadId):
        id_of(read(f'{{"id":{spelled}}}', decoder).id)


def test_id_of_ten_thousand_digits_is_refused() -> None:
    with pytest.raises(BadId):
        id_of(read('{"id":' + "9" * 10_000 + "}", decoder).id)


def test_absent_id_is_none() -> None:
    assert id_of(read("{}", decoder).id) is None


@given(st.text(st.characters()))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text, decoder)
    except (NotJson, NotAnObject):
        return
