"""The embedded NATS server: which program, on which port, with which limits, and whether it answers."""

import asyncio
import os
import shutil
import socket
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from fsnats.clock import Clock
from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.supervisor import tether
from fsnats.supervisor.lifeline import Word
from fsnats.supervisor.programs import Program, Stage

NAME = "nats"
HOST = "127.0.0.1"
MAX_PAYLOAD = 8 * 1024**2  # bytes; a whole market's array stream is under one megabyte, a page of history under two
MEMORY_STORE = 256 * 1024**2  # bytes of memory streams that users may add to the replay window's
FILE_STORE = 1024**3  # bytes of all file streams together: the catalogue, and what users add
ROOM = 16 * 1024**2  # bytes that are free where the catalogue, under one megabyte, can be stored
FEW_CORES = 2  # with so few, one scheduler thread is faster: measured 10 % less CPU a message

_ANSWER_LIMIT = 1.0  # seconds for a server on this machine to greet
_INTERVAL = 3.0  # seconds between two greetings while all is well
_INTERVAL_STARTING = 0.05


class Embedded(msgspec.Struct, frozen=True):
    """The server to run: as a program, where it will answer, and where its data is."""

    program: Program
    port: int
    directory: Path

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{HOST}:{self.port}"

    def has_room(self) -> bool:
        """Whether its disk takes something."""
        return shutil.disk_usage(self.directory).free >= ROOM


def prepare(config: Config, directory: Path, environ: Mapping[str, str], *, store: str = "nats") -> Embedded:
    """Choose program and port and write the server's configuration.  Raises ConfigError.

    `store` is the folder under `directory` that holds its data.
    """
    program = _program(config)
    port = _port(config)
    path = directory / f"{store}.conf"
    window = config.replay_mb * 1024**2 if config.replay_seconds else 0
    try:
        path.write_bytes(configuration(port, directory / store, window))
    except OSError as error:
        raise ConfigError("FSNATS_STATE_DIR", f"'{path}' cannot be written: {error.strerror}") from error
    tuning = {"GOMEMLIMIT": str(memory_limit(window))}
    if (os.cpu_count() or 1) <= FEW_CORES:
        tuning["GOMAXPROCS"] = "1"
    argv = (sys.executable, "-P", "-m", tether.MODULE, program, "--config", str(path))
    return Embedded(
        Program(name=NAME, argv=argv, environ={**tuning, **environ}, stage=Stage.NATS, noise="[INF]"),
        port,
        directory,
    )


def memory_limit(window: int) -> int:
    """Bytes of the whole process beyond which Go collects garbage more eagerly.

    A full window takes twice the bytes of its frames, and without a limit garbage doubles that again: 1,160 MB for
    256 MB of frames, 650 with two and a half times as much.
    """
    return window * 5 // 2 + MEMORY_STORE


def configuration(port: int, store: Path, window: int) -> bytes:
    """The server's configuration file, `window` being the bytes of the replay window.  Its format takes JSON."""
    settings = {
        "server_name": "fsnats",
        # This machine only: the server asks nobody for a password.
        "host": HOST,
        "port": port,
        "max_payload": MAX_PAYLOAD,
        # A client that does not read for so long is cut off; the default of 10 s outlives our own notion of silence.
        "write_deadline": "5s",
        "jetstream": {
            "store_dir": str(store),
            "max_memory_store": MEMORY_STORE + window,
            "max_file_store": FILE_STORE,
        },
    }
    return msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"


def _program(config: Config) -> str:
    if config.nats_server:
        found = shutil.which(config.nats_server)
        if found is None:
            raise ConfigError("FSNATS_NATS_SERVER", f"no program '{config.nats_server}'")
        return found
    # The wheel that we depend on puts its program where pip puts scripts: beside this Python, as a rule.
    places = (os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent), sysconfig.get_path("scripts"))
    for place in places:
        found = shutil.which("nats-server", path=place)
        if found is not None:
            return found
    raise ConfigError(
        "FSNATS_NATS_SERVER",
        "no nats-server found on PATH or beside this Python; install one, or set FSNATS_NATS_URL to use a running one",
    )


def _port(config: Config) -> int:
    with socket.socket() as probe:
        # As the server itself does: without it, connections of a server that just stopped would hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, config.nats_port))
        except OSError as error:
            raise ConfigError(
                "FSNATS_NATS_PORT",
                f"port {config.nats_port} cannot be had ({error.strerror}); choose another (0 takes a free one), "
                "or set FSNATS_NATS_URL to use the server that is there",
            ) from error
        port: int = probe.getsockname()[1]
        return port


async def answers(port: int) -> bool:
    """Whether a NATS server with JetStream greets on this port."""
    try:
        async with asyncio.timeout(_ANSWER_LIMIT):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                greeting = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
    # Without "jetstream" it is still recovering its store, or it is another server.
    return greeting.startswith(b"INFO ") and b'"jetstream":true' in greeting


async def vouch(port: int, heard: Callable[[Word], None], clock: Clock) -> None:
    """Say for the server that it is ready and alive, for ever: it does not speak systemd's protocol itself."""
    while True:
        alive = await answers(port)
        if alive:
            heard(Word(NAME, ready=True))
        await clock.sleep(_INTERVAL if alive else _INTERVAL_STARTING)
