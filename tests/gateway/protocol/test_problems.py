"""The error replies of the native dialect."""

import json

from gateway.protocol.problems import Problem, bad, error_reply, unknown, with_id


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


def test_a_sentence_does_not_repeat_a_megabyte() -> None:
    assert len(str(unknown(Problem.UNKNOWN_TYPE, "type", "x" * 1_000_000, ["ping"]))) < 200


def test_bad_names_the_code_as_text() -> None:
    assert type(bad(Problem.NOT_READY, "why").code) is str
