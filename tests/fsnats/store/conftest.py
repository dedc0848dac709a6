"""Every store there is, to run the same contract on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import uvloop

from fsnats.binance.streams import Market
from fsnats.store import Series, Store
from fsnats.store.opening import open_store
from tests.postgres import PostgresServer, running


@pytest.fixture(scope="session")
def only_postgres() -> Iterator[PostgresServer]:
    with running() as server:
        yield server


@pytest.fixture
def postgres(only_postgres: PostgresServer) -> PostgresServer:
    """A server that runs; a test may stop it."""
    if not only_postgres.runs:
        only_postgres.start()
    return only_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/store.sqlite3"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.emptied()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = await open_store(store_url, "")
    yield store
    await store.close()


@pytest.fixture
def fresh() -> Callable[[], Series]:
    """Gives a series of minutes that nobody wrote to: a property's examples share one database."""
    numbers = count()
    return lambda: Series(Market.USDM, "kline", f"S{next(numbers)}", "1m")


@pytest.fixture
def run(store_url: str) -> Iterator[Callable[[Callable[[Store], Awaitable[None]]], None]]:
    """Runs a property's example, which cannot be a coroutine itself, on one store."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        store = runner.run(open_store(store_url, ""))

        async def story(tell: Callable[[Store], Awaitable[None]]) -> None:
            await tell(store)

        yield lambda tell: runner.run(story(tell))
        runner.run(store.close())
