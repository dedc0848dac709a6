"""Handshakes in good form and in all others."""

from collections.abc import Mapping
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from fsnats.websocket import handshake
from fsnats.websocket.handshake import Request, Response, acceptance, asks_for_websocket, read, refusal

LINES = {
    "Host": "x",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def head(target: str = "/", **changed: str | None) -> bytes:
    """A handshake; fields by their names with underscores, None for leaving one out."""
    return made(target, {name.replace("_", "-"): value for name, value in changed.items()})


def made(target: str, changed: Mapping[str, str | None]) -> bytes:
    lines = [f"{name}: {value}" for name, value in {**LINES, **changed}.items() if value is not None]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode("utf-8", "surrogateescape")


def request(changed: Mapping[str, str | None] | None = None, target: str = "/") -> Request:
    found = read(made(target, changed or {}))
    assert found is not None
    return found


def test_the_example_of_the_rfc_is_accepted() -> None:
    assert refusal(request()) is None
    assert acceptance(request(), b"X: y\r\n") == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX: y\r\n\r\n"
    )


def test_a_library_accepts_the_answer_to_its_own_handshake() -> None:
    client = ClientProtocol(parse_uri("ws://x/ws/btcusdt@trade?a=1"))
    client.send_request(client.connect())
    asked = read(b"".join(client.data_to_send()))
    assert asked is not None
    assert (asked.path, asks_for_websocket(asked), refusal(asked)) == ("/ws/btcusdt@trade?a=1", True, None)
    client.receive_data(acceptance(asked))
    assert client.handshake_exc is None
    assert client.events_received()


@pytest.mark.parametrize(
    "changed",
    [
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "UPGRADE"},
        {"Upgrade": "WebSocket"},
        {"Upgrade": "h2c, websocket"},
        {"Content-Length": "0"},
        {"User-Agent": "Ünï\udcff"},
        {"X": ""},
    ],
)
def test_what_clients_also_send_is_accepted(changed: dict[str, str]) -> None:
    found = request(changed)
    assert asks_for_websocket(found)
    assert refusal(found) is None


@pytest.mark.parametrize(
    "changed",
    [{"Upgrade": None}, {"Upgrade": "h2c"}, {"Connection": None}, {"Connection": "close"}],
)
def test_a_request_that_does_not_ask_for_it_is_not_one(changed: dict[str, str | None]) -> None:
    assert not asks_for_websocket(request(changed))


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": None}, 426),
        ({"Host": None}, 400),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ"}, 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
        ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, 400),
        ({"Sec-WebSocket-Key": "\udcff"}, 400),
        ({"Content-Length": "5"}, 400),
        ({"Transfer-Encoding": "chunked"}, 400),
    ],
)
def test_a_handshake_in_bad_form_is_refused(changed: dict[str, str | None], status: int) -> None:
    response = refusal(request(changed))
    assert response is not None
    assert response.status == status
    assert response.text.endswith("\n")


def test_a_url_that_is_too_long_is_refused() -> None:
    response = refusal(request(target="/" + "x" * handshake.TARGET_BYTES))
    assert response is not None
    assert response.status == 414


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\rY: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        b"",
    ],
)
def test_other_bytes_are_not_read(data: bytes) -> None:
    assert read(data) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_not(data: bytes) -> None:
    found = read(b"GET /" + data + b" HTTP/1.1\r\nX:" + data + handshake.END)
    assert found is None or found.headers.get_all("x") == [data.decode("ascii", "surrogateescape").strip(" \t")]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/ws?a=http://x/", "/ws?a=http://x/"),
        ("http://host:80/api?a=b", "/api?a=b"),
        ("WSS://host?a", "/?a"),
        ("ws://host", "/"),
        ("*", "*"),
    ],
)
def test_a_target_may_name_the_server(target: str, path: str) -> None:
    found = read(f"GET {target} HTTP/1.1\r\n\r\n".encode())
    assert found is not None
    assert found.path == path


def test_fields_are_found_in_any_case_and_in_order() -> None:
    headers = request({"X-A": "1", "x-a": "2", "Cookie": " c "}).headers
    assert headers.get_all("X-a") == ["1", "2"]
    assert headers.get_all("cookie") == ["c"]
    assert headers.get_all("nothing") == []


def test_a_refusal_says_how_long_it_is_and_ends_the_connection() -> None:
    response = Response(HTTPStatus.UNAUTHORIZED, "nö\n", (("WWW-Authenticate", "Bearer"),))
    assert response.serialize() == (
        b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 4\r\nWWW-Authenticate: Bearer\r\n\r\n" + "nö\n".encode()
    )


def test_a_refusal_may_tell_of_bytes_that_are_no_text() -> None:
    assert Response(HTTPStatus.FORBIDDEN, "'\udcff'").serialize().endswith(b"Content-Length: 3\r\n\r\n'\xff'")
