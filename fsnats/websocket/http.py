"""HTTP before the upgrade, with limits: uvicorn's own protocol waits for ever for a request that never ends."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 10.0  # from the connection to the end of the first request's headers
REQUEST_BYTES = 256 * 1024  # of one request: four times the longest URL that we take


class Http(HttpToolsProtocol):
    """Cuts off who does not finish a request in time, or never stops sending headers."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._read = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(REQUEST_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        if self._read > REQUEST_BYTES:
            self.transport.abort()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._read = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._be_patient()
        self._read = 0
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
