import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from fsnats.clock import SystemClock
from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.supervisor.child import OsProcess, start
from fsnats.supervisor.lifeline import Word
from fsnats.supervisor.natsd import MEMORY_STORE, answers, configuration, prepare, vouch
from tests.clock import HandClock
from tests.conftest import NatsServer, eventually, free_port


def test_the_server_listens_on_this_machine_only(tmp_path: Path) -> None:
    settings = json.loads(configuration(4222, tmp_path / 'a "quoted" folder', 1000))

    assert (settings["host"], settings["port"]) == ("127.0.0.1", 4222)
    assert settings["jetstream"]["store_dir"] == str(tmp_path / 'a "quoted" folder')
    assert settings["jetstream"]["max_memory_store"] == MEMORY_STORE + 1000


def test_port_zero_takes_a_free_one(tmp_path: Path) -> None:
    server = prepare(Config(nats_port=0), tmp_path, {})

    assert server.url == f"nats://127.0.0.1:{server.port}"
    assert server.port > 0


def test_a_taken_port_names_the_setting_and_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match="FSNATS_NATS_URL") as error:
            prepare(Config(nats_port=port), tmp_path, {})
    assert error.value.setting == "FSNATS_NATS_PORT"


def test_a_server_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'/no/such/program'") as error:
        prepare(Config(nats_port=0, nats_server="/no/such/program"), tmp_path, {})
    assert error.value.setting == "FSNATS_NATS_SERVER"


def test_the_bundled_server_is_used_where_path_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = Path(sys.executable).parent / "nats-server"
    if not bundled.exists():
        pytest.skip("no bundled nats-server here")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert str(bundled) in prepare(Config(nats_port=0), tmp_path, {}).program.argv


def test_no_server_anywhere_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))

    with pytest.raises(ConfigError, match="no nats-server found"):
        prepare(Config(nats_port=0), tmp_path, {})


async def test_the_real_server_takes_this_configuration_and_is_vouched_for(tmp_path: Path) -> None:
    server = prepare(Config(nats_port=0), tmp_path, os.environ)
    words: list[Word] = []
    lines: list[str] = []
    child: OsProcess = await start(server.program, lines.append)
    try:
        async with asyncio.TaskGroup() as tasks:
            vouching = tasks.create_task(vouch(server.port, words.append, SystemClock()))
            await eventually(lambda: words, "\n".join(lines))
            vouching.cancel()
    finally:
        child.terminate()
        await child.wait()

    assert words[0] == Word("nats", ready=True)
    assert (tmp_path / "nats").is_dir()


async def test_a_server_without_jetstream_is_not_ready(tmp_path: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x"}\r\n')
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        assert not await answers(server.sockets[0].getsockname()[1])


async def test_nobody_is_vouched_for_who_does_not_answer(clock: HandClock) -> None:
    words: list[Word] = []
    vouching = asyncio.create_task(vouch(free_port(), words.append, clock))
    await eventually(lambda: clock.slept)
    vouching.cancel()

    assert words == []


async def test_a_server_that_is_dead_stops_answering(nats: NatsServer) -> None:
    assert await answers(nats.port)
    nats.stop()

    assert not await answers(nats.port)
