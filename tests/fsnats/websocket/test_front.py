"""The first bytes of connections, however they come."""

import asyncio
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fsnats.websocket.front import HEAD_BYTES, Front
from tests.fsnats.websocket.test_handshake import head


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


class Clock:
    """Deadlines that are looked at, not waited for."""

    def __init__(self) -> None:
        self.running: set[Front] = set()
        self.add = self.running.add
        self.discard = self.running.discard


class Door:
    """One connection at a front, and what becomes of it."""

    def __init__(self) -> None:
        self.wire, self.clock = Wire(), Clock()
        self.connections: set[Any] = set()
        self.refused: list[HTTPStatus] = []
        self.handed: tuple[str, str, bytes] | None = None
        deadlines: Any = self.clock
        self.front = Front(self._websocket, self._http, self.connections, deadlines, self.refused.append)
        self.front.connection_made(self.wire)

    def _websocket(self, transport: Any, request: Any, rest: bytes) -> None:
        assert self.handed is None
        self.handed = ("websocket", request.path, rest)

    def _http(self, transport: Any, read: bytes) -> None:
        assert self.handed is None
        self.handed = ("http", "", read)

    def receive(self, *pieces: bytes) -> "Door":
        """Let pieces arrive until the connection is handed on or closed, and add the rest to what was handed on."""
        for piece in pieces:
            if self.handed is None and not self.wire.closed:
                self.front.data_received(piece)
            elif self.handed is not None:
                kind, path, rest = self.handed
                self.handed = (kind, path, rest + piece)
        return self


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in pairwise(edges)]


def test_a_handshake_is_handed_on_with_what_came_behind_it() -> None:
    door = Door().receive(head("/ws/a@trade") + b"\x81\x80rest")
    assert door.handed == ("websocket", "/ws/a@trade", b"\x81\x80rest")
    assert not door.connections
    assert not door.clock.running


def test_every_other_request_is_https_affair_from_its_first_byte() -> None:
    for request in (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        head(Upgrade="h2c"),
        b"POST / HTT",
        b"\x16\x03\x01",
        b"\r\nGET /",
        b"GET / HTTP/1.1\r\nbad line\r\n\r\nrest",
    ):
        door = Door().receive(request)
        assert door.handed == ("http", "", request)


heads = st.sampled_from([head("/ws"), head("/x", Upgrade="h2c"), b"GET / HTTP/1.1\r\n\r\n", b"PUT / HTTP/1.1\r\n\r\n"])


@given(heads, st.binary(max_size=50), st.lists(st.integers(0, 10_000), max_size=10))
def test_however_it_is_cut_the_same_is_handed_on(request: bytes, rest: bytes, at: list[int]) -> None:
    data = request + rest
    assert Door().receive(*cut(data, at)).handed == Door().receive(data).handed


@given(st.binary(max_size=100), st.lists(st.integers(0, 10_000), max_size=10), st.booleans())
def test_of_any_bytes_none_is_lost(data: bytes, at: list[int], begins_well: bool) -> None:
    data = b"GET " + data if begins_well else data
    door = Door().receive(*cut(data, at))
    if door.handed is not None:
        assert door.handed[2] == data
    else:
        assert b"GET ".startswith(data) or data.startswith(b"GET ")
        assert b"\r\n\r\n" not in data
        assert door.clock.running == {door.front}


def test_who_does_not_come_to_an_end_is_refused() -> None:
    door = Door().receive(b"GET / HTTP/1.1\r\n")
    door.front.expire()
    assert door.wire.written.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert door.wire.closed
    assert door.refused == [408]

    door = Door().receive(b"GET / HTTP/1.1\r\n", *[b"x: y\r\n" * 1000] * (HEAD_BYTES // 6000 + 1))
    assert door.wire.written.startswith(b"HTTP/1.1 431 ")
    assert door.refused == [431]
    assert not door.connections
    assert not door.clock.running


def test_who_leaves_is_forgotten() -> None:
    door = Door().receive(b"GET / HT")
    door.front.connection_lost(None)
    assert not door.connections
    assert not door.clock.running
    assert not door.refused
