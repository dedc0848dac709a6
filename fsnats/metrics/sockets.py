"""Where programs tell their numbers: a unix socket each.  Who connects gets one JSON text, and the end of the file."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from fsnats.metrics.answering import Connected, answering
from fsnats.metrics.family import Page

SOCKET = (
    "FSNATS_METRICS_SOCKET"  # where a program is to tell its own; of a supervisor's children, with `HOLE` for names
)
WHOLE = "FSNATS_METRICS_WHOLE"  # where a program that is one of many equal ones can ask for all of them
HOLE = "{}"

_PATH_MOST = 107  # bytes: sockaddr_un's sun_path less its terminating zero, unix(7)
_NAME_MOST = 32  # bytes of a program's name
_TAKES_MOST = 5.0  # seconds to take what is told; a reader that hangs is left alone then
_AT_ONCE = 16  # readers; there is the supervisor

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Page]).decode

Pages = Callable[[], Awaitable[list[Page]]]


def pattern(directory: Path) -> str:
    """Where programs with a common directory tell their numbers; a name belongs into the hole.

    In a directory with too long a name: abstract addresses, which any local user may read, are the lesser evil.
    """
    path = f"{directory}/{HOLE}.sock"
    if len(os.fsencode(path)) + _NAME_MOST <= _PATH_MOST:
        return path
    return f"@fsnats-{secrets.token_hex(8)}-{HOLE}"


def place(pattern: str, program: str) -> str:
    """The address of one program."""
    return pattern.replace(HOLE, program[:_NAME_MOST])


@contextlib.asynccontextmanager
async def telling(address: str, pages: Pages) -> AsyncIterator[None]:
    """Answer at an address for as long as the block runs; where none is given, or none can be had, nowhere."""
    if not address:
        yield
        return

    async def answer(_reader: asyncio.StreamReader) -> bytes:
        return _encode(await pages())

    def start(connected: Connected) -> Awaitable[asyncio.Server]:
        return asyncio.start_unix_server(connected, _spelled(address))

    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(answering(start, answer, within=_TAKES_MOST, at_once=_AT_ONCE))
        except OSError as error:  # the directory was removed, say: nobody's data is to stop for that
            extra = {"address": address, "error": str(error)}
            logger.warning("there is no place to tell numbers", extra={"event": "metrics.no_place", **extra})
        yield


async def ask(addresses: Mapping[str, str], within: float) -> dict[str, list[Page] | None]:
    """What programs, by name, tell at their addresses; None for those that do not answer within so many seconds."""
    answers: dict[str, list[Page] | None] = dict.fromkeys(addresses)

    async def one(program: str, address: str) -> None:
        with contextlib.suppress(OSError, TimeoutError, msgspec.MsgspecError, UnicodeDecodeError):
            async with asyncio.timeout(within):
                answers[program] = await _ask(address)

    async with asyncio.TaskGroup() as tasks:
        for program, address in addresses.items():
            tasks.create_task(one(program, address))
    return answers


async def _ask(address: str) -> list[Page]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connecting:
        connecting.setblocking(False)
        connecting.connect(_spelled(address))  # at once, or not at all: the queue of one that hangs may be full
        reader, writer = await asyncio.open_unix_connection(sock=connecting.dup())
    try:
        return _decode(await reader.read())
    finally:
        writer.close()


def _spelled(address: str) -> str:
    return "\0" + address[1:] if address.startswith("@") else address
