import pytest

from fsnats.errors import Unusable
from gateway.rest.single import parameters, single, whole


def test_each_known_parameter_has_its_one_value() -> None:
    assert single({"a": ["1"], "b": [""]}, ("a", "b", "c")) == {"a": "1", "b": ""}


def test_what_is_unknown_or_there_twice_is_named() -> None:
    with pytest.raises(Unusable, match="unknown parameter 'x'; allowed: a, b"):
        single({"a": ["1"], "x": ["2"]}, ("b", "a"))
    with pytest.raises(Unusable, match="parameter 'a' is given 2 times"):
        single({"a": ["1", "1"]}, ("a",))


def test_a_query_is_read_and_a_token_is_known_everywhere() -> None:
    assert parameters("a=%20x&b=&token=t", ("a", "b")) == {"a": " x", "b": "", "token": "t"}
    assert parameters("a=%ff", ("a",)) == {"a": "\ufffd"}
    with pytest.raises(Unusable, match="unknown parameter 'x'; allowed: a, token"):
        parameters("x=1", ("a",))


def test_a_query_of_far_too_many_is_not_read() -> None:
    with pytest.raises(Unusable, match="more than 32 parameters"):
        parameters("&".join(f"a{n}=1" for n in range(33)), ("a",))


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("500", 500)])
def test_a_number_in_its_bounds_is_read(text: str, number: int) -> None:
    assert whole(text, 1, 500) == number


@pytest.mark.parametrize("text", ["", "0", "501", "-1", "+1", "1.0", "1_0", " 1", "٣", "²", "0001", "1" * 5000])
def test_what_is_no_number_in_these_bounds_is_not_read(text: str) -> None:
    assert whole(text, 1, 500) is None
