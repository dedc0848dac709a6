"""A reader of server-sent events that keeps everything it is sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx


class Event(NamedTuple):
    name: str
    id: str
    data: Any


class Reader:
    """Reads one response of events to its end."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.comments: list[str] = []
        self.headers: httpx.Headers = httpx.Headers()

    @property
    def data(self) -> list[Any]:
        """What messages without a name said."""
        return [event.data for event in self.events if not event.name]

    @property
    def last_id(self) -> str:
        return next((event.id for event in reversed(self.events) if event.id), "")

    async def read(self, url: str, last_id: str = "") -> None:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
            async with (
                httpx.AsyncClient(timeout=30, trust_env=False) as client,
                client.stream("GET", url, headers=headers) as reply,
            ):
                assert reply.status_code == 200, await reply.aread()
                self.headers = reply.headers
                fields: dict[str, str] = {}
                async for line in reply.aiter_lines():
                    if line.startswith(":"):
                        self.comments.append(line)
                    elif line:
                        name, _, value = line.partition(": ")
                        fields[name] = value
                    elif fields:
                        if "data" in fields:
                            event = Event(fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"]))
                            self.events.append(event)
                        fields = {}


@contextlib.asynccontextmanager
async def reading(url: str, last_id: str = "") -> AsyncIterator[Reader]:
    """Read for as long as the block."""
    reader = Reader()
    task = asyncio.create_task(reader.read(url, last_id))
    try:
        yield reader
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
