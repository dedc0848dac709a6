import pytest

from fsnats.errors import Unusable
from gateway.rest.single import single


def test_each_known_parameter_has_its_one_value() -> None:
    assert single({"a": ["1"], "b": [""]}, ("a", "b", "c")) == {"a": "1", "b": ""}


def test_what_is_unknown_or_there_twice_is_named() -> None:
    with pytest.raises(Unusable, match="unknown parameter 'x'; allowed: a, b"):
        single({"a": ["1"], "x": ["2"]}, ("b", "a"))
    with pytest.raises(Unusable, match="parameter 'a' is given 2 times"):
        single({"a": ["1", "1"]}, ("a",))
