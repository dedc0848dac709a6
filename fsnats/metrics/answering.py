"""One answer a connection, then its end: what telling numbers needs of a server, over TCP or a unix socket."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

logger = logging.getLogger(__name__)

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
Answer = Callable[[asyncio.StreamReader], Awaitable[bytes]]


@contextlib.asynccontextmanager
async def answering(
    start: Callable[[Connected], Awaitable[asyncio.Server]], answer: Answer, *, within: float, at_once: int
) -> AsyncIterator[None]:
    """Give each connection of the server that `start` makes its answer, for as long as the block runs.

    One that takes longer than so many seconds, and one too many, is closed without.  A fault in an answer costs that
    answer: nobody's data is to stop for want of numbers.
    """
    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(within):
                writer.write(await answer(reader))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who asked is gone, or does not read, or does not ask
        except Exception:
            logger.exception("numbers cannot be told", extra={"event": "metrics.failed"})
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(open_now) >= at_once:
            writer.close()
            return
        task = tasks.create_task(serve(reader, writer))
        open_now.add(task)
        task.add_done_callback(open_now.discard)

    tasks = asyncio.TaskGroup()
    server = await start(connected)  # what it raises comes to our caller as it is, in no group
    async with tasks:
        try:
            yield
        finally:
            server.close()
            for task in open_now:
                task.cancel()
