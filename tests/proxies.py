"""Real proxies on free ports, ended by their pids, and some that misbehave on purpose."""

import asyncio
import contextlib
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fsnats.cli.conftest import free_port, line_with, listening, program, running

# What URLs must percent-encode; tinyproxy knows only letters and digits.
USER, PASSWORD, PLAIN_PASSWORD = "me", "s3cr3t:@/", "s3cr3t"
LOGIN, PLAIN_LOGIN = "me:s3cr3t%3A%40%2F", "me:s3cr3t"


@asynccontextmanager
async def microsocks(*, login: bool = False, port: int | None = None, leaving: str = "") -> AsyncIterator[int]:
    """SOCKS5.  Its connections leave from the address `leaving`, on Linux any of 127.0.0.0/8."""
    port = port or free_port()
    options = [*(("-u", USER, "-P", PASSWORD) if login else ()), *(("-b", leaving) if leaving else ())]
    async with running(program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *options):
        await listening(port)
        yield port


_DANTE = """logoutput: {log}
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: {method}
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
"""


@asynccontextmanager
async def dante(directory: Path, *, login: bool = False) -> AsyncIterator[int]:
    """SOCKS5, the strict one.  Its logins are the system's users, of which it sees one more than there are."""
    port = free_port()
    configuration = directory / "danted.conf"
    method = "username" if login else "none"
    configuration.write_text(_DANTE.format(log=directory / "danted.log", port=port, method=method))
    environ = {**os.environ, **(await _one_more_user(directory) if login else {})}
    command = (program("danted"), "-f", str(configuration), "-N", "1", "-p", str(directory / "danted.pid"))
    # It has children: its group is ended as a whole.
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True, env=environ)
    try:
        await listening(port)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _one_more_user(directory: Path) -> dict[str, str]:
    """What lets a program believe in a user of the system that is none."""
    library, source = directory / "users.so", Path(__file__).parent / "users.c"
    await _said(program("cc"), "-shared", "-fPIC", "-o", str(library), str(source), "-ldl")
    hashed = await _said(program("openssl"), "passwd", "-6", PASSWORD)
    return {"LD_PRELOAD": str(library), "USERS_NAME": USER, "USERS_HASH": hashed.strip()}


async def _said(*command: str) -> str:
    async with running(*command) as process:
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()


class Tinyproxy:
    """HTTP and CONNECT.  Its rules can change while it runs, without an end to what runs through it."""

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self._configuration = directory / f"tinyproxy-{self.port}.conf"
        self._process: asyncio.subprocess.Process

    def _write(self, login: bool, lines: tuple[str, ...]) -> None:
        account = (f"BasicAuth {USER} {PLAIN_PASSWORD}",) if login else ()
        always = (f"Port {self.port}", "Listen 127.0.0.1", "MaxClients 50", "LogLevel Notice")
        self._configuration.write_text("\n".join([*always, *account, *lines, ""]))

    @asynccontextmanager
    async def running(self, *, login: bool = False, lines: tuple[str, ...] = ()) -> AsyncIterator[int]:
        self._write(login, lines)
        async with running(program("tinyproxy"), "-d", "-c", str(self._configuration)) as self._process:
            await line_with(self._process.stdout, "Reloading config file finished")
            await listening(self.port)
            yield self.port

    async def change(self, *, login: bool = False, lines: tuple[str, ...] = ()) -> None:
        """Go by other rules from now on."""
        self._write(login, lines)
        self._process.send_signal(signal.SIGUSR1)
        await line_with(self._process.stdout, "Reloading config file finished")


@asynccontextmanager
async def tinyproxy(directory: Path, *, login: bool = False, lines: tuple[str, ...] = ()) -> AsyncIterator[int]:
    """HTTP and CONNECT."""
    async with Tinyproxy(directory).running(login=login, lines=lines) as port:
        yield port


class Relay:
    """Hands connections on to another port, over TLS where a context is given; counts them, and can die.

    They leave from the address they came from.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.target = port
        self._context = context
        self._server: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.names: list[str | None] = []  # SNI
        self.port = 0

    async def __aenter__(self) -> "Relay":
        if self._context is not None:
            self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.die()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def die(self) -> None:
        """Cut everything, and listen no more."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._carry(reader, writer)))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        here = (writer.get_extra_info("peername")[0], 0)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target, local_addr=here)
        self._writers |= {writer, there_writer}
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Names:
    """A SOCKS5 proxy that looks names up in a table of its own and remembers what it was asked for."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.asked: list[tuple[int, str]] = []  # kind of address as in RFC 1928, section 5: 1 IPv4, 3 a name
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Names"]:
        async with await asyncio.start_server(self._accepted, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        length = 4 if kind == 1 else (await reader.readexactly(1))[0]
        address = await reader.readexactly(length)
        name = ".".join(map(str, address)) if kind == 1 else address.decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((kind, name))
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._ports.get(name, port))
        self._writers.add(there_writer)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


@asynccontextmanager
async def misbehaving(say: bytes | None, *, stay: bool = False) -> AsyncIterator[int]:
    """Accepts, and says this, or nothing at all for ever; closes then, unless it is to stay."""
    writers: list[asyncio.StreamWriter] = []

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(1)
        if say is not None:
            writer.write(say)
            if not stay:
                writer.close()

    async with await asyncio.start_server(accepted, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.transport.abort()


Authority = tuple[Path, Callable[[], ssl.SSLContext]]


async def make_authority(directory: Path, *names: str) -> Authority:
    """A private authority: its certificate, and what makes servers' contexts for these names."""
    ca, ca_key, key, request, certificate = (directory / f"{name}.pem" for name in ("ca", "cakey", "key", "req", "crt"))
    extensions = directory / "extensions"
    extensions.write_text(f"subjectAltName={','.join(f'DNS:{name}' for name in names)}\n")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    signed = ("-CA", str(ca), "-CAkey", str(ca_key), "-days", "2", "-set_serial", "7")
    for arguments in (
        ("req", "-x509", *new, "-days", "2", "-subj", "/CN=house", "-keyout", str(ca_key), "-out", str(ca)),
        ("req", *new, "-subj", "/CN=server", "-keyout", str(key), "-out", str(request)),
        ("x509", "-req", "-in", str(request), "-out", str(certificate), "-extfile", str(extensions), *signed),
    ):
        await _said(program("openssl"), *arguments)

    def server_context() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    return ca, server_context
