import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.notify import Notifier
from fsnats.supervisor.lifeline import Lifeline, Word, parse
from tests.conftest import eventually

SAYS = "c.say('READY=1', 'STATUS=carrying 3 streams'); c.say('WATCHDOG=1')"


def test_a_datagram_names_its_program() -> None:
    assert parse(b"X_PROGRAM=history\nREADY=1\nSTATUS=fine = good") == Word("history", True, "fine = good")
    assert parse(b"X_PROGRAM=history\nWATCHDOG=1") == Word("history")


def test_what_names_no_program_is_passed_over() -> None:
    assert parse(b"READY=1") is None
    assert parse(b"X_PROGRAM=\nREADY=1") is None


@given(st.binary())
def test_nothing_breaks_the_parser(datagram: bytes) -> None:
    parse(datagram)
    assert parse(b"X_PROGRAM=a\n" + datagram) is not None


@pytest.mark.parametrize("name", ["short", "long" * 40])
async def test_children_are_heard_wherever_the_state_directory_is(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    heard: list[Word] = []

    with Lifeline(directory, heard.append) as lifeline:
        child = f"import fsnats.notify as n; c = n.from_environment(); {SAYS}"
        environ = {"NOTIFY_SOCKET": lifeline.address, "FSNATS_PROGRAM": "ingest-spot-0"}
        process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", child, env=environ)
        assert await process.wait() == 0
        await eventually(lambda: len(heard) == 2)

    assert heard == [Word("ingest-spot-0", True, "carrying 3 streams"), Word("ingest-spot-0")]
    assert list(directory.iterdir()) == []


async def test_a_socket_left_by_a_killed_supervisor_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "notify.sock").touch()

    with Lifeline(tmp_path, lambda word: None) as lifeline:
        assert lifeline.address == str(tmp_path / "notify.sock")
        assert stat.S_ISSOCK(os.stat(lifeline.address).st_mode)


async def test_a_full_queue_loses_no_readiness(tmp_path: Path) -> None:
    # The kernel queues ten datagrams by default.
    heard: list[Word] = []
    with Lifeline(tmp_path, heard.append) as lifeline:
        children = [
            Notifier({"NOTIFY_SOCKET": lifeline.address, "FSNATS_PROGRAM": f"ingest-spot-{number}"})
            for number in range(1000)
        ]
        for child in children:  # in one turn of the loop: nobody reads meanwhile
            child.say("WATCHDOG=1")
            child.say("READY=1")
        await eventually(lambda: sum(word.ready for word in heard) == len(children))
