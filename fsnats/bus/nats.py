"""The bus over NATS core: one connection that reconnects for ever.

Our own client for the live path, because nats-py's publish is a coroutine (2.9 µs with sixteen in flight, 15 µs alone,
where joining the writes of one turn costs 0.8 and 8.4), its subscriber costs 4.2 µs a message where the bare parser
costs 1.0, and it flushes stale data after a reconnect.  JetStream's key-value store is reached by ordinary requests
(`fsnats.catalogue`).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from fsnats.backoff import Backoff
from fsnats.bus import Answer, Callback, wire
from fsnats.bus.answers import Collection
from fsnats.bus.dialling import TIMEOUT, dial, shown
from fsnats.bus.link import Link
from fsnats.bus.sent import Sent
from fsnats.errors import BusUnavailable

logger = logging.getLogger(__name__)

HEALTH = 10.0  # seconds of connection after which a server counts as healthy

T = TypeVar("T")


class _Subscription(msgspec.Struct):
    subject: str
    queue: str
    callback: Callback


class NatsBus:
    """A `Bus` on a NATS server.  Use as an asynchronous context manager; `urls` are tried in turn, for ever."""

    def __init__(
        self,
        urls: list[str],
        name: str,
        jitter: Callable[[], float],
        *,
        after_read: Callable[[], None] | None = None,
        on_change: Callable[[bool], None] | None = None,
        keep_sent: bool = False,
    ) -> None:
        """`after_read` is called when all messages of one read from the socket have been delivered: the moment to
        write out what they caused.  `on_change` hears of every connect (True) and disconnect (False).  `keep_sent`
        keeps in `sent` what may be lost with the server.
        """
        self._urls = urls
        self._name = name
        self._backoff = Backoff(0.1, 2.0, jitter)
        self._after_read = after_read
        self._on_change = on_change
        self.sent = Sent() if keep_sent else None
        self._on_connect: dict[Callable[[], None], None] = {}
        self._subscriptions: dict[int, _Subscription] = {}
        self._next_sid = 1
        self._link: Link | None = None
        self._connected = asyncio.Event()
        self._leaving = False
        self._tasks = asyncio.TaskGroup()
        self._running: asyncio.Task[None] | None = None
        self._inbox = ""
        self._requests: dict[str, asyncio.Future[bytes]] = {}
        self._collections: dict[str, Collection] = {}
        self._next_request = 0
        self.refused = 0  # publishes lost because the bus was down or its buffer full
        self.reconnects = 0
        self._read_before = self._written_before = 0  # bytes of the connections that were lost

    async def __aenter__(self) -> "NatsBus":
        await self._tasks.__aenter__()
        self._running = self._tasks.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._leaving = True
        if self._link is not None:
            self._link.finish()
        if self._running is not None:
            self._running.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    @property
    def subscribed(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    @property
    def read_bytes(self) -> int:
        """Bytes that came from servers, over all connections."""
        return self._read_before + (self._link.read_bytes if self._link is not None else 0)

    @property
    def written_bytes(self) -> int:
        """Bytes that went to servers."""
        return self._written_before + (self._link.written_bytes if self._link is not None else 0)

    def read_ns(self) -> int:
        """When something was read from the server last, nanoseconds since 1970."""
        return self._link.read_ns if self._link is not None else 0

    async def connected(self) -> None:
        """Return when there is a connection."""
        await self._connected.wait()

    def on_connect(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._on_connect[callback] = None
        return lambda: self._on_connect.pop(callback, None)

    def rest(self, seconds: float) -> None:
        """Leave what comes to the socket for so long, and read it in one piece then.  Not while much comes."""
        if self._link is not None:
            self._link.rest(seconds)

    def publish(self, subject: str, payload: bytes, reply: str = "") -> bool:
        link = self._link
        if link is None or link.is_full or len(payload) > link.max_payload:  # the server would cut us off for it
            self.refused += 1
            return False
        link.send(wire.publish(subject, reply, payload))
        return True

    def subscribe(self, subject: str, callback: Callback, queue: str = "") -> int:
        sid = self._next_sid
        self._next_sid += 1
        self._subscriptions[sid] = _Subscription(subject, queue, callback)
        if self._link is not None:
            self._link.send(wire.subscribe(subject, queue, sid))
        return sid

    def redirect(self, sid: int, callback: Callback) -> None:
        self._subscriptions[sid].callback = callback

    def unsubscribe(self, sid: int) -> None:
        if self._subscriptions.pop(sid, None) is not None and self._link is not None:
            self._link.send(wire.unsubscribe(sid))

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        reply = self._reply_subject()
        answer = self._requests[reply] = asyncio.get_running_loop().create_future()
        try:
            return await self._asked(subject, payload, reply, answer, timeout)
        finally:
            del self._requests[reply]

    async def collect(self, subject: str, payload: bytes, timeout: float, most: int) -> list[Answer]:
        reply = self._reply_subject()
        collection = self._collections[reply] = Collection(most, asyncio.get_running_loop().create_future())
        try:
            return await self._asked(subject, payload, reply, collection.whole, timeout)
        finally:
            del self._collections[reply]

    def _reply_subject(self) -> str:
        if not self._inbox:
            # Unique on this server: the name tells processes apart, the id two connections of one process.
            self._inbox = f"_INBOX.{self._name}.{id(self):x}"
            self.subscribe(f"{self._inbox}.*", self._answered)
        self._next_request += 1
        return f"{self._inbox}.{self._next_request}"

    async def _asked(self, subject: str, payload: bytes, reply: str, answer: asyncio.Future[T], timeout: float) -> T:
        if not self.publish(subject, payload, reply):
            raise BusUnavailable("NATS is not connected")
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise BusUnavailable(f"no answer on {subject} within {timeout:g} s") from None

    async def flush(self) -> None:
        if self._link is None:
            raise BusUnavailable("NATS is not connected")
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._link.ping()
        except TimeoutError:
            raise BusUnavailable("NATS does not answer") from None

    def _answered(self, subject: str, _reply: str, payload: bytes) -> None:
        answer = self._requests.get(subject)
        if answer is not None and not answer.done():
            answer.set_result(payload)
        elif (collection := self._collections.get(subject)) is not None:
            collection.take(Answer(payload))

    def _answered_with_header(self, message: wire.Message) -> bool:
        """Whether the header of a message meant something here, so that no callback gets the message."""
        if message.status == "503":
            self._fail(message.subject, "nobody answers that request")
            return True
        collection = self._collections.get(message.subject)
        if collection is not None:
            collection.take(Answer(message.payload, message.head, message.status))
        return collection is not None

    def _fail(self, reply: str, reason: str) -> None:
        collection = self._collections.get(reply)
        answer: asyncio.Future[Any] | None = collection.whole if collection else self._requests.get(reply)
        if answer is not None and not answer.done():
            answer.set_exception(BusUnavailable(reason))

    # The connection's life.

    async def _run(self) -> None:
        attempt = 0
        while True:
            url = self._urls[attempt % len(self._urls)]
            attempt += 1
            try:
                link = await dial(url, self._name, self._deliver, self.sent)
            except (OSError, TimeoutError, BusUnavailable, wire.WireError) as error:
                delay = self._backoff.next_delay()
                logger.warning(
                    "NATS cannot be reached",
                    extra={"event": "nats.unreachable", "server": shown(url), "error": str(error), "next": delay},
                )
                await asyncio.sleep(delay)
                continue
            self._link = link
            since = asyncio.get_running_loop().time()
            for sid, subscription in self._subscriptions.items():
                link.send(wire.subscribe(subscription.subject, subscription.queue, sid))
            self._connected.set()
            self._changed(True)
            try:
                reason = await link.watch()
            finally:
                self._link = None
                self._connected.clear()
                if not self._leaving:  # else what was published last is still being written
                    link.abort()
                    link.write()  # so that `sent` has it all
                self._read_before += link.read_bytes
                self._written_before += link.written_bytes
            if asyncio.get_running_loop().time() - since > HEALTH:
                self._backoff.healthy()
            self.reconnects += 1
            for reply in (*self._requests, *self._collections):
                self._fail(reply, "the connection to NATS was lost")
            logger.warning("NATS connection lost", extra={"event": "nats.lost", "server": shown(url), "error": reason})
            self._changed(False)
            await asyncio.sleep(self._backoff.next_delay())

    def _changed(self, connected: bool) -> None:
        if self._on_change is not None:
            self._on_change(connected)
        if connected:
            for callback in list(self._on_connect):
                callback()

    def _deliver(self, events: list[wire.Event]) -> None:
        for event in events:
            if isinstance(event, wire.Message):
                subscription = self._subscriptions.get(event.sid)
                if subscription is None:
                    continue
                if event.head and self._answered_with_header(event):
                    continue
                try:
                    subscription.callback(event.subject, event.reply, event.payload)
                except Exception:  # one bad message must not cost the connection and what was read with it
                    logger.exception(
                        "a message on the bus could not be handled",
                        extra={"event": "bus.message_failed", "subject": event.subject},
                    )
        if self._after_read is not None:
            self._after_read()
