from http import HTTPStatus

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.http11 import Response

from fsnats.client.conversation import Forbidden, Rejected
from fsnats.client.refusals import passing, seconds_of, text_of, unusable
from fsnats.exits.verdicts import BAN_MOST


def refusal(status: int, body: bytes = b"because\n") -> InvalidStatus:
    return InvalidStatus(Response(status, HTTPStatus(status).phrase, Headers(), body))


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_missing_or_wrong_is_so_for_good(status: int) -> None:
    with pytest.raises(Forbidden, match=f"the gateway answers {status}: because$"):
        passing(refusal(status))


@pytest.mark.parametrize("status", [400, 404, 405, 410, 426])
def test_so_is_a_request_that_is_wrong(status: int) -> None:
    with pytest.raises(Rejected, match=f"{status}: the gateway refuses: because$"):
        passing(refusal(status))


@pytest.mark.parametrize("status", [301, 408, 425, 429, 500, 502, 503])
def test_everything_else_may_pass(status: int) -> None:
    assert passing(refusal(status)) == f"the gateway answers {status}: because"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ([], 0.0),
        (["2"], 2.0),
        (["2", "7"], 7.0),  # a proxy on the way added one
        (["Fri, 20 Nov 2026 20:30:00 GMT"], 0.0),
        (["inf"], 0.0),
        (["nan"], 0.0),
        (["9" * 400], BAN_MOST),
    ],
)
def test_it_says_for_how_long(told: list[str], seconds: float) -> None:
    error = refusal(503)
    for each in told:
        error.response.headers["Retry-After"] = each
    assert seconds_of(error) == seconds


def test_its_sentence_is_shown_whatever_it_is() -> None:
    assert text_of(refusal(503, b"\xff" * 500)) == "\ufffd" * 200


def test_what_is_wrong_with_a_url_is_said_without_it() -> None:
    assert str(unusable(InvalidURI("ws://s3cr3t@h", "no password"), "h")) == "'h': no password"
