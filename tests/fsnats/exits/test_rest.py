"""REST over a pool: what another exit can mend, and what it cannot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.supervisor.dials import Dials
from tests.clock import HandClock
from tests.conftest import free_port
from tests.proxies import microsocks
from tests.simulated import config_for
from workers.simulator.server import Simulator


@asynccontextmanager
async def pooled(config: Config, clock: HandClock, proxy: str, program: str) -> AsyncIterator[tuple[PooledRest, Dials]]:
    bus = MemoryBus()
    desk = Dials(bus, clock)
    desk.serve()
    config = msgspec.structs.replace(config, proxy=proxy)
    async with PooledRest(Market.SPOT, config, Exits(config, bus, program, clock)) as rest:
        yield rest, desk


@pytest.mark.parametrize("program", ["history-0", "history-1"])
async def test_an_exit_that_is_gone_is_passed_over(clock: HandClock, program: str) -> None:
    dead = f"socks5h://127.0.0.1:{free_port()}"
    async with Simulator() as simulator, microsocks() as port:
        pool = f"{dead},socks5h://127.0.0.1:{port}"
        async with pooled(config_for(simulator), clock, pool, program) as (rest, desk):
            for _ in range(3):
                assert (await rest.get("ping")).simulated

    assert {one.name for one in desk.standings() if one.troubles} <= {dead}


async def test_a_wrong_request_is_wrong_by_every_exit(clock: HandClock) -> None:
    async with Simulator() as simulator, pooled(config_for(simulator), clock, "direct", "history") as (rest, desk):
        with pytest.raises(BadRequest):
            await rest.get("klines", {"symbol": "NOPE", "interval": "1m"})

    assert not any(one.troubles for one in desk.standings())


@asynccontextmanager
async def exchange(*statuses: int) -> AsyncIterator[tuple[Config, list[bytes]]]:
    """Answers with these statuses, one after the other."""
    left, requests = list(statuses), []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        head = f"HTTP/1.1 {left.pop(0)} X\r\nContent-Length: 2\r\nRetry-After: 77\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + b"{}")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield Config(spot_rest_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), requests


@pytest.mark.parametrize(("status", "stays_away"), [(429, 77.0), (418, 77.0), (451, 10.0), (403, 180.0)])
async def test_a_refused_exit_rests_and_the_next_one_is_asked(clock: HandClock, status: int, stays_away: float) -> None:
    async with exchange(status, 200, 200) as (config, requests), microsocks() as port:
        pool = f"direct,socks5h://127.0.0.1:{port}"
        async with pooled(config, clock, pool, "history") as (rest, desk):
            await rest.get("ping")
            await rest.get("ping")

    assert len(requests) == 3
    assert [trouble.wait for one in desk.standings() for trouble in one.troubles] == [stays_away]


async def test_a_ban_is_waited_out_without_another_request(clock: HandClock) -> None:
    async with exchange(418, 200) as (config, requests), pooled(config, clock, "direct", "history") as (rest, _):
        with pytest.raises(ExchangeUnavailable, match="banned"):
            await rest.get("ping")
        with pytest.raises(ExchangeUnavailable, match="no exit may be used for another 77 s"):
            await rest.get("ping")
        assert len(requests) == 1
        await clock.advance(77.0)
        await rest.get("ping")


async def test_an_exit_that_dies_in_the_middle_of_an_answer_is_passed_over(clock: HandClock) -> None:
    cuts = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal cuts
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1,")
        if cuts:
            writer.write(b"2,3]")
        cuts += 1
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server, microsocks() as port:
        config = Config(spot_rest_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with pooled(config, clock, f"direct,socks5h://127.0.0.1:{port}", "history") as (rest, desk):
            assert (await rest.get("ping")).body == b"[1,2,3]"

    assert [len(one.troubles) for one in desk.standings()].count(1) == 1


async def test_what_no_exit_can_mend_is_not_tried_again(clock: HandClock) -> None:
    async with (
        exchange(503) as (config, requests),
        microsocks() as port,
        pooled(config, clock, f"direct,socks5h://127.0.0.1:{port}", "history") as (rest, desk),
    ):
        with pytest.raises(ExchangeUnavailable, match="trouble"):
            await rest.get("ping")

    assert len(requests) == 1
    assert not any(one.troubles for one in desk.standings())
