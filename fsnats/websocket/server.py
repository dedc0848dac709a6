"""One accepted WebSocket: websockets' sans-I/O core inside, an asyncio transport outside.

uvicorn serves HTTP and hands every `Upgrade: websocket` to a `Connection`; the connection owns its transport from then
on, so that finished frames go to it without a task, an await or a queue in between.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from websockets import http11
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

# Clients put hundreds of stream names into the URL; Binance itself answers 414 only above 8,000 to 16,000 characters
# (UBWA#17, #19, #120).  websockets reads its limit from the environment when it is first imported, which may be before
# anything of ours is, so it is set where it is used.
REQUEST_LINE_BYTES = 64 * 1024
http11.MAX_LINE_LENGTH = REQUEST_LINE_BYTES

WRITE_BUFFER_BYTES = 64 * 1024  # that wait in a transport until `pause_writing` is called; plain TCP's default


class _Wire(ServerProtocol):
    """Hands on each frame as soon as it is read, so that what is sent back keeps the order of what came."""

    def __init__(self, connection: "Connection", max_size: int) -> None:
        super().__init__(max_size=max_size)
        self._connection = connection

    def recv_frame(self, frame: Frame) -> None:
        super().recv_frame(frame)
        self._connection._arrived()


class Connection(asyncio.Protocol):
    """Subclasses fill in what happens; they call `write` with finished frames and `close` to end it.

    The first thing called is `opening`, then `opened`, any number of `received` and `received_binary`, and `closed`
    exactly once for every connection whose `opened` was called.
    """

    message_bytes_max = 64 * 1024  # longer messages close the connection with 1009
    unread_bytes_max = 256 * 1024  # of pongs, for a peer that has as much unread
    close_timeout = 5.0  # seconds to wait for the peer's half of the closing handshake

    # Ten thousand of them may be idle in one process, so what each takes counts.
    __slots__ = (
        "_answered",
        "_close_timer",
        "_connections",
        "_fragments",
        "_fragments_opcode",
        "_open",
        "_wire",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, server_state: Any, message_bytes_max: int | None = None) -> None:
        """`server_state` is uvicorn's: it keeps the set of connections that its shutdown waits for."""
        self._connections: set[Any] = server_state.connections
        self._wire = _Wire(self, message_bytes_max or self.message_bytes_max)
        self._fragments: list[bytes] | None = None  # of a message that is not complete
        self._fragments_opcode = Opcode.TEXT
        self._open = False
        self._close_timer: asyncio.TimerHandle | None = None
        self._answered = 0  # bytes of pongs since somebody last looked whether they are read

    # What a subclass fills in.

    def opening(self, request: Request) -> Response | None:
        """Look at the handshake; return None to accept it or a response to refuse it (see `reject`)."""
        return None

    def opened(self) -> None:
        """The handshake is done; writing is allowed."""

    def received(self, text: str) -> None:
        """One text message arrived."""

    def received_binary(self, data: bytes) -> None:
        """One binary message arrived."""

    def ponged(self, payload: bytes) -> None:
        """A pong arrived."""

    def closing(self) -> None:
        """The connection is being closed, by whichever side: the transport must not be written to any more."""

    def closed(self) -> None:
        """The connection is gone, whoever ended it."""

    # What a subclass calls.

    def reject(self, status: HTTPStatus, text: str) -> Response:
        """A refusal for `opening` to return."""
        return self._wire.reject(status, text)

    @property
    def is_open(self) -> bool:
        """Whether writing still makes sense."""
        return self._open and self._wire.state is State.OPEN

    def write(self, frames: bytes) -> None:
        """Write finished frames, as they are.  Does nothing once the connection is closing."""
        if self._wire.state is State.OPEN:
            self.transport.write(frames)

    def close(self, code: int, reason: str = "") -> None:
        """Start the closing handshake.  Writing stops here; `closed` follows within `close_timeout`."""
        if self._wire.state is State.OPEN:
            self._wire.send_close(code, reason)
            self._flush()

    def abort(self) -> None:
        """End it without a closing handshake."""
        self.transport.abort()

    @property
    def closed_with(self) -> int | None:
        """The code with which this side closed it first; None where the peer did, or nobody yet."""
        sent = self._wire.close_sent
        return sent.code if sent is not None and not self._wire.close_rcvd_then_sent else None

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

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]  # uvloop's transports are registered, not derived
        self._connections.add(self)
        # TLS transports would let eight times as much wait before they tell us that a client does not read.
        self.transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        # Answers to HTTP that were not read: were writing paused now, nobody would tell us.  (A little may wait: inside
        # TLS its own handshake.)
        if transport.get_write_buffer_size() > WRITE_BUFFER_BYTES // 4:  # type: ignore[attr-defined]
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._wire.receive_data(data)
        self._arrived()

    def eof_received(self) -> None:
        self._wire.receive_eof()
        self._flush()
        self._abort_soon()  # asyncio closes now, but waits for ever for a peer that does not read

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._wire.receive_eof()
        if self._open:
            self._open = False
            self.closed()

    def shutdown(self) -> None:
        """uvicorn stops: leave with the close code for it, RFC 6455's registry."""
        if self._open:
            self.close(1012, "Service restart")
        else:
            self.transport.close()

    def _arrived(self) -> None:
        events = self._wire.events_received()
        self._flush()  # a pong comes before what the next message causes
        for event in events:
            if isinstance(event, Frame):
                self._receive(event)
            else:
                assert isinstance(event, Request)
                self._shake_hands(event)
        if events:
            self._flush()

    def _shake_hands(self, request: Request) -> None:
        response = self.opening(request) or self._wire.accept(request)
        self._wire.send_response(response)
        self._flush()
        # The parser holds the request for as long as the connection lives: 2 KB, and up to 64 KB of names in the URL.
        request.headers.clear()
        request.path = ""
        if self._wire.state is State.OPEN:
            self._open = True
            self.opened()

    def _receive(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.PONG:
            self.ponged(bytes(frame.data))
        elif opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if opcode is not Opcode.CONT:
                self._fragments_opcode = opcode
                if frame.fin:  # nearly every message
                    self._message(bytes(frame.data))
                    return
            if self._fragments is None:
                self._fragments = []
            if frame.data:  # empty ones are free for the peer, not for us
                self._fragments.append(bytes(frame.data))
            if frame.fin:
                data, self._fragments = b"".join(self._fragments), None
                self._message(data)

    def _message(self, data: bytes) -> None:
        if self._wire.state is not State.OPEN:
            return
        if self._fragments_opcode is Opcode.BINARY:
            self.received_binary(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._wire.fail(1007, "Invalid UTF-8")
            return
        self.received(text)

    def _flush(self) -> None:
        for data in self._wire.data_to_send():
            if data:
                self.transport.write(data)
                self._answered += len(data)
            elif self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.transport.close()
        if self._answered > self.unread_bytes_max:
            # Data alone may be a lot: a client behind a slow line catches up.
            if self.transport.get_write_buffer_size() > self.unread_bytes_max:
                self.transport.abort()  # it pings and does not read the pongs
            self._answered = 0
        if self._wire.close_expected():
            self._abort_soon()

    def _abort_soon(self) -> None:
        if self._close_timer is None:
            self._close_timer = asyncio.get_running_loop().call_later(self.close_timeout, self.transport.abort)
            self.closing()
