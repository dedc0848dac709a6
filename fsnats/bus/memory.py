"""The bus inside one process: for tests and for tools that need no server.  Delivers at once, in order."""

import asyncio
from collections.abc import Callable

from fsnats.bus import Answer, Callback
from fsnats.bus.answers import Collection
from fsnats.errors import BusUnavailable


class MemoryBus:
    """A `Bus` whose messages never leave the process.  `is_connected` can be switched to play a broken bus."""

    def __init__(self) -> None:
        self.is_connected = True
        self._subscriptions: dict[int, tuple[list[str], str, Callback]] = {}
        self._on_connect: list[Callable[[], None]] = []
        self._next_sid = 1
        self._next_inbox = 1
        self._turns: dict[tuple[str, str], int] = {}
        self._collections: dict[str, Collection] = {}

    def on_connect(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._on_connect.append(callback)
        return lambda: self._on_connect.remove(callback)

    def reconnect(self) -> None:
        """Play a connection that is new."""
        self.is_connected = True
        for callback in list(self._on_connect):
            callback()

    def publish(self, subject: str, payload: bytes, reply: str = "") -> bool:
        if not self.is_connected:
            return False
        self._deliver(subject, payload, reply)
        return True

    def subscribe(self, subject: str, callback: Callback, queue: str = "") -> int:
        sid = self._next_sid
        self._next_sid += 1
        self._subscriptions[sid] = (subject.split("."), queue, callback)
        return sid

    def redirect(self, sid: int, callback: Callback) -> None:
        subject, queue, _ = self._subscriptions[sid]
        self._subscriptions[sid] = (subject, queue, callback)

    def unsubscribe(self, sid: int) -> None:
        self._subscriptions.pop(sid, None)

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        return (await self.collect(subject, payload, timeout, 1))[0].payload

    async def collect(self, subject: str, payload: bytes, timeout: float, most: int) -> list[Answer]:
        if not self.is_connected:
            raise BusUnavailable("the bus is down")
        collection = Collection(most, asyncio.get_running_loop().create_future())
        inbox = f"_INBOX.{self._next_inbox}"
        self._next_inbox += 1
        sid = self.subscribe(inbox, lambda _subject, _reply, payload: collection.take(Answer(payload)))
        self._collections[inbox] = collection
        try:
            if self._deliver(subject, payload, inbox) == 0:
                raise BusUnavailable("nobody answers that request")
            async with asyncio.timeout(timeout):
                return await collection.whole
        except TimeoutError:
            raise BusUnavailable(f"no answer on {subject} within {timeout:g} s") from None
        finally:
            del self._collections[inbox]
            self.unsubscribe(sid)

    def answer(self, reply: str, answer: Answer) -> None:
        """Answer with a header, as JetStream does."""
        if reply in self._collections:
            self._collections[reply].take(answer)

    async def flush(self) -> None:
        if not self.is_connected:
            raise BusUnavailable("the bus is down")

    def _deliver(self, subject: str, payload: bytes, reply: str) -> int:
        tokens = subject.split(".")
        groups: dict[tuple[str, str], list[Callback]] = {}
        chosen: list[Callback] = []
        for pattern, queue, callback in list(self._subscriptions.values()):
            if matches(pattern, tokens):
                if queue:
                    groups.setdefault((".".join(pattern), queue), []).append(callback)
                else:
                    chosen.append(callback)
        for group, members in groups.items():
            turn = self._turns[group] = self._turns.get(group, -1) + 1
            chosen.append(members[turn % len(members)])
        for callback in chosen:
            callback(subject, reply, payload)
        return len(chosen)


def matches(pattern: list[str], tokens: list[str]) -> bool:
    """Whether a subject, in tokens, matches a subscription, in tokens."""
    for position, token in enumerate(pattern):
        if token == ">":
            return len(tokens) > position
        if position == len(tokens) or token not in ("*", tokens[position]):
            return False
    return len(pattern) == len(tokens)
