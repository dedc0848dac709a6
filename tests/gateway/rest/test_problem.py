import json

from gateway.rest.problem import Problem


def test_a_problem_says_what_was_wrong_and_what_helps() -> None:
    problem = Problem(429, "more than 5 requests a second", "TOO_MANY_REQUESTS", 0.2)
    assert json.loads(problem.body) == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "more than 5 requests a second",
        "code": "TOO_MANY_REQUESTS",
    }
    assert problem.fields == {"content-type": "application/problem+json", "retry-after": "1"}
    assert Problem(401, "x").fields["www-authenticate"] == "Bearer"
    assert Problem(405, "x", allow="GET").fields["allow"] == "GET"


def test_bytes_that_are_no_text_are_told_as_such() -> None:
    assert json.loads(Problem(404, "nothing at /\udcff").body)["detail"] == "nothing at /\ufffd"
