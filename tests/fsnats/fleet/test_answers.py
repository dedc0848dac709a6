import msgspec
import pytest

from fsnats.fleet.answers import sorted_out


class Shape(msgspec.Struct):
    program: str
    number: int


def test_what_cannot_be_read_is_told_by_its_program_and_costs_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    answers = [
        b'{"program":"a","number":1}',
        b'{"program":"newer","number":"one"}',
        b'{"program":"\xff","number":2}',
        b"babble",
        b'{"program":"b","number":2}',
    ]
    found, unread = sorted_out(answers, msgspec.json.Decoder(Shape).decode)
    assert found == [Shape("a", 1), Shape("b", 2)]
    assert unread == ["newer", "?", "?"]
    assert caplog.text.count("cannot be read") == 3
