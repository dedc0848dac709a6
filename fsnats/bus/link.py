"""One TCP connection to a NATS server: bytes joined into one write a turn, pings, and the end told once."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from fsnats.bus import wire
from fsnats.bus.sent import Sent
from fsnats.errors import BusUnavailable

PING_INTERVAL = 1.0  # seconds between two pings of ours
SILENCE = 5.0  # seconds without a byte from the server, our pings unanswered: it is dead
REST_BYTES = 64 * 1024  # read at a time: whoever sends so much must not be kept waiting
PENDING_BYTES = 64 * 1024 * 1024  # what may wait for a server that reads too slowly; beyond it publishing fails


class Link(asyncio.Protocol):
    """One TCP connection to a NATS server."""

    def __init__(self, deliver: Callable[[list[wire.Event]], None], sent: Sent | None = None) -> None:
        """`deliver` gets what the server sends, `sent` what it is sent."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._parser = wire.Parser()
        self._out: list[bytes] = []
        self._scheduled = False
        self._sent = sent
        self._pongs: list[tuple[asyncio.Future[None], int]] = []  # with the mark of what was sent before
        self._heard = self._loop.time()
        self._read_bytes = 0  # the last time
        self.read_bytes = 0
        self.written_bytes = 0
        self.read_ns = 0  # when something was read last, nanoseconds since 1970
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._error = ""
        self.info: asyncio.Future[dict[str, object]] = self._loop.create_future()
        self.transport: asyncio.Transport
        self._paused = False
        self.max_payload = 1024 * 1024  # until the server says its own

    # Towards the server.

    @property
    def is_full(self) -> bool:
        return self._paused and self.transport.get_write_buffer_size() > PENDING_BYTES

    def send(self, data: bytes) -> None:
        self._out.append(data)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.write)

    def write(self) -> None:
        self._scheduled = False
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            if self._sent is not None:
                self._sent.note(data)
            if not self.transport.is_closing():
                self.written_bytes += len(data)
                self.transport.write(data)

    async def ping(self) -> None:
        """A round trip.  Raises BusUnavailable when the connection ends first."""
        await self._ping()

    def _ping(self) -> asyncio.Future[None]:
        # Pongs come in the order of the pings, so every ping leaves a future, waited for or not.
        pong: asyncio.Future[None] = self._loop.create_future()
        self._pongs.append((pong, self._sent.mark() if self._sent is not None else 0))
        self.send(wire.PING)
        return pong

    async def watch(self) -> str:
        """Ping until the connection ends, and return why it did."""
        while True:
            done, _ = await asyncio.wait([self._lost], timeout=PING_INTERVAL)
            if done:
                return self._lost.result()
            if self._loop.time() - self._heard > SILENCE:
                return f"silent for {SILENCE:g} s"
            self._ping()

    def finish(self) -> None:
        """Close after writing what is pending."""
        self.write()
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's transports are registered, not derived

    def rest(self, seconds: float) -> None:
        """Read nothing for so long, unless much came with the last read: more may be there already."""
        if self._read_bytes < REST_BYTES and not self.transport.is_closing():
            self.transport.pause_reading()
            self._loop.call_later(seconds, self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._read_bytes = size = len(data)
        self.read_bytes += size
        self._heard = self._loop.time()
        self.read_ns = time.time_ns()
        try:
            events = self._parser.receive(data)
        except wire.WireError as error:
            self._error = str(error)
            self.transport.abort()
            return
        for event in events:
            if isinstance(event, wire.Message):
                continue
            self._control(event)
        self._deliver(events)

    def _control(self, event: wire.Info | wire.Ping | wire.Pong | wire.ServerError) -> None:
        match event:
            case wire.Ping():
                self.send(wire.PONG)
            case wire.Pong():
                if self._pongs:
                    pong, mark = self._pongs.pop(0)
                    if not pong.done():
                        pong.set_result(None)
                    if self._sent is not None:
                        self._sent.confirm(mark, self._heard)
            case wire.Info():
                if isinstance(most := event.fields.get("max_payload"), int):
                    self.max_payload = most
                if not self.info.done():
                    self.info.set_result(event.fields)
            case wire.ServerError():
                self._error = event.text

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        reason = self._error or (str(exc) if exc else "closed by the server")
        error = BusUnavailable(f"the connection to NATS was lost: {reason}")
        waiters: list[asyncio.Future[Any]] = [*(pong for pong, _ in self._pongs), self.info]
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)
                waiter.exception()  # seen: nobody may be waiting any more
        if not self._lost.done():
            self._lost.set_result(reason)
