"""One accepted WebSocket: `handshake` and `reader` inside, an asyncio transport outside.

The connection owns its transport, so that finished frames go to it without a task, an await or a queue in between.
"""

import asyncio
from typing import Any

from fsnats.websocket import deflate, frames, handshake
from fsnats.websocket.handshake import Request, Response
from fsnats.websocket.reader import Broken, Item, Opcode, Reader

WRITE_BUFFER_BYTES = 64 * 1024  # that wait in a transport until `pause_writing` is called; plain TCP's default
RESTARTING = (1012, "Service restart")  # RFC 6455's registry


class Connection(asyncio.Protocol):
    """Subclasses fill in what happens; they call `write` with finished frames and `close` to end it.

    The first thing called is `opening`, then `opened`, any number of `received` and `received_binary`, and `closed`
    exactly once for every connection whose `opened` was called.
    """

    message_bytes_max = 64 * 1024  # longer messages close the connection with 1009
    unread_bytes_max = 256 * 1024  # of pongs, for a peer that has as much unread
    ignored_bytes_max = 1024 * 1024  # that a peer may send after the end before it is cut off
    close_timeout = 5.0  # seconds to wait for the peer's half of the closing handshake

    # Ten thousand of them may be idle in one process, so what each takes counts.
    __slots__ = (
        "_answered",
        "_close_timer",
        "_connections",
        "_done",
        "_ignored",
        "_open",
        "_opened",
        "_reader",
        "closed_with",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, connections: set[Any], message_bytes_max: int | None = None) -> None:
        """`connections` are the open ones of the server; this one keeps itself in it while it is."""
        self._connections = connections
        self._reader = Reader(message_bytes_max or self.message_bytes_max)
        self._opened = False  # and `closed` was not called yet
        self._open = False  # for writing
        self._done = False  # nothing that comes counts any more
        self._ignored = 0  # bytes that came since
        self._close_timer: asyncio.TimerHandle | None = None
        self._answered = 0  # bytes of pongs since somebody last looked whether they are read
        self.closed_with: int | None = None  # the code, where this side closed first

    # What a subclass fills in.

    def opening(self, request: Request) -> Response | None:
        """Look at the handshake, which is in good form; return None to accept it or a response to refuse it."""
        return None

    def may_deflate(self) -> bool:
        """Whether to agree where the client asks for compression; `deflates` then says that it did."""
        return False

    def answer_headers(self) -> bytes:
        """Further lines, each with its end, for the answer to a handshake that was accepted."""
        return b""

    def opened(self) -> None:
        """The handshake is done; writing is allowed."""

    def received(self, text: str) -> None:
        """One text message arrived."""

    def received_binary(self, data: bytes) -> None:
        """One binary message arrived."""

    def pinged(self, payload: bytes) -> None:
        """A ping arrived, and is answered."""

    def ponged(self, payload: bytes) -> None:
        """A pong arrived."""

    def fragmented(self) -> None:
        """A fragment of a message arrived, and it is not the last one."""

    def wrote(self) -> None:
        """Something went to the transport that the subclass did not write."""

    def closing(self) -> None:
        """The connection is being closed, by whichever side: the transport must not be written to any more."""

    def closed(self) -> None:
        """The connection is gone, whoever ended it."""

    # What a subclass calls.

    @property
    def is_open(self) -> bool:
        """Whether writing still makes sense."""
        return self._open

    @property
    def deflates(self) -> bool:
        """Whether frames may be compressed: it was agreed in the handshake."""
        return self._reader.deflates

    def write(self, data: bytes) -> None:
        """Write finished frames, as they are.  Does nothing once the connection is closing."""
        if self._open:
            self.transport.write(data)

    def close(self, code: int, reason: str = "") -> None:
        """Start the closing handshake.  Writing stops here; `closed` follows within `close_timeout`."""
        if self._open:
            self.closed_with = code
            self._end(frames.close(code, reason))

    def fail(self, code: int, reason: str = "") -> None:
        """Close, and take no notice of what still comes."""
        self.close(code, reason)
        self._done = True
        self._finish()

    def abort(self) -> None:
        """End it without a closing handshake."""
        self.transport.abort()

    @property
    def peer(self) -> str:
        """The other end's address, for logs."""
        peer = self.transport.get_extra_info("peername")
        return f"{peer[0]}:{peer[1]}" if peer else "?"

    @property
    def address(self) -> str:
        """The other end's address without its port; empty where there is none."""
        peer = self.transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    # asyncio's side, and the server's.

    def take(self, transport: asyncio.Transport, request: Request, rest: bytes) -> None:
        """Take over a connection at its handshake; `rest` is what came after it."""
        self._own(transport)
        response = handshake.refusal(request) or self.opening(request)
        if response is not None:
            self._done = True
            transport.write(response.serialize())
            self._finish()
            return
        agreed = deflate.agree(request.headers.get_all("Sec-WebSocket-Extensions")) if self.may_deflate() else None
        headers = self.answer_headers()
        if agreed is not None:
            self._reader.deflates = True
            headers += f"Sec-WebSocket-Extensions: {agreed}\r\n".encode()
        transport.write(handshake.acceptance(request, headers))
        self._open = self._opened = True
        self.opened()
        if rest:
            self.data_received(rest)

    def _own(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._connections.add(self)
        # TLS transports would let eight times as much wait before they tell us that a client does not read.
        transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        if self._done:
            self._ignored += len(data)
            if self._ignored > self.ignored_bytes_max:
                self.transport.abort()
            return
        try:
            for item in self._reader.feed(data):
                self._receive(item)
                if self._done:
                    return
        except Broken as broken:
            self.fail(broken.code, broken.reason)

    def eof_received(self) -> None:
        self._done = True
        self._stop_writing()  # asyncio closes now, but waits for ever for a peer that does not read

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._done = True
        self._open = False
        if self._close_timer is not None:
            self._close_timer.cancel()
        if self._opened:
            self._opened = False
            self.closed()

    def shutdown(self) -> None:
        """The server stops."""
        if self._opened:
            self.close(*RESTARTING)
        else:
            self.transport.close()

    def _receive(self, item: Item) -> None:
        opcode, data = item
        if opcode is Opcode.PONG:
            self.ponged(data)
        elif opcode is Opcode.CLOSE:
            self._end(frames.control(Opcode.CLOSE, data))  # where we did not close first
            self._done = True
            self._finish()  # section 7.1.1: the server ends the TCP connection
        elif not self._open:
            pass  # said before it read our close
        elif opcode is Opcode.TEXT:
            self.received(data.decode())
        elif opcode is Opcode.BINARY:
            self.received_binary(data)
        elif opcode is Opcode.PING:
            self._pong(data)
            self.pinged(data)
        else:
            self.fragmented()

    def _pong(self, payload: bytes) -> None:
        pong = frames.control(Opcode.PONG, payload)
        self.transport.write(pong)
        self.wrote()
        self._answered += len(pong)
        if self._answered > self.unread_bytes_max:
            # Data alone may be a lot: a client behind a slow line catches up.
            if self.transport.get_write_buffer_size() > self.unread_bytes_max:
                self.transport.abort()  # it pings and does not read the pongs
            self._answered = 0

    def _end(self, last_frame: bytes) -> None:
        if self._open:
            self.transport.write(last_frame)
            self._stop_writing()

    def _finish(self) -> None:
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
        self._stop_writing()

    def _stop_writing(self) -> None:
        self._open = False
        if self._close_timer is None:
            self._close_timer = asyncio.get_running_loop().call_later(self.close_timeout, self.transport.abort)
            self.closing()
