"""The simulated exchange as its judge and its tormentor see it: over HTTP."""

from typing import Any

import httpx
import msgspec

from fsnats.chaos.identity import Identity
from fsnats.chaos.reader import Reading
from fsnats.errors import BadCommand


class Events(msgspec.Struct):
    """A page of a stream's events: `first` is the number of the first one."""

    first: int
    next: int
    events: list[tuple[int, Identity]]


_events = msgspec.json.Decoder(Events).decode


class Exchange:
    """Controls and ledger of one simulator."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self._client = client
        self._base = f"{base}/sim"
        self.forgotten = 0  # events that the ledger no longer had when it was asked

    async def control(self, path: str, options: dict[str, object]) -> None:
        """Do something to it.  Raises BadCommand."""
        query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in options.items()}
        reply = await self._client.post(f"{self._base}/{path}", params=query)
        if reply.status_code != 200:
            raise BadCommand(path, reply.text)

    async def ledger(self) -> dict[str, Any]:
        """Counts, violations, connections."""
        ledger: dict[str, Any] = (await self._client.get(f"{self._base}/ledger")).json()
        return ledger

    async def tell(self, reading: Reading) -> None:
        """Tell a stream's judge what was produced since the last time."""
        stream = reading.stream
        query = {"market": str(stream.market), "stream": stream.name, "after": str(reading.known)}
        page = _events((await self._client.get(f"{self._base}/ledger/events", params=query)).content)
        self.forgotten += page.first - reading.known
        for at, identity in page.events:
            reading.judge.produced(at, identity)
        reading.known = page.next
