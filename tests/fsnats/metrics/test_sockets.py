import asyncio
import socket
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fsnats.metrics.family import Page, gauge
from fsnats.metrics.sockets import ask, pattern, place, telling

UP = gauge("fsnats_up", "up")


def told(name: str) -> list[Page]:
    return [Page(name, [UP.one(1)])]


def telling_of(name: str, address: str) -> AbstractAsyncContextManager[None]:
    async def pages() -> list[Page]:
        return told(name)

    return telling(address, pages)


@contextmanager
def deaf(path: Path) -> Iterator[str]:
    """A program that is stopped: the kernel takes connections for it, and it never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        yield str(path)


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose name leaves room for sockets."""
    with TemporaryDirectory() as directory:
        yield Path(directory)


async def test_who_asks_is_told(short: Path) -> None:
    places = pattern(short)
    assert places == f"{short}/{{}}.sock"
    async with telling_of("a", place(places, "a")), telling_of("b", place(places, "b")):
        addresses = {name: place(places, name) for name in "ab"}
        assert await ask(addresses, 5) == {"a": told("a"), "b": told("b")}


async def test_a_long_directory_gets_addresses_without_files(short: Path) -> None:
    places = pattern(short / ("long" * 25))
    assert places.startswith("@")
    async with telling_of("a", place(places, "a")):
        assert await ask({"a": place(places, "a")}, 5) == {"a": told("a")}


async def test_one_that_is_stuck_or_gone_keeps_nobody_else_waiting(short: Path) -> None:
    places = pattern(short)
    async with telling_of("a", place(places, "a")):
        with deaf(short / "stuck.sock") as stuck:
            addresses = {"stuck": stuck, "gone": place(places, "gone"), "a": place(places, "a")}
            for _ in range(4):  # the queue of the stuck one is soon full
                began = asyncio.get_running_loop().time()
                assert await ask(addresses, 0.1) == {"stuck": None, "gone": None, "a": told("a")}
                assert asyncio.get_running_loop().time() - began < 2


async def test_rubbish_is_no_answer(short: Path) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"no": "page"')
        writer.close()

    server = await asyncio.start_unix_server(babble, short / "a.sock")
    try:
        assert await ask({"a": f"{short}/a.sock"}, 5) == {"a": None}
    finally:
        server.close()


async def test_a_socket_that_a_killed_program_left_is_taken_over(short: Path) -> None:
    address = place(pattern(short), "a")
    with deaf(short / "a.sock"):
        pass
    async with telling_of("a", address):
        assert await ask({"a": address}, 5) == {"a": told("a")}


async def test_without_a_place_only_the_numbers_are_missing(short: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with telling_of("a", f"{short}/removed/a.sock"):
        assert await ask({"a": f"{short}/removed/a.sock"}, 5) == {"a": None}
    (line,) = caplog.records
    assert line.getMessage() == "there is no place to tell numbers"


async def test_without_an_address_nothing_is_told() -> None:
    async with telling_of("a", ""):
        pass
