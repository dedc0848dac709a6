"""A clean environment for commands, and the servers they talk to: started on free ports, ended by pid."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from fsnats.config import PREFIX
from fsnats.sources import ALIASES

PATIENCE = 20.0  # seconds that a test waits for a state; a busy machine is slow, a wrong one never gets there


class Ended(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX) or name in ALIASES]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("FSNATS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """A program that tests need.  Where it is missing the test is skipped, except where everything must run."""
    found = shutil.which(
        name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
    )
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return found


def environment(**settings: str | int) -> dict[str, str]:
    """This process's environment with these settings."""
    return {**os.environ, **{PREFIX + name.upper(): str(value) for name, value in settings.items()}}


@asynccontextmanager
async def running(*command: str, env: dict[str, str] | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that is ended, by its pid, when the block is."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        # Also takes what is left in the pipes, so that their transports are closed.
        await process.communicate()


def command(*arguments: str) -> tuple[str, ...]:
    """The command line of `fsnats`."""
    return (sys.executable, "-P", "-m", "fsnats", *arguments)


async def fsnats(
    *arguments: str, stdin: str = "", settings: Mapping[str, str | int] | None = None, **more: str | int
) -> Ended:
    """Run `fsnats` to its end."""
    async with running(*command(*arguments), env=environment(**(settings or {}), **more)) as process:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())


async def line_with(stream: asyncio.StreamReader | None, text: str) -> str:
    """Read lines until one holds this text."""
    assert stream is not None
    seen = []
    async with asyncio.timeout(PATIENCE):
        while line := (await stream.readline()).decode():
            if text in line:
                return line
            seen.append(line)
    raise AssertionError(f"no line with {text!r} in {''.join(seen)!r}")


async def until(condition: Callable[[], bool]) -> None:
    """Return when this holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.01)


async def listening(port: int) -> None:
    """Return when somebody listens on this port."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            await writer.wait_closed()
            return


@pytest.fixture
async def nats_url(tmp_path: Path) -> AsyncIterator[str]:
    """A real NATS server with JetStream."""
    port = free_port()
    server = (program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "jetstream"))
    async with running(*server):
        await listening(port)
        yield f"nats://127.0.0.1:{port}"
