import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.bus import wire
from fsnats.bus.wire import Info, Message, Parser, Ping, Pong, ServerError, WireError

TOKENS = st.text(st.characters(codec="utf-8", exclude_characters=" \r\n\t", exclude_categories=["Z", "C"]), min_size=1)


def test_what_the_server_sends_is_read() -> None:
    data = (
        b'INFO {"server_id":"x","max_payload":1048576}\r\n+OK\r\n'.replace(b"+OK\r\n", b"")
        + b"PING\r\nPONG\r\nMSG a.b 7 5\r\nhello\r\nMSG a.b 7 in.box 0\r\n\r\n"
        + b"HMSG a 8 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
        + b"HMSG a 8 r 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nhi\r\n"
        + b"-ERR 'Slow Consumer'\r\n"
    )

    assert Parser().receive(data) == [
        Info({"server_id": "x", "max_payload": 1048576}),
        Ping(),
        Pong(),
        Message(7, "a.b", "", b"hello"),
        Message(7, "a.b", "in.box", b""),
        Message(8, "a", "", b"", b"NATS/1.0 503\r\n\r\n"),
        Message(8, "a", "r", b"hi", b"NATS/1.0\r\nK: V\r\n\r\n"),
        ServerError("Slow Consumer"),
    ]


def test_the_status_is_what_a_header_begins_with() -> None:
    statuses = [
        Message(1, "a", "", b"", head).status for head in (b"", b"NATS/1.0\r\n\r\n", b"NATS/1.0 404 No\r\n\r\n")
    ]

    assert statuses == ["", "", "404"]


@given(st.lists(st.tuples(st.integers(1, 999), TOKENS, st.none() | TOKENS, st.binary(max_size=300))), st.data())
def test_however_the_bytes_are_cut_the_messages_are_the_same(
    messages: list[tuple[int, str, str | None, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(
        f"MSG {subject} {sid} {reply + ' ' if reply else ''}{len(payload)}\r\n".encode() + payload + b"\r\n"
        for sid, subject, reply, payload in messages
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    parser, received = Parser(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += parser.receive(stream[start:stop])

    assert received == [Message(sid, subject, reply or "", payload) for sid, subject, reply, payload in messages]


@pytest.mark.parametrize("data", [b"HELLO\r\n", b"MSG a\r\n", b"MSG a b c\r\n", b"INFO {\r\n", b"x" * 70_000])
def test_other_bytes_are_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        Parser().receive(data)


@given(st.lists(st.tuples(TOKENS, st.none() | TOKENS, st.binary(max_size=300))))
def test_what_was_published_can_be_read_back(messages: list[tuple[str, str | None, bytes]]) -> None:
    commands = [wire.publish(subject, reply or "", payload) for subject, reply, payload in messages]
    between = (wire.PING, wire.PONG, wire.subscribe("a", "", 1), wire.unsubscribe(1), wire.connect({"name": "x y"}))
    written = b"".join(command + between[number % 5] for number, command in enumerate(commands))

    assert list(wire.published(written)) == [(subject, payload) for subject, _, payload in messages]


def test_commands_are_spelled_so() -> None:
    assert wire.publish("a.b", "", b"xy") == b"PUB a.b 2\r\nxy\r\n"
    assert wire.publish("a.b", "in", b"") == b"PUB a.b in 0\r\n\r\n"
    assert wire.subscribe("a.*", "", 3) == b"SUB a.* 3\r\n"
    assert wire.subscribe("a.*", "q", 3) == b"SUB a.* q 3\r\n"
    assert wire.unsubscribe(3) == b"UNSUB 3\r\n"
    assert wire.connect({"verbose": False}) == b'CONNECT {"verbose":false}\r\n'
