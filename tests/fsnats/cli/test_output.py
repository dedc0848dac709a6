"""What a command does when its output is closed, full, or read by nobody any more."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from fsnats.cli.output import Output
from fsnats.errors import OutputLost, ReaderGone, exit_status
from tests.fsnats.cli.conftest import command, environment, running
from tests.fsnats.cli.test_client import gateway


def test_a_reader_that_is_gone_is_told_once_and_what_comes_then_goes_nowhere() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with Output(writer, "wb") as output:
        with pytest.raises(ReaderGone) as told:
            output.write(b"one")
        assert output.write(b"three") == 5
    assert exit_status([told.value]) == 0


def test_a_full_disk_is_named() -> None:
    with Output("/dev/full", "wb") as output:
        with pytest.raises(OutputLost, match="the output cannot be written: No space left on device") as told:
            output.write(b"one")
        assert output.write(b"three") == 5
    assert exit_status([told.value]) == 74


async def ended(redirection: str, *arguments: str) -> tuple[int | None, str]:
    """The status of a command and what it said on standard error."""
    shell = ("sh", "-c", f'exec "$0" "$@" {redirection}', *command(*arguments))
    async with running(*shell, env=environment()) as process, asyncio.timeout(20):
        _, said = await process.communicate()
        return process.returncode, said.decode()


async def test_a_command_whose_output_is_full_says_so_and_ends_with_74() -> None:
    said = "fsnats: the output cannot be written: No space left on device\n"
    assert await ended(">/dev/full", "version") == (74, said)
    async with gateway() as (_, url):
        # One that runs an event loop.
        assert await ended(">/dev/full", "client", "--url", url) == (74, said)


async def test_a_command_whose_input_output_and_errors_are_closed_does_its_work(tmp_path: Path) -> None:
    log = tmp_path / "state" / "logs"
    log.mkdir(parents=True)
    for redirection in (">&-", "<&- >&-", "<&- >&- 2>&-"):
        assert await ended(redirection, "version") == (0, "")
        assert await ended(redirection, "logs") == (0, "")


async def test_who_reads_the_client_may_have_enough() -> None:
    async with gateway() as (house, url), running(*command("client", "--url", url), env=environment()) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        await process.stdout.readline()
        process.stdout._transport.close()  # type: ignore[attr-defined]  # as `head` does
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await house.say(type="pong")
            await process.wait()
        assert process.returncode == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
