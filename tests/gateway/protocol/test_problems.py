"""The error replies of the native dialect."""

import json

from gateway.protocol.problems import Problem, bad, error_reply, several, unknown, with_id


def test_codes_are_stable_upper_snake_words() -> None:
    for problem in Problem:
        assert problem == problem.name == problem.upper()
        assert problem.replace("_", "").isalpha()
        assert problem.meaning


def test_error_reply_leaves_out_what_there_is_not() -> None:
    assert json.loads(error_reply("X", "why")) == {"type": "error", "code": "X", "message": "why"}


def test_error_reply_carries_the_offending_part_and_the_id() -> None:
    reply = error_reply("X", "why", ["a"], **with_id(b"7"))
    assert reply == b'{"type":"error","code":"X","message":"why","part":["a"],"id":7}'


def test_null_id_is_echoed_as_null() -> None:
    assert error_reply("X", "why", **with_id(b"null")).endswith(b'"id":null}')


def test_unknown_value_names_what_is_allowed() -> None:
    error = unknown(Problem.UNKNOWN_LEVEL, "depth level", 7, (5, 10, 20), "spot")
    assert str(error) == "unknown depth level '7' on spot; allowed: 5, 10, 20"
    assert (error.code, error.part) == ("UNKNOWN_LEVEL", 7)


def test_of_many_that_are_wrong_the_sentence_names_ten_and_the_part_all() -> None:
    error = several(Problem.UNKNOWN_SYMBOL, {f"no{number}": f"no {number} here" for number in range(12)})
    assert str(error).startswith("no 0 here; no 1 here; ")
    assert str(error).endswith("; no 9 here and 2 more")
    assert error.part == [f"no{number}" for number in range(12)]


def test_a_sentence_does_not_repeat_a_megabyte() -> None:
    assert len(str(unknown(Problem.UNKNOWN_TYPE, "type", "x" * 1_000_000, ["ping"]))) < 200


def test_bad_names_the_code_as_text() -> None:
    assert type(bad(Problem.NOT_READY, "why").code) is str
