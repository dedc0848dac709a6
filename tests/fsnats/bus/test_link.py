"""One connection to a server that a test plays itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fsnats.bus.link import Link
from fsnats.bus.wire import Event, Message
from fsnats.errors import BusUnavailable
from tests.conftest import eventually


class Server:
    """Keeps what it is sent; says what the test tells it to."""

    def __init__(self) -> None:
        self.received = b""
        self.writer: asyncio.StreamWriter | None = None
        self.events: list[Event] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        while data := await reader.read(65536):
            self.received += data

    def say(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Server, Link]]:
    played = Server()
    server = await asyncio.start_server(played.talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: Link(played.events.extend), "127.0.0.1", port)
        await eventually(lambda: played.writer)
        yield played, link
        link.abort()
        assert played.writer is not None
        played.writer.close()


async def test_what_one_turn_sends_arrives_in_order(ends: tuple[Server, Link]) -> None:
    server, link = ends
    for number in range(3):
        link.send(b"PUB a 1\r\n%d\r\n" % number)
    await eventually(lambda: len(server.received) == 36)

    assert server.received == b"PUB a 1\r\n0\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\n"


async def test_pings_of_the_server_are_answered(ends: tuple[Server, Link]) -> None:
    server, _ = ends
    server.say(b"PING\r\n")

    await eventually(lambda: server.received == b"PONG\r\n")


async def test_a_pong_answers_the_oldest_ping(ends: tuple[Server, Link]) -> None:
    server, link = ends
    async with asyncio.TaskGroup() as tasks:
        first, second = tasks.create_task(link.ping()), tasks.create_task(link.ping())
        await eventually(lambda: server.received == b"PING\r\nPING\r\n")
        server.say(b"PONG\r\n")
        await eventually(first.done)
        assert not second.done()
        server.say(b"PONG\r\n")


async def test_messages_are_delivered(ends: tuple[Server, Link]) -> None:
    server, _ = ends
    server.say(b"MSG a 1 2\r\nhi\r\n")

    await eventually(lambda: server.events == [Message(1, "a", "", b"hi")])


async def test_a_link_that_rests_reads_on_by_itself(ends: tuple[Server, Link]) -> None:
    server, link = ends
    server.say(b"MSG a 1 2\r\nhi\r\n")
    await eventually(lambda: len(server.events) == 1)
    link.rest(0.05)
    assert not link.transport.is_reading()
    server.say(b"MSG a 1 2\r\nhi\r\n")

    await eventually(lambda: len(server.events) == 2)
    assert link.transport.is_reading()


async def test_a_link_does_not_rest_while_much_comes(
    ends: tuple[Server, Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsnats.bus.link.REST_BYTES", 10)
    server, link = ends
    server.say(b"MSG a 1 2\r\nhi\r\n")
    await eventually(lambda: len(server.events) == 1)
    link.rest(0.05)

    assert link.transport.is_reading()


async def test_a_link_that_ends_while_it_rests_is_left_alone(ends: tuple[Server, Link]) -> None:
    _, link = ends
    link.rest(0.01)
    link.abort()
    link.rest(0.01)
    link._read_on()

    assert link.transport.is_closing()


@pytest.mark.parametrize(
    ("last_words", "reason"),
    [
        (b"-ERR 'Authorization Violation'\r\n", "Authorization Violation"),
        (b"rubbish\r\n", "cannot read"),
        (b"", "closed"),
    ],
)
async def test_the_end_tells_why_to_everybody_who_waits(
    ends: tuple[Server, Link], last_words: bytes, reason: str
) -> None:
    server, link = ends
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(link.watch())
        await eventually(lambda: server.writer)
        server.say(last_words)
        assert server.writer is not None
        server.writer.close()
        assert reason in await watching
    with pytest.raises(BusUnavailable):
        await link.info
