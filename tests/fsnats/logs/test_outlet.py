import io
import json
import os
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from fsnats.log import on_stream
from fsnats.logs.outlet import Outlet


class Pipe:
    """A pipe that holds 64 KB, and somebody who reads it when a test says so."""

    def __init__(self) -> None:
        self._end, end = os.pipe()
        os.set_blocking(self._end, False)
        self.stream: TextIO = os.fdopen(end, "w")

    def read(self) -> str:
        text = b""
        while True:
            try:
                text += os.read(self._end, 65_536)
            except BlockingIOError:
                return text.decode()

    def close(self) -> None:
        os.close(self._end)
        self.stream.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_nobody_waits_for_a_reader_that_does_not_read(pipe: Pipe) -> None:
    outlet = Outlet(pipe.stream)
    line = "x" * 999 + "\n"
    written = 0
    while outlet.put(line):
        written += 1
    assert 10 < written < 70
    assert not outlet.put(line)

    assert pipe.read() == line * written
    assert outlet.put("again\n")
    assert pipe.read() == "again\n"


def test_a_long_line_that_is_cut_off_does_not_spoil_the_next_one(pipe: Pipe) -> None:
    outlet = Outlet(pipe.stream)
    assert not outlet.put("x" * 100_000 + "\n")
    assert not outlet.put("lost\n")
    cut = pipe.read()
    assert set(cut) == {"x"}
    assert outlet.put("next\n")
    assert pipe.read() == "\nnext\n"


def test_threads_write_whole_lines(pipe: Pipe) -> None:
    outlet = Outlet(pipe.stream)
    lines = [letter * 3_000 + "\n" for letter in "abcd"]
    failures: list[Exception] = []

    def write(line: str) -> None:
        try:
            for _ in range(500):
                outlet.put(line)
        except Exception as error:  # noqa: BLE001  # a thread's is nobody's else
            failures.append(error)

    writers = [threading.Thread(target=write, args=(line,)) for line in lines]
    for writer in writers:
        writer.start()
    text = ""
    while any(writer.is_alive() for writer in writers):
        text += pipe.read()
    assert failures == []
    assert {line for line in text.splitlines(keepends=True) if len(line) == len(lines[0])} <= set(lines)


def test_what_is_no_file_takes_everything() -> None:
    stream = io.StringIO()
    assert Outlet(stream).put("x" * 100_000 + "\n")
    assert len(stream.getvalue()) == 100_001


def test_lines_that_nobody_read_are_counted(pipe: Pipe) -> None:
    show = on_stream(pipe.stream)
    entry: dict[str, object] = {
        "time": "now",
        "level": "info",
        "program": "gateway",
        "event": "a.b",
        "message": "x" * 900,
    }
    for _ in range(200):
        show(entry)
    shown = len(pipe.read().splitlines())
    assert 10 < shown < 70
    show(entry)
    told, last = map(json.loads, pipe.read().splitlines())
    assert (told["event"], told["program"], told["lost"]) == ("log.unread", "gateway", 200 - shown)
    assert last == entry
