"""What waits to be written, within a limit, and its writing in a thread."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from fsnats.captures.lines import Line
from fsnats.captures.writer import Writer
from fsnats.clock import Clock
from fsnats.errors import Unavailable

logger = logging.getLogger(__name__)

PIECE_BYTES = 1024 * 1024  # of text, packed at a time
PATIENCE = 5.0  # seconds for what waits to be written when we are stopped

_AGAIN = 1.0  # seconds until a disk that is full is tried again


class Desk:
    """Takes lines, and writes them every so often; a disk that is full is waited for."""

    def __init__(
        self, writer: Writer, clock: Clock, flush: float, limit_bytes: int, emptied: Callable[[], None]
    ) -> None:
        """`flush` is in seconds; `emptied` is called when there is room again after somebody was told that there is
        none."""
        self._writer = writer
        self._clock = clock
        self._flush = flush
        self._limit = limit_bytes
        self._emptied = emptied
        self._waiting: list[Line] = []
        self._news = asyncio.Event()
        self._refused = False
        self._closing = False
        self.bytes = 0  # that wait, those that are being written included
        self.lines = 0  # that are written
        self.trouble = ""

    @property
    def waiting(self) -> int:
        """How many lines wait."""
        return len(self._waiting)

    def admits(self, beside: int) -> bool:
        """Whether more may be put, with so many bytes held elsewhere."""
        admitted = self.bytes + beside < self._limit
        self._refused |= not admitted
        return admitted

    def put(self, line: Line) -> None:
        """Take a line."""
        self._waiting.append(line)
        self.bytes += len(line.text)
        if self.bytes >= PIECE_BYTES:
            self._news.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._closing = True
        self._news.set()

    async def run(self) -> None:
        """Write until `close`, then the rest, and finish the file.  Raises Unavailable when that cannot be done."""
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._flush):
                    await self._news.wait()
            self._news.clear()
            while written := await self._write():
                if self.bytes < PIECE_BYTES:
                    break
            if not written and not self._closing:
                await self._clock.sleep(_AGAIN)
        deadline = self._clock.monotonic() + PATIENCE
        while not await self._finish():
            if self._clock.monotonic() >= deadline:
                raise Unavailable(
                    f"the capture cannot be written ({self.trouble}): the last {self.waiting} lines are lost"
                )
            await self._clock.sleep(_AGAIN)

    async def _finish(self) -> bool:
        while self._waiting:
            if not await self._write():
                return False
        try:
            await asyncio.to_thread(self._writer.finish)
        except OSError as error:
            self._say(error.strerror or str(error))
            return False
        return True

    async def _write(self) -> bool:
        """Write one piece.  Also nothing is written: it may be time to finish a file."""
        lines, size = self._piece()
        try:
            await asyncio.to_thread(self._writer.write, lines, self._clock.time_ns())
        except OSError as error:
            self._waiting[:0] = lines
            self._say(error.strerror or str(error))
            return False
        self.lines += len(lines)
        self.bytes -= size
        self._say("")
        if self._refused and self.bytes < self._limit // 2:
            self._refused = False
            self._emptied()
        return True

    def _piece(self) -> tuple[list[Line], int]:
        size = count = 0
        for line in self._waiting:
            size += len(line.text)
            count += 1
            if size >= PIECE_BYTES:
                break
        lines = self._waiting[:count]
        del self._waiting[:count]
        return lines, size

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            extra = {"reason": trouble, "waiting": len(self._waiting), "bytes": self.bytes}
            logger.error(
                "the capture cannot be written; holding what comes, and trying again",
                extra={"event": "capture.unwritable", **extra},
            )
        elif self.trouble and not trouble:
            logger.info(
                "the capture is written again", extra={"event": "capture.written_again", "waiting": len(self._waiting)}
            )
        self.trouble = trouble
