"""`fsnats client`: an example client to talk to a gateway by hand, or from a script through a pipe."""

import asyncio
import contextlib
import os
import random
import sys
import threading
import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from fsnats.backoff import Backoff
    from fsnats.cli.dialogue import Dialogue

_DELAY_FIRST, _DELAY_MOST = 0.5, 15.0  # seconds between two tries to connect
_ANSWER_LIMIT = 5.0  # seconds that a line waits for the answers to the one before it
_MESSAGE_BYTES = 16 * 1024 * 1024  # a whole market's array, or the longest history


def client(
    url: Annotated[str, typer.Option(help="The gateway; /usdm as its path makes USD-M the market.")] = (
        "ws://127.0.0.1:8080"
    ),
) -> None:
    """Talk to a gateway by hand.

    Subscribe, unsubscribe, change the stream type, fetch history.  Commands are read from standard input, a line
    each; `help` lists them.  It reconnects, and subscribes again.
    """
    if not _is_usable(url):
        raise typer.BadParameter(f"'{_shown(url)}' is not a ws:// or wss:// URL", param_hint="--url")

    from fsnats.cli.bus import run
    from fsnats.cli.dialogue import Dialogue

    dialogue = Dialogue(lambda: time.time() * 1000)
    if sys.stdin.isatty():
        typer.echo("`help` lists the commands, `quit` or Ctrl-D ends")
    raise typer.Exit(run(lambda: _Talk(url, dialogue, sys.stdin.fileno()).run(), level="warning"))


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a host or a port that is none
        return False


def _shown(url: str) -> str:
    """Without what may be secret: a token in the query, user and password."""
    scheme, separator, rest = url.partition("?")[0].rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


class _Talk:
    """One user's session: a connection that comes again, and a stream of typed lines."""

    def __init__(self, url: str, dialogue: "Dialogue", source: int) -> None:
        self._url = url
        self._dialogue = dialogue
        self._source = source
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._outgoing: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._connected = asyncio.Event()
        self._answered = asyncio.Event()

    async def run(self) -> None:
        """Talk until the user has enough."""
        loop = asyncio.get_running_loop()
        # A thread, for terminals, pipes and files alike: a selector knows no files, and would make a terminal that
        # we also write to non-blocking.  A daemon: nothing can wake it from its read when we end.
        threading.Thread(target=_read_lines, args=(self._source, loop, self._lines), daemon=True).start()
        async with asyncio.TaskGroup() as tasks:
            connection = tasks.create_task(self._stay_connected())
            await self._obey()
            connection.cancel()

    async def _obey(self) -> None:
        from fsnats.cli.dialogue import Ask, Quit, Say

        while (line := await self._lines.get()) is not None:
            # What `opened` asks for anyway when the connection comes need not be sent once more.
            early = not self._connected.is_set()
            for effect in self._dialogue.typed(line):
                match effect:
                    case Say(text):
                        _show(text)
                    case Ask(request) if early and request["type"] in ("subscribe", "unsubscribe"):
                        self._dialogue.dismiss(request)
                    case Ask(request):
                        await self._connected.wait()
                        self._outgoing.put_nowait(request)
                    case Quit():
                        return
            # One line at a time: the next one may depend on whether this one was refused.
            await self._settle()

    async def _settle(self) -> None:
        """Return when everything that was asked is answered."""
        try:
            async with asyncio.timeout(_ANSWER_LIMIT):
                await self._connected.wait()
                while self._dialogue.pending:
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError:
            _show("no answer yet")

    async def _stay_connected(self) -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException

        from fsnats.backoff import Backoff

        backoff = Backoff(_DELAY_FIRST, _DELAY_MOST, random.random)
        while True:
            try:
                # A proxy in the environment is for the world outside, not for one's own gateway.
                async with connect(self._url, proxy=None, max_size=_MESSAGE_BYTES) as connection:
                    reason = await self._carry(connection, backoff)
            except InvalidStatus as error:
                text = (error.response.body or b"").decode(errors="replace").strip()
                reason = f"the gateway refused: HTTP {error.response.status_code} {text}"
            except InvalidURI as error:  # which repeats the URL
                reason = f"cannot connect to {_shown(self._url)}: {error.msg}"
            except (OSError, TimeoutError, WebSocketException) as error:
                reason = f"cannot connect to {_shown(self._url)}: {error}"
            delay = backoff.next_delay()
            _show(f"{reason}; trying again in {delay:.1f} s")
            await asyncio.sleep(delay)

    async def _carry(self, connection: "ClientConnection", backoff: "Backoff") -> str:
        """Talk over one connection until it ends, and return why it did."""
        from websockets.exceptions import ConnectionClosed

        while not self._outgoing.empty():  # meant for the connection before this one
            self._outgoing.get_nowait()
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send(connection))
            try:
                while True:
                    _show(self._dialogue.received(await connection.recv()))
                    backoff.healthy()
                    self._answered.set()
            except ConnectionClosed as error:
                return f"the connection is closed: {error}"
            finally:
                self._connected.clear()
                self._dialogue.closed()
                self._answered.set()
                sending.cancel()

    async def _send(self, connection: "ClientConnection") -> None:
        import msgspec
        from websockets.exceptions import ConnectionClosed

        for ask in self._dialogue.opened():
            self._outgoing.put_nowait(ask.request)
        self._connected.set()
        with contextlib.suppress(ConnectionClosed):  # `_carry` sees it too
            while True:
                await connection.send(msgspec.json.encode(await self._outgoing.get()).decode())


def _read_lines(source: int, loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str | None]") -> None:
    """Put each line of a file descriptor into the queue, and None at its end."""
    rest = b""
    with contextlib.suppress(RuntimeError):  # the loop was closed while we waited for the user
        # Not through sys.stdin: its lock, held by a thread that waits, would be waited for when Python ends.
        while data := os.read(source, 64 * 1024):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace"))
        if rest:
            loop.call_soon_threadsafe(lines.put_nowait, rest.decode(errors="replace"))
        loop.call_soon_threadsafe(lines.put_nowait, None)


def _show(text: str) -> None:
    from fsnats.logs.entries import printable

    sys.stdout.write("".join(f"{printable(line)}\n" for line in text.split("\n")))
    sys.stdout.flush()
