"""A program that writes until it is killed, and what is there afterwards."""

from fsnats.store import Span
from fsnats.store.opening import open_store
from tests.fsnats.store.rows import TRADES

# Says the first id of each thousand when it is written.
WRITER = """
import asyncio, sys
from fsnats.store import Span
from fsnats.store.opening import open_store
from tests.fsnats.store.rows import trade, trades

async def main():
    store = await open_store(sys.argv[1], "")
    for start in range(0, 10**9, 1000):
        rows = [trade(start + number) for number in range(1000)]
        await store.write(trades(*rows, covered=[Span(start, start + 999)]))
        print(start, flush=True)

asyncio.run(main())
"""


async def found(url: str) -> tuple[list[int], list[Span]]:
    """The ids of the trades that it wrote, and the spans that are told to be complete."""
    store = await open_store(url, "")
    try:
        return [row.agg_id for row in await store.trades(TRADES, 0, 2**62, 10**9)], await store.spans(TRADES)
    finally:
        await store.close()
