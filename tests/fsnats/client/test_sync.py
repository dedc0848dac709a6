import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from fsnats.client import Forbidden, Gap, Message, SyncClient, Unavailable, Unusable
from tests.conftest import eventually, free_port
from tests.fsnats.client.gateways import SIMULATED, TRADE, Gateway, running


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "fsnats client"]


async def test_a_plain_loop_reads_and_leaving_it_ends_the_connection() -> None:
    async with running(Gateway([SIMULATED, TRADE])) as gateway:

        def read() -> None:
            with SyncClient(gateway.url) as client:
                assert client.simulated is None
                for value in client.stream("a@trade"):
                    assert isinstance(value, Message)
                    break
                assert client.simulated is True

        await asyncio.to_thread(read)
        await eventually(lambda: not gateway.connections)
        assert threads() == []


async def test_closing_ends_loops_in_other_threads_wherever_they_wait() -> None:
    stuck = Gateway([TRADE])
    async with running(Gateway([TRADE])) as quiet, running(stuck):
        stuck.may_answer.clear()  # the client connects for ever
        for url in (quiet.url, stuck.url, f"ws://127.0.0.1:{free_port()}"):
            client = SyncClient(url)
            count = len(quiet.asked) + len(stuck.asked)
            reading = asyncio.ensure_future(asyncio.to_thread(list, client.stream("a@trade")))
            if url in (quiet.url, stuck.url):
                await eventually(lambda count=count: len(quiet.asked) + len(stuck.asked) > count)  # type: ignore[misc]
            await asyncio.to_thread(client.close)
            assert len(await reading) <= 1
        stuck.may_answer.set()
        assert threads() == []


async def test_after_closing_nothing_is_begun_and_nothing_hangs() -> None:
    async with running(Gateway([TRADE])) as gateway:

        def read() -> None:
            client = SyncClient(gateway.url)
            left: Iterator[Message | Gap] = client.stream("a@trade")
            next(left)
            client.close()
            client.close()
            assert list(left) == []
            assert list(client.stream("a@trade")) == []
            with pytest.raises(Unavailable, match="this client is closed"):
                client.klines("a", "1m")

        await asyncio.to_thread(read)
        await eventually(lambda: not gateway.connections)


async def test_a_loop_that_was_left_alone_costs_nothing_later() -> None:
    async with running(Gateway([TRADE])) as gateway:

        def read() -> None:
            client = SyncClient(gateway.url)
            left = client.stream("a@trade")
            next(left)
            around: list[object] = [left]
            around.append(around)  # only the garbage collector finds it
            client.close()

        await asyncio.to_thread(read)
        gc.collect()
        await eventually(lambda: not gateway.connections)


async def test_what_is_wrong_is_raised_where_it_is_asked() -> None:
    async with running(Gateway()) as gateway:

        def read() -> None:
            with SyncClient(gateway.url) as client, pytest.raises(Unusable, match="no stream is named"):
                next(client.stream())
            gateway.refusing = HTTPStatus.UNAUTHORIZED
            with SyncClient(gateway.url) as client, pytest.raises(Forbidden, match="because"):
                next(client.stream("a@trade"))

        await asyncio.to_thread(read)
    with pytest.raises(Unusable, match="not a ws://"):
        SyncClient("ftp://x")
    assert threads() == []


async def test_a_program_may_end_while_it_reads() -> None:
    async with running(Gateway([TRADE])) as gateway:
        ends = f"""
from fsnats.client import SyncClient
values = SyncClient({gateway.url!r}).stream("a@trade")
print(next(values).seq, flush=True)
"""
        program = await asyncio.create_subprocess_exec(sys.executable, "-c", ends, stdout=subprocess.PIPE)
        try:
            async with asyncio.timeout(30):
                said, _ = await program.communicate()
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
    assert (said, program.returncode) == (b"1\n", 0)
