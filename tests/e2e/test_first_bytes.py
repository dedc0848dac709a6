"""Clients that do not wait for the answer to their handshake, and clients that send anything else."""

import asyncio
import contextlib
import random
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.client import until
from tests.e2e.fleet import Fleet, get
from tests.fsnats.websocket.cases import CLOSE, TEXT, frame
from tests.fsnats.websocket.test_handshake import head

SUBSCRIBE = {
    "/ws": (b'{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms"],"id":7}', b'{"result":null,"id":7}'),
    "/": (b'{"type":"subscribe","rawStreams":["btcusdt@depth@100ms"],"id":7}', b'{"type":"subscribed"'),
}


@pytest.mark.parametrize("path", SUBSCRIBE)
async def test_a_request_in_the_same_packet_as_the_handshake_is_carried_out(fleet: Fleet, path: str) -> None:
    request, reply = SUBSCRIBE[path]
    reader, writer = await asyncio.open_connection("127.0.0.1", fleet.gateway_port)
    writer.write(head(path) + frame(TEXT, request))
    async with asyncio.timeout(30):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        await reader.readuntil(reply)
        await reader.readuntil(b'"e":"depthUpdate"')
    writer.close()


def clients(fleet: Fleet) -> float:
    text = get(f"{fleet.http}/metrics")[1]
    samples = (each for family in text_string_to_metric_families(text) for each in family.samples)
    return next(each.value for each in samples if each.name == "fsnats_gateway_clients")


async def test_whatever_bytes_come_the_gateway_stays_and_forgets_them(fleet: Fleet) -> None:
    seeded = random.Random(7)
    before = clients(fleet)
    pid = fleet.pid("gateway")
    for number in range(300):
        junk = seeded.randbytes(seeded.randrange(200))
        begun = head()[: seeded.randrange(150)]
        data = [junk, head("/ws") + junk, head(), begun + junk, head() + frame(CLOSE)][number % 5]
        with socket.create_connection(("127.0.0.1", fleet.gateway_port)) as client:
            edge = seeded.randrange(len(data) + 1)
            with contextlib.suppress(OSError):  # it may have been sent away in the middle
                client.sendall(data[:edge])
                client.sendall(data[edge:])
                if number % 3 == 0:
                    client.shutdown(socket.SHUT_WR)
    await until(lambda: clients(fleet) == before, "all of them are forgotten")
    assert fleet.pid("gateway") == pid
    assert get(f"{fleet.http}/healthz")[0] == 200
    assert "Traceback" not in fleet.supervisor.said()
