from http import HTTPStatus

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.http11 import Response

from fsnats.client.conversation import Forbidden, Rejected
from fsnats.client.refusals import passing, seconds_of, text_of, unusable


def refusal(status: int, body: bytes = b"because\n", **fields: str) -> InvalidStatus:
    headers = Headers({name.replace("_", "-"): value for name, value in fields.items()})
    return InvalidStatus(Response(status, HTTPStatus(status).phrase, headers, body))


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


def test_it_says_for_how_long() -> None:
    assert seconds_of(refusal(503, Retry_After="2.5")) == 2.5
    assert seconds_of(refusal(503)) == 0
    assert seconds_of(refusal(503, Retry_After="Fri, 20 Nov 2026 20:30:00 GMT")) == 0
    assert text_of(refusal(503, b"\xff" * 500)) == "\ufffd" * 200


def test_what_is_wrong_with_a_url_is_said_without_it() -> None:
    assert str(unusable(InvalidURI("ws://s3cr3t@h", "no password"), "h")) == "'h': no password"
